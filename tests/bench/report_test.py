#!/usr/bin/env python3
"""The report on made-up figures: verdicts, targets, and a document that holds them all."""
from __future__ import annotations

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

import report  # noqa: E402
from processes import values  # noqa: E402
from targets import FIGURES, QUICK, SERVING, TRAINING, Figure, goal_of, judge  # noqa: E402

FIGURE = {figure.key: figure for figure in FIGURES}


class Verdicts(unittest.TestCase):
    def test_share_of_the_measured_peak(self) -> None:
        figures = {"peak_f32_gflops": 100.0, "letters_full_gflops": 75.0}
        self.assertEqual(judge(FIGURE["letters_full_gflops"], figures), "reached")
        figures["letters_full_gflops"] = 60.0
        self.assertEqual(judge(FIGURE["letters_full_gflops"], figures), "missed by 20.0%")
        self.assertEqual(goal_of(FIGURE["letters_full_gflops"], figures), "≥ 0.75 × peak = 75")

    def test_rows_a_second_from_gigaflops(self) -> None:
        figures = {"peak_f32_gflops": 211.6, "predict_letters_rows_per_s": 0.56e8}
        self.assertEqual(judge(FIGURE["predict_letters_rows_per_s"], figures), "reached")

    def test_difference_of_two_figures(self) -> None:
        figures = {"wall_example_s": 0.20, "kernel_example_s": 0.16}
        self.assertEqual(judge(FIGURE["wall_example_s"], figures), "reached")
        figures["wall_example_s"] = 0.26
        self.assertEqual(judge(FIGURE["wall_example_s"], figures), "missed by 100.0%")

    def test_stretch(self) -> None:
        ratio = FIGURE["time_to_4pct_vs_torch"]
        self.assertEqual(judge(ratio, {ratio.key: 3.0}), "reached")
        self.assertEqual(judge(ratio, {ratio.key: 5.0}), "reached, stretch too")
        self.assertEqual(judge(FIGURE["best_error"], {"best_error": 0.0175}), "reached, stretch too")

    def test_time_of_the_best_error_depends_on_the_error(self) -> None:
        seconds = FIGURE["best_error_s"]
        self.assertEqual(judge(seconds, {"best_error": 0.018, "best_error_s": 9.0}), "reached")
        self.assertEqual(judge(seconds, {"best_error": 0.019, "best_error_s": 9.0}),
                         "missed by 50.0%")

    def test_what_is_absent(self) -> None:
        self.assertEqual(judge(FIGURE["letters_b64_vs_torch"], {}), "not measured")
        self.assertEqual(judge(FIGURE["time_to_3pct_vs_torch"], {}), "not reached")
        self.assertEqual(judge(FIGURE["peak_f32_gflops"], {}), "")


class Documents(unittest.TestCase):
    figures = {figure.key: 1.0 for figure in FIGURES} | {"torch_letters_full_samples_per_s": 2e6}
    about = {"variants": {"letters_full torch": "by-hand"}, "machine": {"processor": "made up"}}

    def test_results_hold_every_figure_of_training(self) -> None:
        text = report.results(self.figures, self.about, ["ratios.svg"])
        for part in ("2,000,000", "by-hand", "made up", "(ratios.svg)"):
            self.assertIn(part, text)
        self.assert_keys(text, TRAINING, SERVING)

    def test_serving_holds_every_figure_of_predictions(self) -> None:
        text = report.serving(self.figures, self.about["machine"])
        self.assertIn("made up", text)
        self.assert_keys(text, SERVING, TRAINING)

    def test_results_of_nothing(self) -> None:
        self.assertIn("not measured", report.results({}, {}, []))

    def test_table_on_the_terminal(self) -> None:
        text = report.plain(report.rows(self.figures, QUICK))
        self.assertIn("double_letters_full_gflops", text)
        self.assertNotIn("wall_example_s", text)

    def assert_keys(self, text: str, present: list[Figure], absent: list[Figure]) -> None:
        for figure in present:
            self.assertIn(f"`{figure.key}`", text)
        for figure in absent:
            self.assertNotIn(f"`{figure.key}`", text)


class Lines(unittest.TestCase):
    def test_only_names_with_a_number_count(self) -> None:
        self.assertEqual(values(["a 1.5", "b x", "c", "d 1 2", ""]), {"a": 1.5})


if __name__ == "__main__":
    unittest.main()

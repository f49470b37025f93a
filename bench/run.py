#!/usr/bin/python3
"""Measures everything, ours and the peers' in turn, and writes what came out; see scripts/bench."""
from __future__ import annotations

import json
import signal
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Callable

import fair_share
import first_task
import kernel_rows
import machine
import report
import targets
import time_to_error
from processes import PYTHON, ROOT, Failed, Peer, run, values

RUNS = 5
FOLDER = ROOT / "bench"
CLUSTER_BENCH = ROOT / "build" / "release" / "bench" / "cluster_bench"
PREDICT_BENCH = ROOT / "build" / "release" / "bench" / "predict_bench"
PREDICT_FIGURES = ("bare_two_hop_p50_us_at_2000", "bare_two_hop_p99_us_at_2000",
                   "bare_two_hop_rps_64_connections", "predict_p50_us_at_2000",
                   "predict_p99_us_at_2000", "predict_rps_64_connections",
                   "predict_p99_us_while_training", "predict_batch4096_rows_per_s")
CLUSTER_FIGURES = ("wall_example_s", "task_overhead_us", "wire_bytes_ratio", "durability_cost",
                   "heartbeat_cost")


def say(text: str) -> None:
    print(f"== {text}", file=sys.stderr, flush=True)


class Session:
    """The figures so far, and what could not be measured."""

    def __init__(self) -> None:
        self.figures: dict[str, float] = {}
        self.variants: dict[str, str] = {}
        self.courses: dict[str, time_to_error.Course] = {}
        self.rates: dict[str, fair_share.Course] = {}
        self.failures: list[str] = []

    def part(self, name: str, measure: Callable[[], None]) -> None:
        """One that fails leaves the others to be measured."""
        try:
            measure()
        except Failed as error:
            self.failures.append(f"{name}: {error}")

    def kernel(self) -> None:
        figures, variants = kernel_rows.measure(RUNS, say)
        self.figures |= figures
        self.variants |= variants

    def sklearn(self) -> None:
        say("scikit-learn")
        with Peer("sklearn_steps.py") as peer:
            for name in peer.answer("?").split():
                rates = [float(peer.answer(name).split()[1]) for _ in range(RUNS)]
                self.figures[f"{name}_samples_per_s"] = statistics.median(rates)

    def cluster(self) -> None:
        runs: dict[str, list[float]] = {}
        ours = kernel_rows.Ours()
        for number in range(RUNS):
            say(f"two nodes, run {number + 1} of {RUNS}")
            ours.measure(("kernel_example_s",), pinned=False)
            for name, value in values(run([str(CLUSTER_BENCH)]).stdout.splitlines()).items():
                runs.setdefault(name, []).append(value)
        for name, measured in (ours.runs | runs).items():
            self.figures[name] = statistics.median(measured)
        missing = [name for name in CLUSTER_FIGURES if name not in runs]
        if missing:
            raise Failed(f"cluster_bench does not print {', '.join(missing)}")

    def predictions(self) -> None:
        runs: dict[str, list[float]] = {}
        for number in range(RUNS):
            say(f"predictions, run {number + 1} of {RUNS}")
            for name, value in values(run([str(PREDICT_BENCH)]).stdout.splitlines()).items():
                runs.setdefault(name, []).append(value)
        self.figures |= {name: statistics.median(measured) for name, measured in runs.items()}
        missing = [name for name in PREDICT_FIGURES if name not in runs]
        if missing:
            raise Failed(f"predict_bench does not print {', '.join(missing)}")

    def fair_share(self) -> None:
        figures, self.rates = fair_share.measure(say)
        self.figures |= figures

    def first_task(self) -> None:
        self.figures |= first_task.measure(say)

    def time_to_error(self) -> None:
        figures, variants, courses = time_to_error.compare(RUNS, say)
        self.figures |= figures
        self.variants |= variants
        self.courses |= courses

    def accurate(self) -> None:
        figures, self.courses["gradmill, accurate"] = time_to_error.accurate(RUNS, say)
        self.figures |= figures


def draw(session: Session) -> None:
    """The plots of what was measured."""
    bench = ROOT / "build" / "bench.json"
    with tempfile.TemporaryDirectory(prefix="gradmill-bench-") as scratch:
        courses = Path(scratch, "courses.json")
        courses.write_text(json.dumps({"errors": session.courses, "rates": session.rates}))
        run([PYTHON, "-B", str(FOLDER / "plots.py"), str(bench), str(courses), str(FOLDER)])


def write_training(session: Session) -> None:
    about = {"variants": session.variants,
             "machine": machine.description() | {"kernel variant": session.variants.pop(
                 "kernel_isa", "?")}}
    plots = [plot for plot in report.PLOTS if (FOLDER / plot).exists()]
    (FOLDER / "RESULTS.md").write_text(report.results(session.figures, about, plots))


def write_serving(session: Session) -> None:
    (FOLDER / "SERVING.md").write_text(report.serving(session.figures, machine.description()))


def main() -> int:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda got, _: sys.exit(128 + got))
    mode = (sys.argv[1:] or ["--all"])[0]
    session = Session()
    chosen = {"--all": targets.FIGURES, "--serving": targets.SERVING,
              "--quick": targets.QUICK}[mode]
    if mode != "--serving":
        session.part("kernel rows", session.kernel)
    if mode == "--all":
        session.part("scikit-learn", session.sklearn)
        session.part("two nodes", session.cluster)
        session.part("time to error", session.time_to_error)
        session.part("accurate preset", session.accurate)
    if mode != "--quick":
        session.part("predictions", session.predictions)
        session.part("fair share", session.fair_share)
        session.part("first task", session.first_task)
    (ROOT / "build" / "bench.json").write_text(json.dumps(session.figures, indent=2) + "\n")
    if mode != "--quick":
        session.part("plots", lambda: draw(session))
        session.part("report", lambda: write_serving(session))
    if mode == "--all":
        session.part("report", lambda: write_training(session))
    print(report.plain(report.rows(session.figures, chosen)))
    for failure in session.failures:
        print(f"not measured: {failure}", file=sys.stderr)
    return 1 if session.failures else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
"""Makes the tables of RESULTS.md and SERVING.md, and the table on the terminal, from the figures.

usage: report.py BENCH_JSON ABOUT_JSON RESULTS_MD
"""
from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Mapping, Sequence

from targets import FIGURES, SERVING, TRAINING, Figure, Figures, goal_of, judge, number

HEADINGS = ("key", "what", "measured", "target", "")
PLOTS = {"ratios.svg": "Speed over that of the peers",
         "time_to_error.svg": "Validation error over time"}


def rows(figures: Figures, chosen: Sequence[Figure]) -> list[tuple[str, ...]]:
    """The table of the targets."""
    return [(f.key, f.what, number(figures[f.key]) if f.key in figures else "–",
             goal_of(f, figures), judge(f, figures))
            for f in chosen]


def table_of(figures: Figures, chosen: Sequence[Figure]) -> str:
    return markdown(HEADINGS, [(f"`{key}`", *rest) for key, *rest in rows(figures, chosen)])


def plain(table: Sequence[Sequence[str]]) -> str:
    """In columns for a terminal, without the descriptions."""
    short = [(key, measured, goal, verdict) for key, _, measured, goal, verdict in table]
    lines = [("key", "measured", "target", ""), *short]
    widths = [max(len(line[k]) for line in lines) for k in range(4)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
                     for line in lines)


def markdown(headings: Sequence[str], table: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *table]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def others(figures: Figures) -> list[tuple[str, str]]:
    known = {figure.key for figure in FIGURES}
    return [(f"`{key}`", number(value)) for key, value in figures.items() if key not in known]


def results(figures: Figures, about: Mapping[str, Mapping[str, str]], plots: Sequence[str]) -> str:
    """The whole of RESULTS.md."""
    parts = ["# Results", "Written by `scripts/bench`; not edited by hand. Medians of at least 5 "
             "runs, ours and the peers' in turn, on the same core where one thread runs. A ratio is "
             "the median of the ratios of neighbouring runs.",
             table_of(figures, TRAINING)]
    parts += [f"![{PLOTS.get(plot, plot)}]({plot})" for plot in plots]
    parts += ["## What the peers run", "`_vs_torch` is against the fastest variant with modules, "
              "autograd and `torch.optim`, and `_vs_numpy` against arrays with a sample a row: what "
              "people write. `_by_hand` is against the fastest of all variants that we could write: "
              "forward and backward passes by hand, a sample a column, into arrays made before. "
              "`_adam` is against Adam with one cycle to 0.01 in 15 epochs, which people start with; "
              "the other recipes were searched for, on the validation file, which favours them. "
              "PyTorch's time to an error starts with the training, without import, reading of data "
              "and validation; ours starts with the client.",
              markdown(("row", "fastest variant"), sorted(about.get("variants", {}).items()))]
    parts += ["## All other figures", markdown(("key", "median"), others(figures))]
    parts += ["## The machine", markdown(("", ""), list(about.get("machine", {}).items()))]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def serving(figures: Figures, machine: Mapping[str, str]) -> str:
    """The whole of SERVING.md."""
    parts = ["# Predictions, and jobs side by side", "Written by `scripts/bench --serving`; not edited by "
             "hand. Medians of 5 runs but for the fair share, which is one of 65 s, and the first tasks. "
             "All programs and the load generator run on the same machine.",
             table_of(figures, SERVING),
             "![Rates of two prediction jobs of equal weight](fair_share.svg)",
             "The costly job's batches pass 4096,4096 hidden units, the cheap one's 24; both have 100 "
             "rows. Rates are over windows of 10 s, from 5 s after both run; what they differ by is in "
             "parts of the higher one.",
             "## The machine", markdown(("", ""), list(machine.items()))]
    return "\n\n".join(part.strip() for part in parts) + "\n"


if __name__ == "__main__":
    bench, words, target = map(Path, sys.argv[1:])
    target.write_text(results(json.loads(bench.read_text()), json.loads(words.read_text()),
                              [plot for plot in PLOTS if (target.parent / plot).exists()]))

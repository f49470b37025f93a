#!/usr/bin/python3
"""Draws the figures: speed against the peers, validation error and rates over time.

usage: plots.py BENCH_JSON COURSES_JSON FOLDER
"""
from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "gradmill"  # the same figures give the same file

from matplotlib import pyplot  # noqa: E402

from targets import FIGURES  # noqa: E402


def save(figure: pyplot.Figure, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def ratios(figures: dict[str, float], path: Path) -> None:
    keys = [key for key in figures if "_vs_" in key][::-1]
    goals = {f.key: f.goal(figures) for f in FIGURES if f.goal and "_vs_" in f.key}
    figure, axes = pyplot.subplots(figsize=(8, 0.4 * len(keys) + 1.2))
    axes.barh(keys, [figures[key] for key in keys], color="tab:blue", height=0.6)
    for place, key in enumerate(keys):
        axes.text(figures[key], place, f" {figures[key]:.2f}", va="center")
        if key in goals:
            axes.plot([goals[key]] * 2, [place - 0.4, place + 0.4], color="tab:red")
    axes.axvline(1, color="grey", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_xlabel("times as fast as the peer (red: target)")
    axes.margins(x=0.15)
    save(figure, path)


def courses(lines: dict[str, list[list[float]]], path: Path) -> None:
    figure, axes = pyplot.subplots(figsize=(8, 5))
    for name, points in lines.items():
        if points:
            axes.plot([p[0] for p in points], [100 * p[1] for p in points], marker=".", label=name)
    for error in (4, 3, 2):
        axes.axhline(error, color="grey", linewidth=0.6)
    axes.set_xscale("log")
    limits = axes.get_xlim()  # ticks beyond the lines are not to widen them
    axes.set_yscale("log")
    axes.set_yticks([2, 3, 4, 5, 10, 20, 50, 100], [2, 3, 4, 5, 10, 20, 50, 100])
    seconds = [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]
    axes.set_xticks(seconds, seconds)
    axes.set_xlim(*limits)
    axes.minorticks_off()
    axes.set_xlabel("seconds (ours from the client's start, PyTorch's from the training's)")
    axes.set_ylabel("validation error, %")
    axes.legend()
    save(figure, path)


def rates(lines: dict[str, list[list[float]]], path: Path) -> None:
    figure, axes = pyplot.subplots(figsize=(8, 4))
    for name, points in lines.items():
        axes.plot([p[0] for p in points], [p[1] for p in points], label=f"{name} batches")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("seconds since both jobs run")
    axes.set_ylabel("rows a second over the last 10 s")
    axes.legend()
    save(figure, path)


if __name__ == "__main__":
    bench, course, folder = map(Path, sys.argv[1:])
    found = json.loads(bench.read_text())
    if any("_vs_" in key for key in found):
        ratios(found, folder / "ratios.svg")
    drawn = json.loads(course.read_text())
    if drawn["errors"]:
        courses(drawn["errors"], folder / "time_to_error.svg")
    if drawn["rates"]:
        rates(drawn["rates"], folder / "fair_share.svg")

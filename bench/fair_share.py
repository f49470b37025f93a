"""Two prediction jobs whose batches differ in cost, side by side: how equal their rates are."""
from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Callable, NamedTuple

from cluster import Cluster
from processes import Failed
from two_models import MODELS, train, write_rows

SECONDS = 60.0  # of the measurement
SETTLING = 5.0  # from when both jobs run
WINDOW = 10.0
BATCH_ROWS = 100
ROWS = 2_000_000  # more than the nodes answer in the time

Course = list[tuple[float, float]]


class Sample(NamedTuple):
    """Rows answered until then."""
    seconds: float
    rows: dict[str, float]


def _answered(cluster: Cluster, model: str) -> float:
    """Rows of a running job whose batches have come back, whether or not they are saved yet."""
    job = json.loads(cluster.client("job", "show", model, "--format", "json"))
    if job["state"] != "running":
        raise Failed(f"job {model} {job['state']} before the measurement ended")
    return float(BATCH_ROWS * sum(node["tasks"] for node in job["nodes"]))


def samples() -> list[Sample]:
    with Cluster() as cluster:
        folder = Path(cluster.folder.name)
        train(cluster, folder)
        rows = folder / "rows.csv"
        write_rows(rows, ROWS)
        # The first starts first: alone, the second would be done before the first's rows are here.
        for model in MODELS:
            cluster.client("job", "submit", "predict", "--model", model, "--data", str(rows), "--id",
                           model, "--batch-size", str(BATCH_ROWS), "--no-wait")
        taken: list[Sample] = []
        start = time.monotonic()
        while not taken or taken[-1].seconds < SETTLING + SECONDS:
            counts = {model: _answered(cluster, model) for model in MODELS}
            taken.append(Sample(time.monotonic() - start, counts))
            time.sleep(0.25)
        return taken


def rates(taken: list[Sample], model: str) -> Course:
    """Rows a second over each whole window after the settling, at its end."""
    course: Course = []
    for last in taken:
        first = next((s for s in reversed(taken) if last.seconds - s.seconds >= WINDOW), None)
        if first and first.seconds >= SETTLING:
            course.append((last.seconds, (last.rows[model] - first.rows[model])
                           / (last.seconds - first.seconds)))
    return course


def measure(say: Callable[[str], None]) -> tuple[dict[str, float], dict[str, Course]]:
    """By how much the rates differ, in parts of the higher one, and their course."""
    say(f"fair share, {SETTLING + SECONDS:g} s")
    taken = samples()
    courses = {model: rates(taken, model) for model in MODELS}
    apart = [abs(one - other) / max(one, other)
             for (_, one), (_, other) in zip(*courses.values())]
    return {"fair_share_apart_max": max(apart),
            "fair_share_apart_mean": sum(apart) / len(apart)}, courses

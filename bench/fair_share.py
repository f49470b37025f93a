"""Two prediction jobs whose batches differ in cost, side by side: how equal their rates are."""
from __future__ import annotations

import itertools
import json
import time
from pathlib import Path
from typing import Callable, NamedTuple

from cluster import Cluster
from processes import ROOT, Failed

SECONDS = 60.0  # of the measurement
SETTLING = 5.0  # from when both jobs run
WINDOW = 10.0
BATCH_ROWS = 100
ROWS = 2_000_000  # more than the nodes answer in the time
LETTERS = ROOT / "data" / "letters"
# Hidden layers; a batch of the first takes thousands of times as long as one of the second. The
# first starts first: alone, the second would be done before the first's rows are here.
MODELS = {"costly": "4096,4096", "cheap": "24"}

Course = list[tuple[float, float]]


class Sample(NamedTuple):
    """Rows answered until then."""
    seconds: float
    rows: dict[str, float]


def _samples_file(source: Path, target: Path, rows: int) -> None:
    with source.open() as lines:
        target.write_text("".join(itertools.islice(lines, rows)))


def _train(cluster: Cluster, folder: Path) -> None:
    """What the models know does not matter, so they are trained on next to nothing."""
    data = folder / "data"
    data.mkdir()
    _samples_file(LETTERS / "train_letters1.txt", data / "train_1.txt", 26)
    _samples_file(LETTERS / "validate_letters.txt", data / "validate_1.txt", 26)
    for model, hidden in MODELS.items():
        cluster.client("job", "submit", "train", "--data", str(data), "--model", model, "--classes",
                       "26", "--hidden", hidden, "--rounds", "1", "--epochs", "1", "--eta", "1e-4")


def _rows_file(folder: Path) -> Path:
    known = [line.rsplit(",", 1)[0] for line in (LETTERS / "validate_letters.txt").open()]
    block = "".join(row + "\n" for row in known)
    path = folder / "rows.csv"
    with path.open("w") as stream:
        for _ in range(ROWS // len(known)):
            stream.write(block)
    return path


def _answered(cluster: Cluster, model: str) -> float:
    """Rows of a running job whose batches have come back, whether or not they are saved yet."""
    job = json.loads(cluster.client("job", "show", model, "--format", "json"))
    if job["state"] != "running":
        raise Failed(f"job {model} {job['state']} before the measurement ended")
    return float(BATCH_ROWS * sum(node["tasks"] for node in job["nodes"]))


def samples() -> list[Sample]:
    with Cluster() as cluster:
        folder = Path(cluster.folder.name)
        _train(cluster, folder)
        rows = _rows_file(folder)
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

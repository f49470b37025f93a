"""Two models whose batches differ in cost, and rows for them."""
from __future__ import annotations

import itertools
from pathlib import Path

from cluster import Cluster
from processes import ROOT

LETTERS = ROOT / "data" / "letters"
# Hidden layers; a batch of the first takes thousands of times as long as one of the second.
MODELS = {"costly": "4096,4096", "cheap": "24"}


def train(cluster: Cluster, folder: Path) -> None:
    """What the models know does not matter, so they are trained on next to nothing."""
    data = folder / "data"
    data.mkdir()
    _write_samples(LETTERS / "train_letters1.txt", data / "train_1.txt", 26)
    _write_samples(LETTERS / "validate_letters.txt", data / "validate_1.txt", 26)
    for model, hidden in MODELS.items():
        cluster.client("job", "submit", "train", "--data", str(data), "--model", model, "--classes",
                       "26", "--hidden", hidden, "--rounds", "1", "--epochs", "1", "--eta", "1e-4")


def write_rows(path: Path, rows: int) -> None:
    """So many rows of the letters, over and over."""
    known = [line.rsplit(",", 1)[0] for line in (LETTERS / "validate_letters.txt").open()]
    with path.open("w") as stream:
        for row in itertools.islice(itertools.cycle(known), rows):
            stream.write(row + "\n")


def _write_samples(source: Path, target: Path, rows: int) -> None:
    with source.open() as lines:
        target.write_text("".join(itertools.islice(lines, rows)))

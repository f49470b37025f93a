"""What trainings on the letters share: the data as tensors, options, and the clock."""
from __future__ import annotations

import argparse
import math
import shlex
import sys
import time
from typing import Callable, NamedTuple

import torch
from torch import Tensor

import data
from schedule import SCHEDULES
from torch_by_hand import Rule
from torch_engines import ENGINES, Engine

TARGETS = {"4pct": 0.04, "3pct": 0.03, "2pct": 0.02}


class Letters(NamedTuple):
    """The shards one after the other, standardised, and the validation rows."""
    x: Tensor
    labels: Tensor
    check_x: Tensor
    check_labels: Tensor
    shards: list[range]


def letters() -> Letters:
    shards = data.letters_shards()
    raw = data.joined(shards)
    train, check = (data.standardized(r, raw) for r in (raw, data.letters_validation()))
    ranges: list[range] = []
    for shard in shards:
        start = ranges[-1].stop if ranges else 0
        ranges.append(range(start, start + len(shard.labels)))
    return Letters(*map(torch.from_numpy, (*train, *check)), ranges)


class Course:
    """The clock of a training, which stands still during validation, and the targets it reached."""

    def __init__(self, engine: Engine, letters: Letters) -> None:
        self.engine, self.letters = engine, letters
        self.seconds, self.error = 0.0, math.inf
        self.reached = {name: (math.inf, math.inf) for name in TARGETS}
        self.points: list[tuple[float, float]] = []

    def run(self, part: Callable[[], None]) -> None:
        start = time.perf_counter()
        part()
        self.seconds += time.perf_counter() - start

    def validate(self, position: float) -> None:
        rows = self.letters
        self.error = self.engine.errors(rows.check_x, rows.check_labels) / len(rows.check_labels)
        self.points.append((self.seconds, self.error))
        for name, target in TARGETS.items():
            if self.error <= target and math.isinf(self.reached[name][0]):
                self.reached[name] = (self.seconds, position)

    def report(self, unit: str) -> None:
        """`name value` lines, then the course in lines `at SECONDS ERROR`, then `end 0`."""
        for name, (seconds, position) in self.reached.items():
            print(f"time_to_{name}_s {seconds:.4f}\n{unit}_to_{name} {position:g}")
        print(f"last_error {self.error:.6f}\nseconds {self.seconds:.4f}")
        for seconds, error in self.points:
            print(f"at {seconds:.4f} {error:.6f}")
        print("end 0", flush=True)


def parser(description: str) -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--engine", choices=ENGINES, default="by-hand")
    options.add_argument("--hidden", default="256,128")
    options.add_argument("--optimizer", choices=("sgd", "nesterov", "adam"), default="nesterov")
    options.add_argument("--momentum", type=float, default=0.9, help="for adam, its beta 1")
    options.add_argument("--eta", type=float, default=0.1)
    options.add_argument("--schedule", choices=SCHEDULES, default="one-cycle")
    options.add_argument("--batch", type=int, default=128)
    options.add_argument("--label-smoothing", type=float, default=0.1)
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--seed", type=int, default=1)
    return options


def engine_for(o: argparse.Namespace, letters: Letters) -> Engine:
    """An engine ready to train: compiled already, with fresh weights and state."""
    torch.set_num_threads(o.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(o.seed)
    layers = (letters.x.size(1), *map(int, o.hidden.split(",")), 26)
    rule = Rule(o.optimizer, o.momentum, o.label_smoothing)
    engine = ENGINES[o.engine](layers, letters.x, letters.labels, o.batch, rule)
    for _ in range(3):
        engine.train(torch.arange(2 * o.batch), [0.0, 0.0])
    engine.restart()
    return engine


def serve(options: argparse.ArgumentParser,
          train: Callable[[argparse.Namespace, Letters], None]) -> None:
    """One training from the command line, or, for `-`, one for each line of options on stdin."""
    rows = letters()
    if sys.argv[1:] != ["-"]:
        return train(options.parse_args(), rows)
    for line in sys.stdin:
        train(options.parse_args(shlex.split(line)), rows)

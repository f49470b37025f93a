"""Measures one row at a time: those named on the command line, or, for `-`, in lines on stdin.

A line is `NAME [SECONDS]`, or `?`, which is answered by all names.
"""
from __future__ import annotations

import sys
import time
from typing import Callable, Mapping

Trainer = Callable[[], int]  # trains on some rows and returns how many


def samples_per_second(trainer: Trainer, seconds: float) -> float:
    """The rate over at least `seconds`, after a warm-up of a fifth of that and three calls."""
    def run(span: float, calls: int) -> float:
        samples = 0
        start = time.perf_counter()
        while True:
            samples += trainer()
            calls -= 1
            elapsed = time.perf_counter() - start
            if elapsed >= span and calls <= 0:
                return samples / elapsed
    run(seconds / 5, 3)
    return run(seconds, 1)


def serve(make: Mapping[str, Callable[[], Trainer]], seconds: float = 0.3) -> None:
    """Prints `name value` for each name that is asked for; without any, for all of them."""
    names = sys.argv[1:] or list(make)
    for line in sys.stdin if names == ["-"] else names:
        name, *span = line.split()
        if name == "?":
            print(*make, flush=True)
            continue
        # Each time from fresh weights: long trained ones have outputs next to 0, which are slow.
        rate = samples_per_second(make[name](), float(span[0]) if span else seconds)
        print(name, f"{rate:.6g}", flush=True)

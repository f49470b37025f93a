#!/usr/bin/python3
"""PyTorch on all letters at once: seconds and epochs to each validation error.

Prints `name value` lines; inf is a target that was not reached. `-` as the only argument reads
lines of options from stdin instead.
"""
from __future__ import annotations

import argparse

import torch

from letters_training import Course, Letters, engine_for, parser, serve
from schedule import SCHEDULES


def train(o: argparse.Namespace, letters: Letters) -> None:
    engine = engine_for(o, letters)
    course = Course(engine, letters)
    rows = len(letters.labels)
    steps = rows // o.batch
    etas = SCHEDULES[o.schedule](o.eta, steps * o.epochs)
    bounds = [steps * k // o.validations for k in range(o.validations + 1)]
    for epoch in range(o.epochs):
        order = torch.arange(0)

        def permute() -> None:
            nonlocal order
            order = torch.randperm(rows)
        course.run(permute)
        for start, stop in zip(bounds, bounds[1:]):
            part = etas[epoch * steps + start:epoch * steps + stop]
            course.run(lambda: engine.train(order[start * o.batch:], part))
            course.validate(epoch + stop / steps)
    course.report("epochs")


if __name__ == "__main__":
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--epochs", type=int, default=5)
    options.add_argument("--validations", type=int, default=2, help="per epoch")
    serve(options, train)

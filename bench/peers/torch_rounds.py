#!/usr/bin/python3
"""Our way of training in PyTorch: shards in turn, averaged deltas, an optimiser on the average.

One process trains every shard of a round from the round's weights and from zero state. Prints
`name value` lines; inf is a target that was not reached. `-` as the only argument reads lines of
options from stdin instead.
"""
from __future__ import annotations

import argparse

import torch
from torch import Tensor

from letters_training import Course, Letters, engine_for, parser, serve
from schedule import SCHEDULES


class Orders:
    """The rows of a shard in the order in which its steps take them, a permutation an epoch."""

    def __init__(self, rows: range, batch: int) -> None:
        self.rows, self.per_epoch = rows, len(rows) // batch * batch
        self.left = torch.arange(0)

    def take(self, count: int) -> Tensor:
        while len(self.left) < count:
            permutation = torch.randperm(len(self.rows))[:self.per_epoch] + self.rows.start
            self.left = torch.cat([self.left, permutation])
        taken, self.left = self.left[:count], self.left[count:]
        return taken


@torch.inference_mode()
def server_step(weights: Tensor, mean: Tensor, velocity: Tensor, o: argparse.Namespace) -> None:
    """Momentum on the mean delta; with a momentum of 0 and a rate of 1 it is plain averaging."""
    velocity.mul_(o.server_momentum).add_(mean)
    weights.add_(velocity, alpha=o.server_eta)


def train(o: argparse.Namespace, letters: Letters) -> None:
    engine = engine_for(o, letters)
    course = Course(engine, letters)
    live = engine.parameters()
    weights = live.clone()
    mean, velocity = torch.zeros_like(weights), torch.zeros_like(weights)
    orders = [Orders(rows, o.batch) for rows in letters.shards]
    etas = SCHEDULES[o.schedule](o.eta, o.steps_per_round * o.rounds)

    @torch.inference_mode()
    def one_round(position: int) -> None:
        part = etas[position * o.steps_per_round:(position + 1) * o.steps_per_round]
        mean.zero_()
        for order in orders:
            live.copy_(weights)
            engine.restart()
            with torch.inference_mode(False):
                engine.train(order.take(o.steps_per_round * o.batch), part)
            mean.add_(live, alpha=1 / len(orders)).sub_(weights, alpha=1 / len(orders))
        server_step(weights, mean, velocity, o)
        live.copy_(weights)

    for position in range(o.rounds):
        course.run(lambda: one_round(position))
        course.validate(position + 1)
    course.report("rounds")


if __name__ == "__main__":
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=20)
    options.add_argument("--steps-per-round", type=int, default=93)
    options.add_argument("--server-eta", type=float, default=0.7)
    options.add_argument("--server-momentum", type=float, default=0.7)
    serve(options, train)

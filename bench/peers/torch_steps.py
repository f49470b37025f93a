#!/usr/bin/python3
"""Samples a second of PyTorch's training steps on one thread, in every variant.

usage: torch_steps.py [NAME... | -]      names are ROW/VARIANT; `-` reads them from stdin
"""
from __future__ import annotations

from functools import partial

import torch

import rate
import torch_by_hand
import torch_modules
from tasks import TASKS, Task

VARIANTS = {
    "modules": torch_modules.trainer,
    "modules-each": partial(torch_modules.trainer, foreach=False),
    "by-hand": torch_by_hand.trainer,
    "by-hand-rows": partial(torch_by_hand.trainer, rows=True),
    "by-hand-script": partial(torch_by_hand.trainer, script=True),
    "by-hand-script-rows": partial(torch_by_hand.trainer, script=True, rows=True),
}


def applies(variant: str, task: Task) -> bool:
    return bool(task.batch) or not variant.endswith("-rows")


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    rate.serve({f"{name}/{variant}": partial(make, task)
                for name, task in TASKS.items()
                for variant, make in VARIANTS.items() if applies(variant, task)})

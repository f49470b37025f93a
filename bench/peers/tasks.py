"""The kernel rows that ours and the peers run alike."""
from __future__ import annotations

from typing import Callable, NamedTuple

import data


class Task(NamedTuple):
    layers: tuple[int, ...]
    batch: int  # 0: all rows in one batch
    optimizer: str
    eta: float  # of the summed gradient for full batches, of the mean otherwise
    rows: Callable[[], data.Rows]


TASKS = {
    "letters_full": Task((16, 24, 26), 0, "sgd", 1e-4, data.letters1),
    "letters_b64": Task((16, 24, 26), 64, "sgd", 0.01, data.letters1_standardized),
    "mlp_16_256_128_26_b64": Task((16, 256, 128, 26), 64, "adam", 1e-3, data.letters1_standardized),
    "mnist_784_512_10_b256": Task((784, 512, 10), 256, "sgd", 0.01, data.mnist_like),
}

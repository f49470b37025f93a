"""How PyTorch trains on the letters: the candidates of which the fastest to an error counts."""
from __future__ import annotations

from typing import NamedTuple

ALL_ROWS, ROUNDS = "torch_time_to_error.py", "torch_rounds.py"


class Recipe(NamedTuple):
    name: str
    script: str
    options: str


def nesterov(hidden: str, batch: int, eta: float, epochs: int) -> Recipe:
    return Recipe(f"Nesterov, {hidden}, batch {batch}, one cycle of {epochs} epochs to {eta}",
                  ALL_ROWS, f"--optimizer nesterov --hidden {hidden} --batch {batch} --eta {eta} "
                            f"--epochs {epochs}")


def adam(epochs: int, eta: float) -> Recipe:
    return Recipe(f"Adam, 256,128, batch 128, one cycle of {epochs} epochs to {eta}",
                  ALL_ROWS, f"--optimizer adam --batch 128 --eta {eta} --epochs {epochs}")


# What people start with; compared on its own besides.
PLAIN_ADAM = adam(15, 0.01)

RECIPES = [
    PLAIN_ADAM,
    adam(11, 0.01),
    adam(9, 0.01),
    adam(5, 0.02),
    nesterov("192,96", 128, 0.8, 5),
    nesterov("192,96", 256, 1.2, 5),
    nesterov("256,128", 128, 0.8, 5),
    nesterov("256,128", 256, 1.2, 6),
    Recipe("11 shards in turn, averaged once an epoch", ROUNDS,
           "--batch 16 --eta 0.1 --steps-per-round 93 --rounds 24 --server-eta 0.7 "
           "--server-momentum 0.7"),
    Recipe("our preset fast: 11 shards in turn, averaged every 9 steps", ROUNDS,
           "--batch 32 --eta 0.6 --momentum 0.8 --label-smoothing 0.05 --steps-per-round 9 "
           "--rounds 62 --server-eta 1 --server-momentum 0.7"),
]

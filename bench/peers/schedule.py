"""Learning rates over a whole training, by the number of its steps."""
from __future__ import annotations

import math


def one_cycle(eta: float, steps: int, warm_up: float = 0.3, start: float = 25.0,
              end: float = 1e4) -> list[float]:
    """Cosine up from eta / start, then down to eta / start / end, as torch's OneCycleLR."""
    def between(a: float, b: float, share: float) -> float:
        return b + (a - b) / 2 * (1 + math.cos(math.pi * share))
    low, top = eta / start, max(1.0, warm_up * steps - 1)
    rest = max(1.0, steps - 1 - top)
    return [between(low, eta, k / top) if k <= top
            else between(eta, low / end, min(1.0, (k - top) / rest)) for k in range(steps)]


def cosine(eta: float, steps: int) -> list[float]:
    return [eta / 2 * (1 + math.cos(math.pi * k / steps)) for k in range(steps)]


def constant(eta: float, steps: int) -> list[float]:
    return [eta] * steps


SCHEDULES = {"one-cycle": one_cycle, "cosine": cosine, "constant": constant}

#!/usr/bin/python3
"""Samples a second of scikit-learn's MLPClassifier on one thread: Adam, batches of 64.

usage: sklearn_steps.py [NAME... | -]      `-` reads the names from stdin
"""
from __future__ import annotations

from functools import partial

from sklearn.neural_network import MLPClassifier

import data
import rate


def trainer(hidden: tuple[int, ...]) -> rate.Trainer:
    rows = data.letters1_standardized()
    model = MLPClassifier(hidden, solver="adam", alpha=0, batch_size=64, random_state=1)
    model.partial_fit(rows.x, rows.labels, classes=range(26))

    def epoch() -> int:
        model.partial_fit(rows.x, rows.labels)
        return len(rows.labels)

    return epoch


if __name__ == "__main__":
    rate.serve({"sklearn_16_24_26_b64": partial(trainer, (24,)),
                "sklearn_16_256_128_26_b64": partial(trainer, (256, 128))})

#!/usr/bin/python3
"""Samples a second of NumPy's full-batch step on one thread, in two layouts of the samples.

Both write into memory that was allocated beforehand. Biases belong to the weights, against a
constant 1 at the end of each layer's input.

usage: numpy_steps.py [NAME... | -]      names are ROW/VARIANT; `-` reads them from stdin
"""
from __future__ import annotations

from functools import partial

import numpy as np

import rate
from tasks import TASKS, Task


def initial(inputs: int, outputs: int) -> np.ndarray:
    draws = np.random.default_rng(1)
    return draws.uniform(-0.01, 0.01, (inputs + 1, outputs)).astype(np.float32)


def with_one(x: np.ndarray) -> np.ndarray:
    return np.hstack([x, np.ones((len(x), 1), np.float32)])


def rows_trainer(task: Task) -> rate.Trainer:
    """A sample a row, as the formulas are mostly written."""
    data = task.rows()
    x, labels, samples = with_one(data.x), data.labels, len(data.labels)
    inputs, hidden, classes = task.layers
    w, v = initial(inputs, hidden), initial(hidden, classes)
    dw, dv = np.empty_like(w), np.empty_like(v)
    z, h = np.empty((samples, hidden), np.float32), np.ones((samples, hidden + 1), np.float32)
    p, dz, mask = np.empty((samples, classes), np.float32), np.empty_like(z), np.empty(z.shape, bool)
    row, column = np.arange(samples), np.empty((samples, 1), np.float32)

    def step() -> int:
        np.dot(x, w, out=z)
        np.maximum(z, 0, out=h[:, :-1])
        np.dot(h, v, out=p)
        np.subtract(p, p.max(axis=1, keepdims=True, out=column), out=p)
        np.exp(p, out=p)
        np.divide(p, p.sum(axis=1, keepdims=True, out=column), out=p)
        np.log(p[row, labels] + 1e-6).sum()
        p[row, labels] -= 1
        np.dot(p, v[:-1].T, out=dz)
        np.multiply(dz, np.greater(z, 0, out=mask), out=dz)
        np.dot(h.T, p, out=dv)
        np.dot(x.T, dz, out=dw)
        np.subtract(v, np.multiply(dv, task.eta, out=dv), out=v)
        np.subtract(w, np.multiply(dw, task.eta, out=dw), out=w)
        return samples

    return step


def columns_trainer(task: Task) -> rate.Trainer:
    """A sample a column: everything about classes runs along vectors."""
    data = task.rows()
    samples = len(data.labels)
    inputs, hidden, classes = task.layers
    x = np.ascontiguousarray(with_one(data.x).T)
    w, v = (np.ascontiguousarray(m.T) for m in (initial(inputs, hidden), initial(hidden, classes)))
    dw, dv = np.empty_like(w), np.empty_like(v)
    h = np.ones((hidden + 1, samples), np.float32)
    z = h[:-1]
    p, dz, mask = np.empty((classes, samples), np.float32), np.empty_like(z), np.empty(z.shape, bool)
    row, flat = np.empty(samples, np.float32), p.reshape(-1)
    own = data.labels * samples + np.arange(samples)

    def step() -> int:
        np.dot(w, x, out=z)
        np.maximum(z, 0, out=z)
        np.dot(v, h, out=p)
        np.subtract(p, np.maximum.reduce(p, axis=0, out=row), out=p)
        np.exp(p, out=p)
        np.add.reduce(p, axis=0, out=row)
        np.multiply(p, np.reciprocal(row, out=row), out=p)
        np.add(np.take(flat, own, out=row, mode="clip"), 1e-6, out=row)
        np.log(row, out=row).sum()
        flat[own] -= 1
        np.dot(v[:, :-1].T, p, out=dz)
        np.multiply(dz, np.greater(z, 0, out=mask), out=dz)
        np.dot(p, h.T, out=dv)
        np.dot(dz, x.T, out=dw)
        np.subtract(v, np.multiply(dv, task.eta, out=dv), out=v)
        np.subtract(w, np.multiply(dw, task.eta, out=dw), out=w)
        return samples

    return step


if __name__ == "__main__":
    full = TASKS["letters_full"]
    rate.serve({"letters_full/rows": partial(rows_trainer, full),
                "letters_full/columns": partial(columns_trainer, full)})

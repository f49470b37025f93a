#!/usr/bin/env python3
"""Writes golden_losses.txt: training runs by NumPy, which tests/ml/golden_losses_test.cc repeats.

An independent implementation of the training rule, in matrices and double precision; the shards are
made by formula, so that both sides have them. Run by hand after a change of the rule:
    python3 tests/data/make_golden_losses.py > tests/data/golden_losses.txt

A case in the file: `case ACTIVATION ETA EPOCHS ROWS UNITS...`, then `losses` with the summed
cross-entropy before each step, then `parameters` in the order of the flat block (per layer the
weight [out, in], then the bias) after the last step.
"""

import numpy as np

# The usual initial weights are so small that a few steps would hardly train.
START_SCALE = 50.0

CASES = [
    ("relu", 0.001, 8, 60, [4, 6, 5]),
    ("relu", 0.0002, 8, 391, [3, 4, 5, 3]),
    ("ml-py", 0.0005, 8, 60, [4, 6, 5]),
    ("relu", 0.0003, 6, 100, [5, 3]),
]


def made_shard(rows, features, classes):
    """Features 0..9 and labels that depend on them."""
    row = np.arange(rows)[:, None]
    column = np.arange(features)[None, :]
    x = (row * 7 + column * 3 + row * column) % 10
    return x.astype(float), (x.sum(axis=1) + x[:, 0]) % classes


def initial_layers(units):
    """Per layer a matrix [1 + in, out], biases in row 0; the last layer is drawn first."""
    random = np.random.RandomState(1)
    layers = [START_SCALE * random.uniform(-0.01, 0.01, (units[n] + 1, units[n + 1]))
              for n in reversed(range(len(units) - 1))]
    return layers[::-1]


def with_ones(x):
    return np.hstack([np.ones((len(x), 1)), x])


def step(layers, x, onehot, activation, eta):
    """The loss of `layers`, and the layers after one step."""
    inputs, sums = [with_ones(x)], []
    for layer in layers:
        sums.append(inputs[-1] @ layer)
        inputs.append(with_ones(np.maximum(sums[-1], 0) if activation == "relu" else sums[-1]))
    exponentials = np.exp(sums[-1] - sums[-1].max(axis=1, keepdims=True))
    y = exponentials / exponentials.sum(axis=1, keepdims=True)
    loss = -np.log((onehot * y).sum(axis=1) + 1e-6).sum()
    delta = onehot - y
    updated = list(layers)
    for n in reversed(range(len(layers))):
        updated[n] = layers[n] + eta * inputs[n].T @ delta
        if n > 0:
            delta = (delta @ layers[n][1:].T) * (sums[n - 1] >= 0)
    return loss, updated


def print_values(name, values):
    print(name, " ".join(repr(float(value)) for value in values))


def main():
    for activation, eta, epochs, rows, units in CASES:
        x, labels = made_shard(rows, units[0], units[-1])
        onehot = np.eye(units[-1])[labels]
        layers = initial_layers(units)
        losses = []
        for _ in range(epochs):
            loss, layers = step(layers, x, onehot, activation, eta)
            losses.append(loss)
        print("case", activation, eta, epochs, rows, *units)
        print_values("losses", losses)
        print_values("parameters", np.concatenate(
            [part for layer in layers for part in (layer[1:].T.ravel(), layer[0])]))


if __name__ == "__main__":
    main()

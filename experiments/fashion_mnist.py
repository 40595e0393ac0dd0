#!/usr/bin/env python3
"""Logistic regression on the pixels of Fashion-MNIST, as a reference for cells that read them one after the other: the
same training, validation and test images, how much the weights are held down chosen on validation data."""

import gzip
import sys
from pathlib import Path

# First: it says in one line which package is missing.
from program import Parser, Problem, reason, run_main

import numpy as np
import pandas
from scipy.optimize import minimize

from files import write_whole

PENALTIES = [1e-5, 1e-4, 1e-3]  # times half the squared weights, beside the mean loss
READS = ["rows", "pixels"]      # it sees both alike


def idx(path):
    """The array in a gzipped IDX file of bytes."""
    try:
        data = gzip.decompress(path.read_bytes())
    except OSError as error:
        raise Problem(f"{path}: {reason(error)}") from error
    if len(data) < 4 or data[:3] != b"\0\0\x08":
        raise Problem(f"{path}: not an IDX file of bytes")
    end = 4 + 4 * data[3]
    sizes = np.frombuffer(data[4:end], ">u4")
    if len(data) - end != sizes.prod():
        raise Problem(f"{path}: {len(data) - end} bytes, its header says {sizes.prod()}")
    return np.frombuffer(data[end:], np.uint8).reshape(sizes)


def images(folder, part):
    """Pixels (N, 785) as numbers up to 1, with a 1 behind them for the constant, and labels (N)."""
    pixels = idx(folder / f"{part}-images-idx3-ubyte.gz")
    rows = pixels.reshape(len(pixels), -1).astype(np.float32) / 255
    return np.hstack([rows, np.ones((len(rows), 1), np.float32)]), idx(folder / f"{part}-labels-idx1-ubyte.gz")


def probabilities(x, weights):
    scores = x @ weights
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True)


def mean_loss(x, labels, weights):
    return -float(np.log(np.maximum(probabilities(x, weights)[np.arange(len(x)), labels], 1e-30)).mean())


def accuracy(x, labels, weights):
    return float(((x @ weights).argmax(axis=1) == labels).mean())


def fit(x, labels, penalty, start, iterations=300):
    """Weights (columns of x, classes) with the least mean loss + penalty / 2 |weights|^2; the constants are free."""
    right = np.zeros((len(x), start.shape[1]), np.float32)
    right[np.arange(len(x)), labels] = 1
    held = np.ones((x.shape[1], 1))
    held[-1] = 0

    def loss(flat):
        weights = flat.reshape(start.shape)
        p = probabilities(x, weights.astype(np.float32))
        value = -np.log(np.maximum(p[np.arange(len(x)), labels], 1e-30)).mean(dtype=float)
        gradient = x.T @ (p - right) / len(x) + penalty * held * weights
        return value + penalty / 2 * (held * weights**2).sum(), gradient.ravel().astype(float)

    return minimize(loss, start.ravel(), jac=True, method="L-BFGS-B",
                    options={"maxiter": iterations}).x.reshape(start.shape).astype(np.float32)


def main(arguments):
    parser = Parser(description=__doc__)
    parser.add_argument("folder", help="with the four IDX files")
    parser.add_argument("--out", required=True, help="CSV of its scores, for forecasts.py merge --references")
    parser.add_argument("--iterations", type=int, default=300, help="of L-BFGS at most (default 300)")
    chosen = parser.parse_args(arguments)
    x, labels = images(Path(chosen.folder), "train")
    held_out = len(x) // 6  # as rlt does
    sets = {"train": (x[:-held_out], labels[:-held_out]), "valid": (x[-held_out:], labels[-held_out:]),
            "test": images(Path(chosen.folder), "t10k")}
    weights = np.zeros((x.shape[1], int(labels.max()) + 1), np.float32)
    best = None
    for penalty in sorted(PENALTIES, reverse=True):  # each from the one before, which was held down more
        weights = fit(*sets["train"], penalty, weights, chosen.iterations)
        loss = mean_loss(*sets["valid"], weights)
        print(f"penalty {penalty:g}: validation loss {loss:.4f}", file=sys.stderr)
        if best is None or loss < best[0]:
            best = loss, weights, penalty
    _, weights, penalty = best
    rows = [{"setting": read, "task": "series_class", "split": split, "forecaster": "logistic regression",
             "penalty": penalty, "loss": mean_loss(*sets[split], weights),
             "sequence_accuracy": accuracy(*sets[split], weights)} for read in READS for split in ("valid", "test")]
    write_whole(Path(chosen.out), pandas.DataFrame(rows).to_csv(index=False).encode())


if __name__ == "__main__":
    sys.exit(run_main(main))

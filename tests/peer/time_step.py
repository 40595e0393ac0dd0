#!/usr/bin/python3
"""Milliseconds of one training step of the PyTorch peer, as CSV: what `rlt bench` measures of rlt.

    tests/peer/time_step.py --cell rdn --d-model 64 --layers 2 --heads 4 --batch 32 --length 50 --threads 2

A step is forward, cross-entropy, backward and Adam. Both times are medians.
"""
import argparse
import statistics
import time

import torch
from torch.nn import functional

import cells

VOCABULARY_IN, VOCABULARY_OUT = 4, 3
WARM_UP = 2
SIZES = ["d_model", "layers", "heads", "ff", "batch", "length", "threads"]


def parse():
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cell", choices=cells.CELLS, required=True)
    for name, default in zip(SIZES, [64, 2, 4, 4, 32, 50, 2]):
        parser.add_argument("--" + name.replace("_", "-"), type=int, default=default)
    parser.add_argument("--read", choices=cells.READS, default="matmul", help="of fast weights")
    parser.add_argument("--prefix", choices=cells.PREFIXES, default="matrix", help="of aaren")
    parser.add_argument("--repeats", type=int, default=7)
    return parser.parse_args()


def milliseconds(work):
    start = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - start)


def main():
    sizes = parse()
    cells.READ, cells.PREFIX = sizes.read, sizes.prefix
    torch.set_num_threads(sizes.threads)
    torch.set_flush_denormal(True)  # as rlt does
    torch.manual_seed(1)
    model = cells.build(sizes.cell, VOCABULARY_IN, VOCABULARY_OUT, sizes.d_model, sizes.layers,
                        sizes.heads, sizes.ff)
    adam = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.995), eps=1e-9)
    tokens = torch.randint(VOCABULARY_IN, (sizes.batch, sizes.length))
    targets = torch.randint(VOCABULARY_OUT, (sizes.batch * sizes.length,))

    def step():
        adam.zero_grad(set_to_none=True)
        functional.cross_entropy(model(tokens).flatten(0, 1), targets).backward()
        adam.step()

    def forward():
        with torch.no_grad():
            model(tokens)

    times = [(milliseconds(step), milliseconds(forward)) for _ in range(WARM_UP + sizes.repeats)]
    medians = [statistics.median(column) for column in zip(*times[WARM_UP:])]
    print(",".join(["cell", *SIZES, "peer_step_ms", "peer_forward_ms"]))
    print(",".join(map(str, [sizes.cell, *(getattr(sizes, name) for name in SIZES), *medians])))


if __name__ == "__main__":
    main()

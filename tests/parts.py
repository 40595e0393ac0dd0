#!/usr/bin/env python3
"""Runs tests in parts, one on each core, prints what they print as they end, and last "P passed, F failed".

    tests/parts.py doctest PROGRAM [OPTION...]    the cases of a doctest program, ten in a part
    tests/parts.py unittest FOLDER...             each test_*.py of the folders, the largest first

A part that ends without its counts (a crash, a file that cannot be imported) is one failure."""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

CASES = 10  # in a part


def output_of(command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          check=False).stdout


def doctest(*program):
    """Yields commands and functions from their output to (passed, failed), or None."""
    counted = re.search(r"(\d+)\s*$", output_of([*program, "--count"]))
    cases = int(counted[1]) if counted else 1  # a program that does not start fails as its first part

    def counts(ran, text):
        found = re.search(r"test cases:.* (\d+) failed", text)  # it counts the cases of all parts as passed
        return found and (ran - int(found[1]), int(found[1]))

    for first in range(1, cases + 1, CASES):
        last = min(first + CASES - 1, cases)
        yield [*program, f"--first={first}", f"--last={last}"], partial(counts, last - first + 1)


def unittest(*folders):
    """The same."""
    def counts(text):
        ran = re.search(r"^Ran (\d+) test", text, re.M)
        named = set(re.findall(r"^(?:FAIL|ERROR): (\w+ \(\S+\))", text, re.M))  # once for all subtests of a test
        failed = max(len(named), "\nFAILED (" in text)
        skipped = sum(map(int, re.findall(r"skipped=(\d+)", text)))
        return ran and (max(0, int(ran[1]) - failed - skipped), failed)

    files = [file for folder in folders for file in Path(folder).glob("test_*.py")]
    for file in sorted(files, key=lambda file: -file.stat().st_size):
        yield [sys.executable, "-m", "unittest", "discover", "-s", str(file.parent), "-p", file.name], counts


def main(kind, *arguments):
    commands, counts = zip(*{"doctest": doctest, "unittest": unittest}[kind](*arguments))
    totals = []
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for command, counts_of, text in zip(commands, counts, pool.map(output_of, commands)):
            print(*command)
            print(text, flush=True)
            totals.append(counts_of(text) or (0, 1))
    passed, failed = map(sum, zip(*totals))
    print(f"{passed} passed, {failed} failed")


main(*sys.argv[1:])

"""Runs the built program, for the tests of the command line."""
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("RLT_PROGRAM", ROOT / "build" / "release" / "rlt"))


def run(*arguments, env=None, cwd=None, timeout=120):
    """The finished process, with text output."""
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, cwd=cwd,
                          env={**os.environ, **(env or {})}, timeout=timeout, check=False)


# A run that takes a fraction of a second.
TINY = ["--task", "parity", "--cell", "deltanet", "--d-model", "16", "--heads", "2", "--layers", "1",
        "--train-size", "64", "--epochs", "2", "--eval-sequences", "20", "--window", "2-12", "--quiet"]

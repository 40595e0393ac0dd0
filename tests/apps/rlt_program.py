"""Runs the built program, for the tests of the command line."""
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("RLT_PROGRAM", ROOT / "build" / "release" / "rlt"))


def run(*arguments, env=None, cwd=None, timeout=120, pass_fds=()):
    """The finished process, with text output."""
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, cwd=cwd,
                          env={**os.environ, **(env or {})}, timeout=timeout, check=False,
                          pass_fds=pass_fds)


# A run that takes a fraction of a second, and what of it goes with the user's own data too.
TINY_MODEL = ["--cell", "deltanet", "--d-model", "16", "--heads", "2", "--layers", "1", "--epochs", "2",
              "--quiet"]
TINY = ["--task", "parity", *TINY_MODEL, "--train-size", "64", "--eval-sequences", "20", "--window", "2-12"]

"""A script as a program: errors in one line, exit codes, results that are written whole."""

import argparse
import contextlib
import importlib.util
import io
import os
import re
import sys
from pathlib import Path

COULD_NOT = 1  # file, disk, data
USAGE = 2
INTERRUPTED = 130

NEEDED = ("matplotlib", "numpy", "pandas")
if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
    sys.exit(f"{Path(sys.argv[0]).name}: {sys.executable} has no {', '.join(missing)}:"
             " experiments/setup.sh figures installs them for /usr/bin/python3")


class Problem(Exception):
    """A message for the user: one line that says what was found and what to do."""

    def __init__(self, message, code=COULD_NOT):
        super().__init__(message)
        self.code = code


class Parser(argparse.ArgumentParser):
    """Help that keeps its examples as written, errors in one line, no abbreviated flags."""

    def __init__(self, **options):
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
                         **options)

    def error(self, message):
        raise Problem(f"{message} (try {self.prog} --help)", USAGE)


def run_main(main):
    """Runs `main(arguments)` as a program and returns its exit code. A Problem becomes one line on
    stderr; what `main` prints goes to stdout when all of it is there, so never half a table."""
    open_missing_streams()
    results, code = io.StringIO(), 0
    try:
        try:
            with contextlib.redirect_stdout(results):
                main(sys.argv[1:])
        except SystemExit as stop:  # --help
            code = stop.code or 0
        put_out(results.getvalue())
    except Problem as problem:
        say(problem)
        code = problem.code
    except MemoryError:
        say("out of memory")
        code = COULD_NOT
    except KeyboardInterrupt:
        say("interrupted")
        code = INTERRUPTED
    return code


def say(message):
    """One line on stderr, behind the name of the script."""
    print(f"{Path(sys.argv[0]).name}: {' '.join(str(message).split())}", file=sys.stderr)


def reason(error):
    """The words of an OSError."""
    return (error.strerror or str(error)).lower()


def open_missing_streams():
    """Where a standard stream is closed, /dev/null: otherwise the next file that is opened takes
    its number, and Python prints messages for a closed stderr among the results."""
    for number, (name, mode) in enumerate([("stdin", "r"), ("stdout", "w"), ("stderr", "w")]):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)
            setattr(sys, name, open(number, mode, encoding="utf-8"))


def put_out(text):
    """`text` on stdout, in UTF-8 whatever the locale."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        # Python writes what is left when it ends, and would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # the reader, say `head`, has seen enough
            raise Problem(f"stdout: {reason(error)}") from error


def name_list(flag, text):
    """The words of a list separated by commas, each once."""
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise Problem(f"{flag} {text!r}: give names separated by commas", USAGE)
    return list(dict.fromkeys(names))


def whole_number(flag, text):
    """A number from 1 of a flag; not what Python takes too, such as 1_0 or 010."""
    if not re.fullmatch("[1-9][0-9]{0,17}", text):
        raise Problem(f"{flag} {text}: give a whole number from 1", USAGE)
    return int(text)

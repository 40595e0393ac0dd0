"""What plot.py and report.py share: reading CSVs, the order of names, errors in one line."""

import argparse
import csv
import io
import os
import re
import sys
from pathlib import Path

import pandas

# The order of cells and tasks in every figure and table is that of their lists in the program; names
# not listed follow by alphabet.
ROOT = Path(__file__).resolve().parents[1]


def listed(table):
    return re.findall(r"^RLT_\w+\((\w+)", (ROOT / table).read_text(encoding="utf-8"), re.MULTILINE)


CELLS = listed("lib/cells/cells.def")
TASKS = listed("tasks/tasks.def")

# A run is known by these columns; one of its eval.csv rows by the longer list.
RUN = ["task", "rule", "protocol", "cell", "options", "seed"]
EVAL_ROW = RUN + ["select", "split", "length_min", "length_max", "step"]

TEXT = {"task", "rule", "protocol", "cell", "options", "select", "split", "data_hash"}
# Settings that are words; `report.py merge --settings` makes columns of them.
TEXT |= {"window", "data", "task-option", "cell-option", "positions", "optimizer", "schedule",
         "precision"}

# A predictor that knows nothing, or only the position; the score is sequence_accuracy.
BASELINES = ["chance_sequence", "best_constant_sequence", "position_majority_sequence"]

COULD_NOT = 1  # file, disk, data
USAGE = 2


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
    """Runs `main(arguments)` as a program: a Problem becomes one line on stderr and a code."""
    try:
        main(sys.argv[1:])
        sys.stdout.flush()
    except Problem as problem:
        line = " ".join(str(problem).split())
        print(f"{Path(sys.argv[0]).name}: {line}", file=sys.stderr)
        return problem.code
    except BrokenPipeError:  # the reader, for example `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


# ---- files

def read_text(path):
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise Problem(f"{path}: {(error.strerror or str(error)).lower()}") from error
    except UnicodeDecodeError as error:
        raise Problem(f"{path}: not a text file") from error


def read_rows(path, required):
    """(header, rows as lists of text) of a CSV that has every column of `required`."""
    lines = read_text(path).splitlines()
    try:
        table = [row for row in csv.reader(lines, strict=True) if row]
    except csv.Error as error:
        raise Problem(f"{path}: not a CSV: {error}") from error
    if not table:
        raise Problem(f"{path}: empty, not even a header")
    header, rows = table[0], table[1:]
    missing = [name for name in required if name not in header]
    if missing:
        word = "column" if len(missing) == 1 else "columns"
        raise Problem(f"{path}: missing {word} {', '.join(missing)}: is it the right CSV?")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise Problem(f"{path}: row {number} has {len(row)} fields, the header {len(header)}")
    return header, rows


def read_frame(paths, required, optional=()):
    """All rows of several CSVs. Numbers are floats (empty: nan); absent optional columns are ""."""
    parts = []
    for path in paths:
        header, rows = read_rows(path, required)
        part = pandas.DataFrame(rows, columns=header, dtype=str)
        for name in header:
            if name not in TEXT:
                part[name] = [to_number(path, name, number, text)
                              for number, text in enumerate(part[name], start=2)]
        for name in optional:
            if name not in header:
                part[name] = ""
        parts.append(part.assign(file=str(path)))
    frame = pandas.concat(parts, ignore_index=True)
    if frame.empty:
        raise Problem(f"{paths[0]}: a header, but no rows")
    return frame


def to_number(path, name, row, text):
    try:
        return float(text) if text else float("nan")
    except ValueError as error:
        raise Problem(f"{path}: row {row}: {name} `{text}` is not a number") from error


def write_aside(path, write):
    """`write(temporary path)`, then rename: a stopped program leaves no half-written file."""
    path = Path(path)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(aside)
        os.replace(aside, path)
    except OSError as error:
        raise Problem(f"{path}: {(error.strerror or str(error)).lower()}") from error
    finally:
        aside.unlink(missing_ok=True)


def write_csv(out, header, rows):
    """`rows`: dictionaries; what a row does not hold is empty. `-`: stdout."""
    text = io.StringIO()
    writer = csv.DictWriter(text, header, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    if out == "-":
        sys.stdout.write(text.getvalue())
    else:
        write_aside(out, lambda aside: aside.write_text(text.getvalue(), encoding="utf-8"))


# ---- rows

def read_scores(arguments, columns):
    """(rows of --splits, --select and --where, what all of them share)."""
    splits = arguments.splits.split(",")
    frame = read_frame(arguments.csv,
                       EVAL_ROW + ["parameters", "state_size", "data_hash", *columns])
    frame = where(choose_checkpoint(frame, arguments.select), arguments.where)
    for split in splits:
        choose(frame, "split", split)
    frame = frame[frame["split"].isin(splits)].copy()
    check_distinct(frame, RUN + ["split"])
    frame, shared = set_aside_shared_options(frame)
    return frame, shared + [one for one in arguments.where if one not in shared]


def choose(frame, column, wanted):
    """Rows with `column` equal to `wanted`; without a wish there must be only one value."""
    found = sorted(frame[column].unique())
    if wanted is None:
        if len(found) > 1:
            raise Problem(f"the rows hold {column} {' and '.join(map(repr, found))}:"
                          f" choose with --{column}", USAGE)
        return frame
    if wanted not in found:
        raise Problem(f"no rows with {column} {wanted!r}: found {', '.join(map(repr, found))}")
    return frame[frame[column] == wanted]


def choose_checkpoint(frame, select):
    """Rows of the checkpoint chosen by `select`, and every failed run whatever the choice."""
    failed = frame[frame["select"] == "failed"]
    others = frame[frame["select"] != "failed"]
    if len(others):
        others = choose(others, "select", select)
    return pandas.concat([others, failed], ignore_index=True)


def where(frame, conditions):
    """Rows that fulfil every `NAME=VALUE`."""
    for condition in conditions:
        kept = frame[fulfilled(frame, condition)]
        if kept.empty:
            name = condition.partition("=")[0]
            found = sorted(map(str, frame[name if name in frame else "options"].unique()))
            raise Problem(f"no rows with {condition}: found {', '.join(map(repr, found))}")
        frame = kept
    return frame


def fulfilled(frame, condition):
    """Whether each row fulfils `NAME=VALUE`; NAME is a column, or one of the options."""
    name, equals, value = condition.partition("=")
    if not equals:
        raise Problem(f"{condition}: a condition must be NAME=VALUE", USAGE)
    if name not in frame:
        return frame["options"].map(lambda text: condition in split_options(text)).astype(bool)
    return frame[name] == (value if name in TEXT else pandas.to_numeric(value, errors="coerce"))


def check_distinct(frame, keys):
    """One observation a row: the same key twice means that runs were mixed up."""
    twice = frame[frame.duplicated(keys, keep=False)]
    if len(twice):
        first = twice.iloc[0]
        same = twice[(twice[keys] == first[keys]).all(axis=1)]
        files = " and ".join(dict.fromkeys(same["file"]))
        raise Problem(f"two rows for {describe(first)} in {files}: give each run once, or choose"
                      " with --where")


def check_shares(frame, metric):
    bad = frame[~frame[metric].between(0, 1)]
    if len(bad):
        row = bad.iloc[0]
        raise Problem(f"{row['file']}: {metric} of {describe(row)} is {row[metric]}: it must be"
                      " from 0 to 1")


def check_same_strings(frame):
    """Scores on different evaluation strings do not stand in one table."""
    for (task, rule, split), rows in frame.groupby(["task", "rule", "split"]):
        known = rows[rows["data_hash"] != ""].drop_duplicates("data_hash")
        if len(known) > 1:
            one, two = known.iloc[0], known.iloc[1]
            raise Problem(f"{task} {split}, rule {rule}: seed {one['seed']:g} of {one['cell']}"
                          f" ({one['file']}) and seed {two['seed']:g} of {two['cell']}"
                          f" ({two['file']}) were tested on different strings (data_hash): choose"
                          " with --where")


def describe(row):
    words = [row["task"], "/".join(filter(None, [row.get("rule"), row.get("protocol")])),
             label(row["cell"], row.get("options", "")), f"seed {row['seed']:g}", row.get("split")]
    return " ".join(word for word in words if word)


def keep_names(frame, column, wanted):
    """Rows whose `column` is one of the comma-separated names; each name must occur."""
    if wanted is None:
        return frame
    names = wanted.split(",")
    found = in_order(frame[column].unique(), CELLS if column == "cell" else TASKS)
    for name in names:
        if name not in found:
            raise Problem(f"no rows with {column} {name!r}: found {', '.join(found)}")
    return frame[frame[column].isin(names)]


# ---- names

def in_order(names, known):
    rank = {name: index for index, name in enumerate(known)}
    return sorted(set(names), key=lambda name: (rank.get(name, len(known)), name))


def series_in_order(frame):
    """The (cell, options) pairs of the rows, cells in their fixed order."""
    pairs = set(zip(frame["cell"], frame["options"]))
    cells = in_order((cell for cell, _ in pairs), CELLS)
    return sorted(pairs, key=lambda pair: (cells.index(pair[0]), pair[1]))


def of_series(frame, pair):
    """Rows of one (cell, options)."""
    return frame[(frame["cell"] == pair[0]) & (frame["options"] == pair[1])]


def label(cell, options):
    """`deltanet` or `deltanet (beta_max=2)`."""
    options = ", ".join(split_options(options))
    return f"{cell} ({options})" if options else cell


def split_options(text):
    return [option for option in text.split(";") if option]


def set_aside_shared_options(frame):
    """(rows without the options that all of them have, these options): what all share, such as
    variables=3, tells none apart and is said once, not in every label."""
    options = frame["options"].map(split_options)
    shared = set.intersection(*map(set, options))
    rest = options.map(lambda each: ";".join(one for one in each if one not in shared))
    return frame.assign(options=rest), sorted(shared)

"""Names of cells, tasks and options: their order in figures and tables, and how they are said."""

import functools
import re
from pathlib import Path

from files import read_text

ROOT = Path(__file__).resolve().parents[1]
TABLES = {"cell": "lib/cells/cells.def", "task": "tasks/tasks.def"}


@functools.cache
def listed(column):
    """The cells or tasks that rlt has, in its own order."""
    return re.findall(r"^RLT_\w+\((\w+)", read_text(ROOT / TABLES[column]), re.MULTILINE)


def in_order(names, column):
    """Names of a column `cell` or `task`; those that rlt does not have follow by alphabet."""
    rank = {name: index for index, name in enumerate(listed(column))}
    return sorted(set(names), key=lambda name: (rank.get(name, len(rank)), name))


def series_in_order(frame):
    """The (cell, options) pairs of the rows, cells in their order."""
    pairs = set(zip(frame["cell"], frame["options"]))
    cells = in_order((cell for cell, _ in pairs), "cell")
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

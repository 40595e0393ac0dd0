"""The rows of runs: choosing among them, and refusing to mix what does not belong together."""

from decimal import Decimal, InvalidOperation

import pandas

from columns import EVAL, EVAL_ROW, RESULTS, RUN, TEXT, TRAIN
from names import in_order, label, set_aside_shared_options, split_options
from program import USAGE, Problem, name_list, say
from sheets import read_frame


def read_scores(arguments, columns):
    """(rows of --splits, --select and --where, what all of them share)."""
    splits = name_list("--splits", arguments.splits)
    frame = read_frame(arguments.csv,
                       EVAL_ROW + ["parameters", "state_size", "data_hash", *columns])
    frame = where(frame, arguments.where)
    for split in splits:
        choose(frame, "split", split)
    frame = choose_checkpoint(frame[frame["split"].isin(splits)], arguments.select)
    check_distinct(frame, RUN + ["split"])
    check_one_model(frame)
    frame, shared = set_aside_shared_options(frame)
    return frame, shared + [one for one in arguments.where if one not in shared]


# ---- choosing

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
    """Rows of the checkpoint chosen by `select`, and every failed run whatever the choice. Says
    which runs were measured with other checkpoints alone."""
    failed = frame[frame["select"] == "failed"]
    others = frame[frame["select"] != "failed"]
    chosen = choose(others, "select", select) if len(others) else others
    both = pandas.concat([chosen, failed], ignore_index=True)
    left_out = others.drop_duplicates(RUN + ["select"]).merge(both[RUN], "left", indicator=True)
    for _, row in left_out[left_out["_merge"] == "left_only"].iterrows():
        say(f"left out {describe(row[RUN])}: measured with select {row['select']!r}, not"
            f" {select!r}")
    return both


def where(frame, conditions):
    """Rows that fulfil every `NAME=VALUE`."""
    for condition in conditions:
        kept = frame[fulfilled(frame, condition)]
        if kept.empty:
            name = condition.partition("=")[0]
            found = sorted(map(str, frame[name if name in frame else "options"].unique()))
            raise Problem(f"no rows with {condition}: found {', '.join(map(repr, found))}"
                          + ("" if name in frame else f" (options; there is no column {name})"))
        frame = kept
    return frame


def fulfilled(frame, condition):
    """Whether each row fulfils `NAME=VALUE`; NAME is a column, or one of the options."""
    name, equals, value = condition.partition("=")
    if not equals:
        raise Problem(f"{condition}: a condition must be NAME=VALUE", USAGE)
    if name not in frame:
        return frame["options"].map(lambda text: condition in split_options(text)).astype(bool)
    if name in TEXT:
        return frame[name] == value
    return frame[name].map(lambda found: str(found) == value
                           or same_number(str(found), value)).astype(bool)


def same_number(one, other):
    """0.001 and 1e-3 are; exact also where a float is not."""
    try:
        return Decimal(one) == Decimal(other)
    except InvalidOperation:
        return False


def keep_names(frame, column, wanted):
    """Rows whose `column` is one of the comma-separated names; each name must occur."""
    if wanted is None:
        return frame
    names = name_list(f"--{column}s", wanted)
    found = in_order(frame[column].unique(), column)
    for name in names:
        if name not in found:
            raise Problem(f"no rows with {column} {name!r}: found {', '.join(found)}")
    return frame[frame[column].isin(names)]


# ---- what does not belong together

def check_distinct(frame, keys):
    """One observation a row: the same key twice means that runs were mixed up."""
    twice = frame[frame.duplicated(keys, keep=False)]
    if len(twice):
        same = like_the_first(twice, keys)
        differ = [f"{name} ({some(same[name].dropna())})" for name in telling(frame)
                  if same[name].nunique() > 1]
        told = f" that differ in {some(differ)}" if differ else ""
        files = " and ".join(dict.fromkeys(same["file"]))
        raise Problem(f"two rows for {describe(same.iloc[0])}{told}, in {files}: give each run"
                      " once, or choose with --where")


def check_one_model(frame, settings=()):
    """All rows of a run are of one model, and seeds of one cell differ in nothing but the seed."""
    added = [name for name in telling(frame) if name not in {*EVAL, *TRAIN, *settings}]
    checkpoint = ["step"] if "select" in frame else []  # a training curve holds many steps
    check_alike(frame, [*RUN, *settings], [*checkpoint, "parameters", *added])
    check_alike(frame, [*(name for name in RUN if name != "seed"), *settings],
                ["parameters", *added])


def check_alike(frame, keys, facts):
    """Rows with the same keys agree in the facts, where these are known."""
    keys = list(dict.fromkeys(keys))
    for name in [name for name in facts if name in frame]:
        known = frame[frame[name].notna() & (frame[name].astype(str) != "")]
        mixed = known[known.groupby(keys, dropna=False)[name].transform("nunique") > 1]
        if len(mixed):
            same = like_the_first(mixed, keys)
            raise Problem(f"two models of {describe(same.iloc[0][keys])}, with {name}"
                          f" {some(same[name])}, in {some(same['file'])}: choose with --where")


def like_the_first(rows, keys):
    """Rows with the same keys as the first one; a missing value is like another."""
    text = rows[keys].astype(str)
    return rows[(text == text.iloc[0]).all(axis=1)]


def telling(frame):
    """Columns that say which model or which strings; not what came out, nor where it was read."""
    return [name for name in frame if name not in RESULTS | {"file", "line"}]


def some(values):
    """The first distinct ones, as text."""
    words = list(dict.fromkeys(map(str, values)))
    return ", ".join(words[:3] + ["..."] * (len(words) > 3))


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
            raise Problem(f"{task} {split}, rule {rule}: seed {one['seed']} of {one['cell']}"
                          f" ({one['file']}) and seed {two['seed']} of {two['cell']}"
                          f" ({two['file']}) were tested on different strings (data_hash): choose"
                          " with --where")


def describe(row):
    """`parity paper/honest rdn seed 1 bin0`, as far as the row tells."""
    known = {name: str(value) for name, value in row.items()}
    length = known.get("length_max") if known.get("split") == "length" else None
    words = [known.get("task"), "/".join(filter(None, [known.get("rule"), known.get("protocol")])),
             label(known["cell"], known.get("options", "")),
             "seed" if "seed" in known else None, known.get("seed"), known.get("split"), length]
    return " ".join(filter(None, words))

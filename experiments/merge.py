"""report.py merge: one tidy CSV from many run folders."""

import math
import os
import re

from columns import BASELINES, EVAL, EVAL_ROW, LATER, RIGHT, RUN, TEXT, TRAIN
from program import USAGE, Problem, name_list, say
from run_folders import find_runs
from sheets import read_rows, to_whole, write_csv

HELP = """\
One tidy CSV from many run folders, sorted by its keys: the same runs give the same bytes.

RUNS are run folders, or folders that hold them at any depth, links followed; a run folder holds
meta.json. A run reached twice counts once. A run that diverged (exit 3), ran out of time (exit 75),
was interrupted (exit 130), could not go on (exit 1) or was killed (no exit) has failed and is not
dropped: its rows have select `failed` and accuracy 0, for every set that other runs on the same
data have; without other runs, for bin0 and bin1. A run that is still going on stops the merge,
unless --allow-unfinished leaves it out. --add-to keeps the rows of a CSV merged before but for the
runs that are merged anew: results of other cells, whose run folders are gone. `--which lengths`
collects RUN/lengths.csv, where `rlt eval --lengths` was told to write it, in the same way. `--which
train` adds the columns rule, protocol and options. --settings makes columns of settings that tell
runs apart and have none of their own.

examples:
  report.py merge runs/formal_languages --out eval.csv
  report.py merge runs/formal_languages --which lengths --out lengths.csv
  report.py merge runs/parity-* --which train --out train.csv
  report.py merge runs/listops --add-to eval.csv --settings window --out eval.csv
  report.py merge runs/sweep --settings lr,d-model --splits bin0,valid --out sweep.csv
"""

SET_FACTS = ["length_min", "length_max", "sequences", "tokens", "chance", "best_constant",
             "position_majority", *BASELINES, "data_hash"]
LATER_SET_FACTS = ["size_min", "size_max", "answers", "answer_constant", "class_bits", "bytes"]
# What tells rows of one run apart, in their order.
ROW = ["select", "split", "size_min", "size_max", "length_min", "length_max", "step"]


def merge(arguments):
    settings = name_list("--settings", arguments.settings) if arguments.settings is not None else []
    splits = name_list("--splits", arguments.splits) if arguments.splits is not None else None
    if own := [one for one in settings if one in EVAL + TRAIN]:
        raise Problem(f"--settings {own[0]}: is a column of its own already", USAGE)
    if splits and arguments.which == "train":
        raise Problem("--splits: train.csv has no splits", USAGE)
    found = finished(find_runs(arguments.runs, settings), arguments.allow_unfinished)
    check_each_once(found)
    name = f"{arguments.which}.csv"
    header, rows = (merged_train if arguments.which == "train" else merged_eval)(found, name)
    if splits:
        rows = of_splits(rows, splits)
    header = list(dict.fromkeys(RUN + settings + header)) if arguments.which == "train" else \
        header + settings
    if arguments.add_to:
        rows += kept(arguments.add_to, RUN + settings, header, found)
    rows.sort(key=lambda row: sort_key(row, RUN + settings + ROW, header))
    write_csv(arguments.out, header, rows,
              inputs=[run.folder / one for run in found for one in (name, "eval.csv")])


def kept(path, keys, header, found):
    """The rows of a CSV merged before that are of none of the runs found."""
    before, rows = read_rows(path, keys)
    if different := (set(before) ^ set(header)) - LATER:
        raise Problem(f"{path}: other columns than those of the runs:"
                      f" {', '.join(sorted(different))}")
    anew = {tuple(run.identity[name] for name in keys) for run in found}
    rows = [dict(zip(before, fields)) for _, fields in rows]
    return [row for row in rows if tuple(row[name] for name in keys) not in anew]


def finished(found, allow_unfinished):
    for run in [run for run in found if run.killed]:
        say(f"{run.folder}: killed (meta.json has no exit, and no program is at work there):"
            " counts as failed")
    left_out = [run for run in found if not run.finished and not run.killed]
    if left_out and not allow_unfinished:
        raise Problem(f"{left_out[0].folder}: not finished ({len(left_out)} of {len(found)}"
                      " runs): wait, or leave them out with --allow-unfinished")
    if len(left_out) == len(found):
        raise Problem(f"none of the {len(found)} runs is finished")
    if left_out:
        say(f"left out {len(left_out)} unfinished of {len(found)} runs")
    return [run for run in found if run not in left_out]


def of_splits(rows, splits):
    kept = [row for row in rows if row["split"] in splits]
    if not kept:
        raise Problem(f"no rows of split {' or '.join(splits)}: found"
                      f" {', '.join(sorted({row['split'] for row in rows}))}")
    return kept


def check_each_once(found):
    seen = {}
    for run in found:
        other = seen.setdefault(tuple(run.identity.values()), run)
        if other is not run:
            raise Problem(f"{other.folder} and {run.folder} are the same run"
                          f" ({' '.join(filter(None, run.identity.values()))}): merge one of them,"
                          " or name what tells them apart with --settings")


# ---- reading the CSVs of runs

class Sheets:
    """CSVs of one kind: their common header, and the rows of each."""

    def __init__(self, required):
        self.required = required
        self.headers = []

    def rows(self, run, name):
        """Rows of the file `name` of a run, as dictionaries of text."""
        path = run.folder / name
        header, rows = read_rows(path, self.required)
        different = (set(header) ^ set((self.headers or [header])[0])) - LATER
        if different:
            raise Problem(f"{path}: other columns than the runs before:"
                          f" {', '.join(sorted(different))}")
        self.headers.append(header)
        rows = [(line, dict(zip(header, fields))) for line, fields in rows]
        for line, row in rows:
            check_own(run, f"{path}: line {line}", row)
        return [row | run.identity for _, row in rows]

    def header(self):
        """The longest of all, and what others have beside it; None when there is none."""
        if not self.headers:
            return None
        longest = max(self.headers, key=lambda names: (len(names), names))
        others = set().union(*self.headers)
        return longest + [name for name in EVAL if name in others and name not in longest]


def check_own(run, place, row):
    """A row of another run in a run's folder would be counted as the run's own."""
    for name in [name for name in RUN if name in row]:
        found = str(to_whole(place, name, row[name])) if name == "seed" else row[name]
        if found != run.identity[name]:
            raise Problem(f"{place}: {name} {found!r}, but the run has {run.identity[name]!r}"
                          " (meta.json): rows of another run?")


def check_one_model(run, name, rows, others=()):
    """One checkpoint is one model, in this file and in the run's eval.csv; each set stands once."""
    seen, sets = {}, set()
    for row in [*others, *rows]:
        model = {one: row.get(one, "") for one in ("step", "parameters")}
        first = seen.setdefault(row["select"], model)
        for one in first:
            if first[one] != model[one]:
                raise Problem(f"{run.folder / name}: rows of two models, {one} {first[one]} and"
                              f" {model[one]} of select {row['select']!r}: measure the run anew")
    for row in rows:
        key = tuple(row.get(one, "") for one in [*ROW, "data_hash"])
        if key in sets:
            raise Problem(f"{run.folder / name}: two rows of {row['split']}"
                          f" {row['length_min']}-{row['length_max']}, select {row['select']!r}:"
                          " measure the run anew")
        sets.add(key)


# ---- merging

def merged_eval(found, name):
    """Rows of the file `name` of all runs; rows with nothing right for those that failed."""
    sheets, rows_of = Sheets(EVAL_ROW + ["sequence_accuracy"] + SET_FACTS), {}
    for run in found:
        path = run.folder / name
        if not os.path.lexists(path) and (run.failed or name == "lengths.csv"):
            continue
        rows = sheets.rows(run, name)
        if not rows and not run.failed:
            raise Problem(f"{path}: a header, but no rows, although the run is done")
        beside = run.folder / "eval.csv"
        check_one_model(run, name, rows, others=Sheets(EVAL_ROW).rows(run, "eval.csv")
                        if name != "eval.csv" and beside.exists() else ())
        rows_of[run] = rows
    if not rows_of and name == "lengths.csv":
        raise Problem(f"no {name} in any of the runs")
    if name == "lengths.csv":
        check_all_measured(found, rows_of)
    unknown = [("bin0", ""), ("bin1", "")] if name == "eval.csv" else []
    merged = []
    for run in found:
        if not run.failed:
            merged += rows_of.get(run, [])
            continue
        peers = [row for other, rows in rows_of.items() for row in rows
                 if other is run or (other.data == run.data and not other.failed)]
        merged += failed_rows(run, peers, unknown)
    return sheets.header() or EVAL, merged


def check_all_measured(found, rows_of):
    """Where some runs of a kind were measured, one that was not must not go missing in silence."""
    def kind(run):
        return run.data, run.identity["protocol"]

    kinds = {kind(run) for run in rows_of}
    for run in found:
        if not run.failed and run not in rows_of and kind(run) in kinds:
            raise Problem(f"{run.folder}: no lengths.csv, but other runs on the same data have one:"
                          " measure it as well (rlt eval RUN --lengths LIST --csv FILE)")


def failed_rows(run, peers, unknown):
    """Accuracy 0 on every evaluation set of the peers, with the facts of the set copied."""
    cell = [row for row in peers
            if all(row[name] == run.identity[name] for name in ("cell", "options"))]
    rows = []
    for split, data in sorted({(row["split"], row["data_hash"]) for row in peers}) or unknown:
        same_set = [row for row in peers if (row["split"], row["data_hash"]) == (split, data)]
        row = {name: agreed(same_set, name) for name in SET_FACTS + LATER_SET_FACTS}
        row |= {name: agreed(cell, name) for name in ("parameters", "state_size")}
        # What is empty for all peers, such as blank_accuracy in a task without blanks, stays so.
        row |= {name: "0" for name in RIGHT
                if not same_set or any(peer.get(name) for peer in same_set)}
        rows.append(row | run.identity | {"split": split, "select": "failed"})
    return rows


def agreed(rows, name):
    """The value that all rows share, or empty."""
    values = {row.get(name, "") for row in rows} - {""}
    return values.pop() if len(values) == 1 else ""


def merged_train(found, name):
    sheets, merged = Sheets(["task", "cell", "seed", "step"]), []
    for run in found:
        there = not run.failed or os.path.lexists(run.folder / name)
        rows = sheets.rows(run, name) if there else []
        if not rows:
            say(f"{run.folder}: ended before the first row of {name}")
        merged += rows
    if not merged:
        raise Problem(f"no rows in {name} of any of the runs")
    return sheets.header(), merged


def sort_key(row, names, header):
    """Numbers by value, words by alphabet; then the whole row, so that no order is left open."""
    return ([value(name, row.get(name, "")) for name in names],
            [row.get(name, "") for name in header])


def value(name, text):
    """(0, number, "") or (1, 0, word); whole numbers are not made floats, which would tie."""
    if name not in TEXT:
        if re.fullmatch("[0-9]{1,300}", text):
            return 0, int(text), ""
        try:
            if not math.isnan(number := float(text)):
                return 0, number, ""
        except ValueError:
            pass
    return 1, 0, text

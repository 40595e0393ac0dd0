"""report.py merge: one tidy CSV from many run folders."""

import json
import math
import sys
import tomllib
from pathlib import Path

import runs
from runs import Problem

HELP = """\
One tidy CSV from many run folders, sorted by its keys: the same runs give the same bytes.

RUNS are run folders, or folders that hold them at any depth; a run folder holds meta.json.
A run that diverged (exit 3) or ran out of time (exit 75) has failed and is not dropped: its rows
have select `failed` and accuracy 0, for every set that other runs on the same data have; without
other runs, for bin0 and bin1. A run that is still going on stops the merge, unless
--allow-unfinished leaves it out. `--which lengths` collects RUN/lengths.csv, where `rlt eval
--lengths` was told to write it, in the same way. `--which train` adds the columns rule, protocol
and options. --settings makes columns of settings that tell runs apart and have none of their own.

examples:
  report.py merge runs/formal_languages --out eval.csv
  report.py merge runs/formal_languages --which lengths --out lengths.csv
  report.py merge runs/parity-* --which train --out train.csv
  report.py merge runs/sweep --settings lr,d-model --splits bin0,valid --out sweep.csv
"""

FAILED = {3, 75}
# Columns that eval.csv did not always have: empty in older rows.
LATER = {"size_min", "size_max", "answers", "answers_correct", "answer_accuracy", "blank_accuracy",
         "bits", "answer_constant", "class_bits"}
SET_FACTS = ["length_min", "length_max", "sequences", "tokens", "chance", "best_constant",
             "position_majority", *runs.BASELINES, "data_hash"]
LATER_SET_FACTS = ["size_min", "size_max", "answers", "answer_constant", "class_bits"]
RIGHT = ["sequences_correct", "tokens_correct", "answers_correct", "token_accuracy",
         "sequence_accuracy", "answer_accuracy", "blank_accuracy"]
ROW = ["select", "split", "size_min", "size_max", "length_min", "length_max", "step"]
WORDS = {"task", "rule", "protocol", "cell", "options", "select", "split"}


class Run:
    def __init__(self, folder, settings):
        self.folder = folder
        path = folder / "meta.json"
        try:
            meta = json.loads(runs.read_text(path))
        except json.JSONDecodeError as error:
            raise Problem(f"{path}: not JSON: {error}") from error
        missing = [name for name in runs.RUN if name not in meta]
        if missing:
            raise Problem(f"{path}: missing {', '.join(missing)}: is it a run folder of rlt?")
        self.failed = meta.get("exit") in FAILED
        self.finished = self.failed or (folder / "DONE").exists()
        config = read_config(folder / "config.toml")
        missing = [name for name in settings if name not in config]
        if missing:
            raise Problem(f"{folder / 'config.toml'}: has no setting {', '.join(missing)}",
                          runs.USAGE)
        self.identity = {name: str(meta[name]) for name in runs.RUN}
        # What decides the evaluation sets, beside the sizes asked for.
        self.data = (self.identity["task"], self.identity["rule"],
                     *(config.get(name, "") for name in ("task-option", "window", "data")))
        self.identity |= {name: config[name] for name in settings}


def read_config(path):
    """All settings of a run as text, numbers as they are written."""
    try:
        config = tomllib.loads(runs.read_text(path), parse_float=str)
    except tomllib.TOMLDecodeError as error:
        raise Problem(f"{path}: not TOML: {error}") from error
    return {name: str(value) for name, value in config.items()}


def find_runs(places, settings):
    folders = set()
    for place in map(Path, places):
        found = {path.parent for path in place.rglob("meta.json")}
        if not found:
            raise Problem(f"{place}: " + ("no run folder in it (no meta.json)" if place.is_dir()
                                          else "no such folder"))
        folders |= found
    return [Run(folder, settings) for folder in sorted(folders)]


def merge(arguments):
    settings = arguments.settings.split(",") if arguments.settings else []
    found = find_runs(arguments.runs, settings)
    unfinished = [run for run in found if not run.finished]
    if unfinished and not arguments.allow_unfinished:
        raise Problem(f"{unfinished[0].folder}: not finished ({len(unfinished)} of {len(found)}"
                      " runs): wait, or leave them out with --allow-unfinished")
    if unfinished:
        print(f"report.py: left out {len(unfinished)} unfinished of {len(found)} runs",
              file=sys.stderr)
    found = [run for run in found if run.finished]
    check_each_once(found)
    if arguments.which == "train":
        header, rows = merged_train(found)
    else:
        header, rows = merged_eval(found, f"{arguments.which}.csv")
    if arguments.splits:
        splits = arguments.splits.split(",")
        rows = [row for row in rows if row["split"] in splits]
    keys = runs.RUN + settings
    header = list(dict.fromkeys(keys + header)) if arguments.which == "train" else \
        header + [name for name in settings if name not in header]
    rows.sort(key=lambda row: sort_key(row, keys + ROW, header))
    runs.write_csv(arguments.out, header, rows)


def check_each_once(found):
    seen = {}
    for run in found:
        other = seen.setdefault(tuple(run.identity.values()), run)
        if other is not run:
            raise Problem(f"{other.folder} and {run.folder} are the same run"
                          f" ({' '.join(filter(None, run.identity.values()))}): merge one of them,"
                          " or name what tells them apart with --settings")


def read_dicts(path, required, expected):
    """(header, rows as dictionaries of text). The header must be the one of the other files, but
    for columns that came later; it is the longer one then."""
    header, rows = runs.read_rows(path, required)
    different = (set(header) ^ set(expected or header)) - LATER
    if different:
        raise Problem(f"{path}: other columns than the runs before:"
                      f" {', '.join(sorted(different))}")
    return max(header, expected or [], key=len), [dict(zip(header, row)) for row in rows]


def merged_eval(found, name):
    """Rows of the file `name` of all runs; rows with nothing right for those that failed."""
    header, rows_of = None, {}
    for run in found:
        path = run.folder / name
        if not path.exists() and (run.failed or name == "lengths.csv"):
            continue
        header, rows = read_dicts(path, runs.EVAL_ROW + ["sequence_accuracy"] + SET_FACTS, header)
        if not rows and not run.failed:
            raise Problem(f"{path}: a header, but no rows, although the run is done")
        rows_of[run] = [row | run.identity for row in rows]
    if header is None:
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
    return header, merged


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


def merged_train(found):
    header, merged = None, []
    for run in found:
        path = run.folder / "train.csv"
        if run.failed and not path.exists():
            continue
        header, rows = read_dicts(path, ["task", "cell", "seed", "step"], header)
        merged += [row | run.identity for row in rows]
    if header is None:
        raise Problem("no train.csv in any of the runs")
    return header, merged


def sort_key(row, names, header):
    """Numbers by value, words by alphabet; then the whole row, so that no order is left open."""
    key = []
    for name in names:
        text = row.get(name, "")
        number = name not in WORDS and is_number(text)
        key.append((0, float(text), "") if number else (1, 0.0, text))
    return key, [row.get(name, "") for name in header]


def is_number(text):
    try:
        return not math.isnan(float(text))
    except ValueError:
        return False

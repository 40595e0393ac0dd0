#!/usr/bin/env python3
"""How far trained runs carry: one CSV of all runs, with the learning rate that is best on training lengths, and a table."""

import sys
from pathlib import Path

# First: it says in one line which package is missing.
from program import Parser, Problem, run_main

import numpy as np
import pandas

from files import write_whole
from frames import add_to, read_one
from names import in_order, label, split_options
from printing import markdown
from report import wilson
from run_folders import find_runs, read_config

SOLVED = 0.99  # share of whole strings right at the lengths of the training from which a run counts as solved
SETTING = ["task", "rule", "task_option", "cell", "options"]  # whose learning rates are compared


def eval_rows(folder):
    """(bin0's row, sequence accuracy by bin) of the best checkpoint; (None, {}) where there is none."""
    path = folder / "eval.csv"
    if not path.exists():
        return None, {}
    frame = pandas.read_csv(path)
    frame = frame[(frame["select"] == "best") & frame["split"].str.fullmatch(r"bin\d+")]
    accuracy = dict(zip(frame["split"], frame["sequence_accuracy"]))
    trained = frame[frame["split"] == "bin0"]
    return (trained.iloc[0] if len(trained) else None), accuracy


def horizon_row(folder):
    """The result of `rlt eval --horizon`, or None."""
    path = folder / "horizon.csv"
    if not path.exists():
        return None
    frame = pandas.read_csv(path)
    found = frame[frame["kind"] == "horizon"]
    return found.iloc[-1] if len(found) else None


def errors_per_million(folder):
    """Of flip_flop: {"errors_0.98": wrong reads of a million where 98 % of the instructions are i, ...}."""
    path = folder / "ignore.csv"
    if not path.exists():
        return {}
    errors = {}
    for _, row in pandas.read_csv(path).iterrows():
        options = dict(one.split("=") for one in split_options(row["options"]))
        errors[f"errors_{options['ignore']}"] = 1e6 * (row["tokens"] - row["tokens_correct"]) / row["tokens"]
    return errors


def row_of(run):
    config = read_config(run.folder / "config.toml")
    task_option = config["task-option"]
    of_task = split_options(task_option.replace(" ", ";").replace(",", ";"))
    row = {"task": run.identity["task"], "rule": run.identity["rule"], "protocol": run.identity["protocol"],
           "task_option": ";".join(of_task), "cell": run.identity["cell"],
           "options": ";".join(one for one in split_options(run.identity["options"]) if one not in of_task),
           "lr": config["lr"], "seed": run.identity["seed"], "failed": run.failed}
    trained, accuracy = eval_rows(run.folder)
    measured = horizon_row(run.folder)
    if trained is not None:
        row |= {name: trained[name] for name in ("parameters", "state_size", "step", "loss")}
    row |= accuracy | errors_per_million(run.folder)
    row["solved"] = bool(not run.failed and accuracy.get("bin0", 0) >= SOLVED)
    if measured is not None:
        row |= {name: measured[name] for name in ("unit", "train_length", "max_length")}
        row |= {"horizon": measured["low"], "upper": measured["high"]}
    return row


# ---- horizon.py merge

def mark_best(frame):
    """`chosen`: whether the run has the learning rate with the largest share of strings right in bin0, mean over seeds
    (ties: the smaller mean loss there). A failed run counts as nothing right. Longer strings are not looked at."""
    scored = frame.assign(right=frame["bin0"].where(~frame["failed"], 0).fillna(0), loss=frame["loss"].fillna(np.inf))
    means = scored.groupby([*SETTING, "lr"], as_index=False)[["right", "loss"]].mean()
    means = means.sort_values([*SETTING, "right", "loss"], ascending=[True] * len(SETTING) + [False, True], kind="stable")
    best = means[~means.duplicated(SETTING)]
    keys = set(best[[*SETTING, "lr"]].itertuples(index=False, name=None))
    return [key in keys for key in frame[[*SETTING, "lr"]].itertuples(index=False, name=None)]


def merge(chosen):
    runs = find_runs(chosen.runs, [])
    pending = [run.folder for run in runs if not run.finished and not run.killed]
    rows = [row_of(run) for run in runs if run.folder not in pending]
    if pending:
        print(f"{Path(sys.argv[0]).name}: still at work: {', '.join(map(str, pending))}", file=sys.stderr)
    unmeasured = [run.folder for run, row in zip([run for run in runs if run.folder not in pending], rows)
                  if "horizon" not in row and not run.failed]
    if unmeasured:
        print(f"{Path(sys.argv[0]).name}: no horizon.csv in {', '.join(map(str, unmeasured))}", file=sys.stderr)
    if not rows:
        raise Problem(f"{', '.join(map(str, chosen.runs))}: no run there has ended")
    facts = ["task", "rule", "protocol", "task_option", "cell", "options", "lr", "seed", "failed", "parameters",
             "state_size", "step", "loss"]
    result = ["solved", "chosen", "unit", "train_length", "horizon", "upper", "max_length"]
    frame = pandas.DataFrame(rows)
    if chosen.add_to:
        frame = add_to(chosen.add_to, frame, [*SETTING, "protocol", "lr", "seed"])
    bins = sorted({name for name in frame.columns if name.startswith(("bin", "errors"))} | {"bin0"})
    frame = frame.reindex(columns=[*facts, *bins, *result])
    frame["chosen"] = mark_best(frame)
    for name in ("parameters", "state_size", "step", "train_length", "horizon", "upper", "max_length"):
        frame[name] = frame[name].astype("Int64")
    frame["order"] = frame["task"].map({name: rank for rank, name in enumerate(in_order(frame["task"], "task"))})
    frame["cell_order"] = frame["cell"].map({name: rank for rank, name in enumerate(in_order(frame["cell"], "cell"))})
    frame["rate"] = frame["lr"].astype(float)
    frame["number"] = frame["seed"].map(int)
    frame = frame.sort_values(["order", "task_option", "cell_order", "options", "rate", "number"], kind="stable")
    frame = frame.drop(columns=["order", "cell_order", "rate", "number"])
    write_whole(Path(chosen.out), frame.to_csv(index=False).encode(), [])
    print(chosen.out)


# ---- horizon.py scores

def reach_text(row):
    """`800`, or `1000000+` where the search came to its end, or `-` where nothing was measured."""
    if np.isnan(row["horizon"]):
        return "-"
    return f"{row['horizon']:.0f}" + ("+" if np.isnan(row["upper"]) else "")


def best_table(groups):
    rows = []
    for name, own in groups:
        best = own[own["chosen"]]
        low, high = wilson(int(best["solved"].sum()), len(best))
        reach = best.sort_values("horizon", ascending=False, na_position="last")
        rows.append([name, best["lr"].iloc[0], f"{best['solved'].sum()}/{len(best)} [{low:.2f}, {high:.2f}]",
                     ", ".join(reach.apply(reach_text, axis=1))])
    return markdown(["cell", "learning rate", "solved", "horizons"], rows)


def spread_table(groups):
    rows = []
    for name, own in groups:
        solved, others = own[own["solved"]].sort_values("horizon"), own[~own["solved"]]
        longer = [column for column in own.columns if column.startswith("bin") and column != "bin0"]
        measured = solved[solved["horizon"].notna()]
        span = [reach_text(measured.iloc[index]) for index in (0, (len(measured) - 1) // 2, -1)] if len(measured) else ["-"]
        rows.append([name, f"{len(solved)}/{len(own)}", int((solved[longer] >= SOLVED).all(axis=1).sum()), ", ".join(span),
                     int(measured["upper"].isna().sum()),
                     f"{others['horizon'].max():.0f}" if others["horizon"].notna().any() else "-"])
    return markdown(["cell", "solved", "of these every longer bin", "least, median, most horizon of these", "to the end",
                     "farthest of the others"], rows)


def scores(chosen):
    """Markdown, two tables per task. Each cell at its best learning rate: the runs that solved the lengths of the training
    with Wilson's 95 % interval, and the horizon of every run, longest first. Each cell over all learning rates: how many
    runs solved, how many of these solved every longer bin too, how far they carry (of an even number of runs the median
    is the lower one in the middle), how many to the end of the search, and the farthest run that did not solve."""
    frame = read_one(chosen.csv, ["lr", "seed", "task_option", "options"])
    parts = []
    for task in in_order(frame["task"], "task"):
        for option in sorted(set(frame.loc[frame["task"] == task, "task_option"])):
            rows = frame[(frame["task"] == task) & (frame["task_option"] == option)]
            length = rows["train_length"].dropna()
            trained = f", trained up to {length.iloc[0]:.0f}" if len(length) else ""
            pairs = sorted(set(zip(rows["cell"], rows["options"])),
                           key=lambda pair: (in_order(rows["cell"], "cell").index(pair[0]), pair[1]))
            groups = [(label(cell, options), rows[(rows["cell"] == cell) & (rows["options"] == options)])
                      for cell, options in pairs]
            parts += [f"{label(task, option)}{trained}, at the learning rate that is best there:", best_table(groups),
                      "Over all learning rates:", spread_table(groups)]
    print("\n\n".join(part.rstrip() for part in parts))


def parser():
    top = Parser(description=__doc__)
    commands = top.add_subparsers(dest="command", required=True, parser_class=Parser)
    one = commands.add_parser("merge", help="one CSV of all runs below folders", description=mark_best.__doc__)
    one.add_argument("runs", nargs="+")
    one.add_argument("--add-to", metavar="CSV", help="keep the rows of a CSV merged before, of other runs than these")
    one.add_argument("--out", required=True)
    one.set_defaults(run=merge)
    one = commands.add_parser("scores", help="each cell at its best learning rate", description=scores.__doc__)
    one.add_argument("csv", help="what merge wrote")
    one.set_defaults(run=scores)
    return top


def main(words):
    chosen = parser().parse_args(words)
    chosen.run(chosen)


if __name__ == "__main__":
    sys.exit(run_main(main))

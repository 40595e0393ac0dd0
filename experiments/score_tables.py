"""report.py scores and report.py best: small tables, and the choice among the runs of a sweep."""

import math

import numpy as np
import pandas

import printing
import runs
from columns import EVAL_ROW, RUN
from names import in_order, label, of_series, series_in_order
from program import USAGE, Problem, name_list
from sheets import read_frame, write_csv

SCORES_HELP = """\
A small table per task, rule and protocol: one row per cell, one column per split and metric. An entry is the
median over seeds and behind it every seed one by one, `97.2 (96.0, 97.2, failed)`. A failed run
(see `report.py merge --help`) counts as accuracy 0, or as bits without end. The last rows hold
what no learning gets: chance, the best single answer, the most frequent class of every position,
and the bits of a guess by the frequencies of the classes.

examples:
  report.py scores eval.csv
  report.py scores --metrics sequence_accuracy,answer_accuracy --where variables=3 eval.csv
  report.py scores --splits valid,test --metrics bits,token_accuracy --format latex eval.csv
"""

# metric: its baselines, a column each, by the name of their row
METRICS = {
    "sequence_accuracy": {"chance": "chance_sequence", "best constant": "best_constant_sequence",
                          "position majority": "position_majority_sequence"},
    "token_accuracy": {"chance": "chance", "best constant": "best_constant",
                       "position majority": "position_majority"},
    "answer_accuracy": {"best constant": "answer_constant"},
    "blank_accuracy": {},
    "bits": {"class frequencies": "class_bits"},
    "loss": {},
}
BASELINE_ROWS = ["chance", "best constant", "position majority", "class frequencies"]
UNBOUNDED = {"bits", "loss"}  # the lower the better; all others are shares


def scores(arguments):
    splits = name_list("--splits", arguments.splits)
    metrics = name_list("--metrics", arguments.metrics)
    for metric in metrics:
        if metric not in METRICS:
            raise Problem(f"--metrics {metric}: must be of {', '.join(METRICS)}", USAGE)
    if "length" in splits:
        raise Problem("--splits length: holds many sizes; `plot.py length` draws them", USAGE)
    columns = {column for metric in metrics for column in [metric, *METRICS[metric].values()]}
    frame, shared = runs.read_scores(arguments, sorted(columns))
    for metric in set(metrics) - UNBOUNDED:
        runs.check_shares(frame.dropna(subset=[metric]), metric)
    runs.check_same_strings(frame)
    paper = printing.Paper(arguments.format)
    for task, rule, protocol, group in by_task(frame):
        paper.heading(", ".join([task, f"rule {rule}", f"protocol {protocol}",
                                 f"checkpoint {arguments.select}", *shared]))
        score_table(paper, group, [(split, metric) for split in splits for metric in metrics])


def by_task(frame):
    for task in in_order(frame["task"].unique(), "task"):
        for (rule, protocol), group in frame[frame["task"] == task].groupby(["rule", "protocol"]):
            yield task, rule, protocol, group


def score_table(paper, frame, columns):
    seeds = sorted(frame["seed"].unique(), key=int)
    rows = []
    for pair in series_in_order(frame):
        one = of_series(frame, pair)
        rows.append([label(*pair), printing.counts(one["parameters"]),
                     printing.counts(one["state_size"])]
                    + [score_entry(one[one["split"] == split], metric, seeds)
                       for split, metric in columns])
    for name in BASELINE_ROWS:
        entries = [baseline_entry(frame[frame["split"] == split], metric, name)
                   for split, metric in columns]
        if set(entries) != {"-"}:
            rows.append([name, "-", "-"] + entries)
    names = ", ".join(seeds)
    paper.paragraph((f"Median over seeds (seeds {names} one by one)" if len(seeds) > 1
                     else f"Seed {names}") + "; accuracies in percent.")
    paper.table(["cell", "parameters", "state"]
                + [f"{split} {metric.removesuffix('_accuracy')}" for split, metric in columns],
                rows)


def score_entry(rows, metric, seeds):
    """`97.2 (96.0, 97.2, failed)`; a seed that was not run is `-`."""
    values, each = [], []
    for seed in seeds:
        row = rows[rows["seed"] == seed]
        if row.empty:
            each.append("-")
        elif row["select"].item() == "failed":
            values.append(math.inf if metric in UNBOUNDED else 0.0)
            each.append("failed")
        else:
            values.append(row[metric].item())
            each.append(as_text(metric, values[-1]))
    if len(each) == 1 or set(each) == {"-"}:
        return each[0]
    return f"{as_text(metric, np.median(values))} ({', '.join(each)})"


def as_text(metric, value):
    if metric not in UNBOUNDED:
        return printing.percent(value)
    return "-" if math.isnan(value) else f"{value:.3f}" if math.isfinite(value) else "failed"


def baseline_entry(rows, metric, name):
    column = METRICS[metric].get(name)
    return as_text(metric, rows[column].max()) if column else "-"


BEST_HELP = """\
The best setting of every cell, chosen on validation data alone: rows of split `valid`, or of bin0,
the training window. All other rows are test data and are left alone.

The highest sequence accuracy wins (median over seeds; a failed run counts as 0), then the lowest
loss; for documents, which nobody gets right as a whole, the lowest loss. The table goes to stdout,
with --out into a CSV too. `report.py merge --settings` makes the CSV of all settings.

examples:
  report.py merge runs/sweep --settings lr,d-model --splits bin0,valid --out sweep.csv
  report.py best --settings lr,d-model --out best.csv sweep.csv
"""

VALIDATION = ["valid", "bin0"]
DOCUMENTS = {"text"}  # tasks of documents


def best(arguments):
    settings = name_list("--settings", arguments.settings)
    frame = read_frame([arguments.csv], EVAL_ROW + settings + [
        "sequence_accuracy", "loss", "parameters", "state_size", "data_hash"])
    frame = frame[frame["split"].isin(VALIDATION)]
    if frame.empty:
        raise Problem(f"{arguments.csv}: no rows of split {' or '.join(VALIDATION)}: there is"
                      " nothing else to choose on")
    frame = runs.choose_checkpoint(runs.where(frame, arguments.where), arguments.select)
    runs.check_distinct(frame, RUN + settings)
    runs.check_one_model(frame, settings)
    runs.check_shares(frame, "sequence_accuracy")
    runs.check_same_strings(frame)
    chosen = [{"task": task, "rule": rule, "protocol": protocol, "cell": pair[0],
               "options": pair[1], **best_setting(of_series(group, pair), settings,
                                                  by_loss=task in DOCUMENTS)}
              for task, rule, protocol, group in by_task(frame)
              for pair in series_in_order(group)]
    if arguments.out is not None:
        write_csv(arguments.out, list(chosen[0]),
                  [{name: plain(value) for name, value in row.items()} for row in chosen],
                  inputs=[arguments.csv])
    print_best(chosen, settings)


def best_setting(rows, settings, by_loss):
    """Facts of the winner among the settings of one cell, medians over its seeds."""
    tried = []
    for values, one in rows.groupby(settings if len(settings) > 1 else settings[0], dropna=False):
        facts = dict(zip(settings, values if isinstance(values, tuple) else [values]))
        facts |= {name: one[name].max() for name in ("parameters", "state_size")}
        tried.append(facts | {"split": one["split"].iloc[0], "seeds": len(one),
                              "sequence_accuracy": one["sequence_accuracy"].median(),
                              "loss": one["loss"].fillna(math.inf).median()})
    winner = min(tried, key=lambda facts: (0 if by_loss else -facts["sequence_accuracy"],
                                           facts["loss"]))
    return winner | {"tried": len(tried)}


def print_best(chosen, settings):
    header = ["task", "rule", "cell", *settings, "tried", "seeds", "chosen on", "sequence", "loss",
              "parameters", "state"]
    rows = [[row["task"], row["rule"], label(row["cell"], row["options"]),
             *(plain(row[name]) for name in settings), row["tried"], row["seeds"], row["split"],
             printing.percent(row["sequence_accuracy"]), as_text("loss", row["loss"]),
             plain(row["parameters"]), plain(row["state_size"])] for row in chosen]
    print(printing.markdown(header, rows, left=3))


def plain(value):
    """Numbers without needless digits; what is unknown or infinite is empty."""
    if pandas.isna(value):
        return ""
    if not isinstance(value, float):
        return str(value)
    return np.format_float_positional(value, trim="-") if math.isfinite(value) else ""

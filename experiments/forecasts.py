#!/usr/bin/env python3
"""Tables of runs on real numbers: which learning rate to choose, every seed's test score beside the references."""

import sys
from pathlib import Path

# First: it says in one line which package is missing.
from program import Parser, Problem, run_main

import numpy as np
import pandas

from files import write_whole
from frames import add_to, read_one
from looks import GREY, look, own_style
from names import in_order
from panels import figure_of, write_figure
from run_folders import read_config, run_folders

# What is reported of each kind of task: column of eval.csv, name, whether a larger one is better.
METRICS = {"events": [("loss", "nats per event", False), ("rmse", "RMSE", False), ("mark_accuracy", "mark accuracy", True)],
           "series": [("mse", "MSE", False), ("mae", "MAE", False)],
           "series_class": [("sequence_accuracy", "accuracy", True)],
           "cartpole_po": [("score", "normalised score", True)]}
# columns of whole numbers
WHOLE = ["parameters", "state_size", "seed", "step", "length_min", "length_max", "sequences", "sequences_correct", "tokens",
         "tokens_correct", "answers", "answers_correct", "numbers", "episodes"]
BASELINES = ("chance", "best_constant", "data_score")


def runs_in(places):
    """eval.csv of every run below the folders `places`, with the folder's name as `setting`; a run without one counts
    as failed and has no row."""
    frames, missing = [], []
    for place in map(Path, places):
        for folder in run_folders(place):
            if not (folder / "eval.csv").exists():
                missing.append(str(folder))
                continue
            frame = pandas.read_csv(folder / "eval.csv")
            frame.insert(0, "setting", place.name)
            config = read_config(folder / "config.toml")
            frame["learning_rate"] = config["lr"]
            if "forecaster" not in frame.columns:
                frame["forecaster"] = "model"
            if "choice" in frame.columns:  # played: drawn actions stand for the test, and no loss is measured on other data
                frame["split"] = np.where(frame["choice"] == "sample", "test", "greedy")
                losses = pandas.read_csv(folder / "train.csv")["loss"]
                learnt = frame.iloc[:1].assign(split="valid", loss=losses[-max(1, len(losses) // 4):].mean())
                frame = pandas.concat([frame, learnt], ignore_index=True)
            frames.append(frame)
    if missing:
        print(f"{Path(sys.argv[0]).name}: no eval.csv in {', '.join(missing)}", file=sys.stderr)
    if not frames:
        raise Problem(f"{', '.join(map(str, places))}: no run there has an eval.csv")
    return pandas.concat(frames, ignore_index=True)


def with_whole_numbers(frame):
    """Counts stay whole numbers beside rows that have none."""
    return frame.assign(**{name: pandas.to_numeric(frame[name]).astype("Int64") for name in WHOLE if name in frame.columns})


def merge(chosen):
    frame = runs_in(chosen.runs)
    if chosen.references:
        others = read_one(chosen.references)
        frame = pandas.concat([frame, others[others["setting"].isin(frame["setting"])]], ignore_index=True)
    frame = with_whole_numbers(frame)
    if chosen.add_to:
        frame = with_whole_numbers(add_to(chosen.add_to, frame, ["setting", "cell", "options", "seed"]))
    write_whole(Path(chosen.out), frame.to_csv(index=False).encode(), [])
    print(chosen.out)


def pick(chosen):
    """For each cell the learning rate with the smallest loss on validation data, or where a run was played, over the last
    quarter of training; all candidates are written."""
    frame = runs_in([chosen.runs])
    frame = frame[(frame["split"] == "valid") & (frame["forecaster"] == "model")]
    table = frame.groupby(["cell", "learning_rate"], as_index=False)["loss"].mean().sort_values(["cell", "loss"])
    table["chosen"] = ~table.duplicated("cell")
    order = {cell: rank for rank, cell in enumerate(in_order(table["cell"], "cell"))}
    table = table.sort_values("cell", key=lambda cells: cells.map(order), kind="stable")
    write_whole(Path(chosen.out), table.to_csv(index=False).encode(), [])
    print(chosen.out)


def number(value):
    return f"{value:.4f}" if abs(value) < 0.1 else f"{value:.3f}"


def entry(values):
    """Median, and every seed in its order."""
    if not len(values):
        return "-"
    return f"{number(np.median(values))} (" + ", ".join(map(number, values)) + ")"


def scores(chosen):
    """Markdown: for each metric a table, one row per cell and reference, one column per setting; test data."""
    frame = read_one(chosen.csv)
    frame = frame[frame["split"] == "test"]
    settings = list(dict.fromkeys(frame["setting"]))
    lines = []
    for column, name, _ in METRICS[frame["task"].iloc[0]]:
        lines += [f"{name}, test data:", "", "| | " + " | ".join(settings) + " |", "|---|" + "---|" * len(settings)]
        models = frame[frame["forecaster"] == "model"]
        for cell in in_order(models["cell"], "cell"):
            of_cell = models[models["cell"] == cell].sort_values("seed")
            texts = [entry(of_cell.loc[of_cell["setting"] == setting, column].to_numpy()) for setting in settings]
            lines.append(f"| {cell} | " + " | ".join(texts) + " |")
        references = frame[frame["forecaster"] != "model"]
        for reference in dict.fromkeys(references["forecaster"]):
            own = references[references["forecaster"] == reference]
            texts = [own.loc[own["setting"] == setting, column] for setting in settings]
            lines.append(f"| *{reference}* | "
                         + " | ".join("-" if text.isna().all() else number(text.iloc[0]) for text in texts) + " |")
        for baseline in (known for known in BASELINES if known in frame.columns):
            texts = [number(frame.loc[frame["setting"] == setting, baseline].iloc[0]) for setting in settings]
            lines.append(f"| *{baseline.replace('_', ' ')}* | " + " | ".join(texts) + " |")
        lines.append("")
    print("\n".join(lines).rstrip())


# Lines of the references; of BASELINES only chance is drawn.
LINES = {"oracle": "-", "linear": "--", "poisson": "--", "logistic regression": "--", "seasonal_naive": ":", "repeat_last": "-.",
         "chance": ":"}


def figure(chosen):
    """One panel per setting, its own scale: the first metric on test data, a point per seed, the references as grey lines
    where they are better than a cell, or near it. What a better score is, the label says."""
    frame = read_one(chosen.csv)
    frame = frame[frame["split"] == "test"]
    column, name, larger = METRICS[frame["task"].iloc[0]][0]
    models = frame[frame["forecaster"] == "model"]
    cells = in_order(models["cell"], "cell")

    def draw(axes, setting):
        own = models[models["setting"] == setting]
        for place, cell in enumerate(cells):
            values = own.loc[own["cell"] == cell].sort_values("seed")[column]
            colour, _, marker = look(cell)
            axes.plot(place + np.linspace(-0.25, 0.25, len(values)), values, color=colour, marker=marker, linestyle="none",
                      markersize=4, label=cell)
        others = frame[(frame["setting"] == setting) & (frame["forecaster"] != "model")]
        levels = others.groupby("forecaster")[column].first()
        if "chance" in own.columns:
            levels["chance"] = own["chance"].iloc[0]
        low, high = own[column].min(), own[column].max()
        if len(levels) and larger:
            high = max(high, levels.max())
        elif len(levels):
            low = min(low, levels.min())
        room = 0.15 * (high - low) + 1e-3
        axes.set_ylim(low - room, high + room)
        for reference, line in LINES.items():
            if low - room < levels.get(reference, np.inf) < high + room:
                axes.axhline(levels[reference], color=GREY, linestyle=line, linewidth=1, label=reference)
        axes.set_xticks([])

    direction = "more is better" if larger else "less is better"
    with own_style():
        write_figure(chosen.out, figure_of(list(dict.fromkeys(models["setting"])), draw, "", f"{name}, {direction}",
                                           sharey=False), [chosen.csv])


def parser():
    top = Parser(description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    one = commands.add_parser("merge", help="one CSV from many run folders")
    one.add_argument("runs", nargs="+", help="folders, each of one setting")
    one.add_argument("--add-to", metavar="CSV", help="keep the rows of a CSV merged before, of other runs than these")
    one.add_argument("--references", help="CSV of references that no run has in its own eval.csv")
    one.add_argument("--out", required=True)
    one.set_defaults(run=merge)
    one = commands.add_parser("pick", help="the learning rate of each cell with the smallest validation loss")
    one.add_argument("runs", help="folder of the candidates of one setting")
    one.add_argument("--out", required=True)
    one.set_defaults(run=pick)
    one = commands.add_parser("scores", help="test scores of every seed as Markdown")
    one.add_argument("csv", help="what merge wrote")
    one.set_defaults(run=scores)
    one = commands.add_parser("figure", help="test scores of every seed as SVG", description=figure.__doc__)
    one.add_argument("csv", help="what merge wrote")
    one.add_argument("--out", required=True)
    one.set_defaults(run=figure)
    return top


def main(words):
    chosen = parser().parse_args(words)
    chosen.run(chosen)


if __name__ == "__main__":
    sys.exit(run_main(main))

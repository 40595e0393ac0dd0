#!/usr/bin/env python3
"""Tables and figures of runs in environments: which settings to choose, scores, learning curves, success by size."""

import math
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
from report import wilson
from run_folders import read_config, run_folders

SOLVED = 0.9  # share of episodes with the goal reached from which a seed counts as having solved the task
# Settings of a run that become columns, and what these are called.
CONFIG = {"task": "task", "learner": "learner", "cell": "cell", "lr": "lr", "entropy": "entropy_coefficient",
          "seed": "seed", "task-option": "task_option"}


def runs_in(place, name):
    """The CSV `name` of every run below `place`, rows behind the settings of the run; a run without one counts as
    failed and has no row."""
    frames, missing = [], []
    for folder in run_folders(place):
        config = read_config(folder / "config.toml")
        path = folder / name
        if not path.exists():
            missing.append(str(folder))
            continue
        frame = pandas.read_csv(path)
        for setting, column in reversed(CONFIG.items()):
            if column in frame.columns:
                frame[column] = config[setting]
            else:
                frame.insert(0, column, config[setting])
        frame["run"] = str(folder)
        frames.append(frame)
    if missing:
        print(f"{Path(sys.argv[0]).name}: no {name} in {', '.join(missing)}", file=sys.stderr)
    if not frames:
        raise Problem(f"{place}: no run there has a {name}")
    return pandas.concat(frames, ignore_index=True)


def read_merged(path):
    return read_one(path, ["lr", "entropy_coefficient", "task_option"])


# ---- acting.py merge

def merge(chosen):
    frame = runs_in(chosen.runs, chosen.which + ".csv").drop(columns="run")
    if chosen.add_to:
        frame = add_to(chosen.add_to, frame, list(CONFIG.values()))
    write_whole(Path(chosen.out), frame.to_csv(index=False).encode(), [])
    print(chosen.out)


# ---- acting.py pick

def pick(chosen):
    """For each cell the settings with the best training success (over the last quarter of training; ties: the better
    return). All candidates are written, `chosen` marks one of each cell."""
    frame = runs_in(chosen.runs, "train.csv")
    key = ["cell", "lr", "entropy_coefficient"]
    last = frame[frame["tokens"] > 0.75 * frame.groupby("run")["tokens"].transform("max")]
    sums = last.groupby(key)[["episodes", "successes"]].sum()
    returns = last.assign(total=last["return"].fillna(0) * last["episodes"]).groupby(key)["total"].sum()
    table = sums.assign(success=sums["successes"] / sums["episodes"].clip(lower=1),
                        **{"return": returns / sums["episodes"].clip(lower=1)}).reset_index()
    table = table.sort_values(["cell", "success", "return"], ascending=[True, False, False])
    table["chosen"] = ~table.duplicated("cell")
    order = {cell: rank for rank, cell in enumerate(in_order(table["cell"], "cell"))}
    table = table.sort_values("cell", key=lambda cells: cells.map(order), kind="stable")
    write_whole(Path(chosen.out), table.to_csv(index=False).encode(), [])
    print(chosen.out)


# ---- acting.py scores

def seeds_text(values):
    return ", ".join(f"{100 * value:.0f}" for value in values)


def column_of(row):
    """Title of the column of a row: the task, with the size played where it has one, else with its options."""
    if not np.isnan(row["size"]):
        return f"{row['task']} {row['size']:.0f}"
    return " ".join([row["task"], *row["task_option"].split()])


def scores(chosen):
    """Markdown: one row per cell, one column per task and size or option: the success of every seed in percent and how
    many solved it; the median return and that of every seed where a task knows no success."""
    frame = read_merged(chosen.csv)
    frame = frame[frame["choice"] == chosen.choice]
    frame["column"] = frame.apply(column_of, axis=1)
    columns = sorted(set(frame["column"]), key=natural)
    lines = ["| cell | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    for cell in in_order(frame["cell"], "cell"):
        texts = []
        for column in columns:
            rows = frame[(frame["cell"] == cell) & (frame["column"] == column)].sort_values("seed")
            if rows.empty:
                texts.append("-")
            elif rows["success"].isna().any() or chosen.returns:
                values = rows["return"].to_numpy()
                texts.append(f"{np.median(values):.2f} (" + ", ".join(f"{v:.2f}" for v in values) + ")")
            else:
                values = rows["success"].to_numpy()
                solved = int((values >= SOLVED).sum())
                low, high = wilson(solved, len(values))
                texts.append(f"{solved}/{len(values)} [{low:.2f}, {high:.2f}] ({seeds_text(values)})")
        lines.append(f"| {cell} | " + " | ".join(texts) + " |")
    best = frame.groupby("column")[["best_return", "random_return", "memoryless_return"]].first()
    for name in ("best_return", "memoryless_return", "random_return"):
        values = [best.loc[column, name] for column in columns]
        lines.append(f"| *{name.replace('_', ' ')}* | " + " | ".join("-" if np.isnan(v) else f"{v:.2f}" for v in values) + " |")
    print("\n".join(lines))


# ---- acting.py ends

def ends(chosen):
    """Markdown: training success in percent over the last tenth of the steps, every seed: a policy that was solved and
    fell back shows here, not in the scores of the best checkpoint."""
    frame = read_merged(chosen.csv)
    frame["panel"] = panels_of(frame)
    frame = frame[frame["tokens"] > 0.9 * frame["tokens"].max()]
    sums = frame.groupby(["cell", "panel", "seed"])[["successes", "episodes"]].sum()
    share = sums["successes"] / sums["episodes"].clip(lower=1)
    panels = sorted(set(frame["panel"]), key=natural)
    print("| cell | " + " | ".join(panels) + " |")
    print("|---|" + "---|" * len(panels))
    for cell in in_order(frame["cell"], "cell"):
        print(f"| {cell} | " + " | ".join(seeds_text(share[cell, panel]) for panel in panels) + " |")


# ---- figures

def panels_of(frame):
    """Name of the panel of each row: the task and its options."""
    return frame["task"] + frame["task_option"].map(lambda text: f" {text}" if text else "")


def curves(chosen):
    """Means over the episodes of each fortieth of the steps: successes, but returns where a task knows no success."""
    frame = read_merged(chosen.csv)
    frame["panel"] = panels_of(frame)
    column = "success" if (frame.groupby("panel")["success"].max() > 0).all() else "return"
    span = math.ceil(frame["tokens"].max() / 40)
    frame["bin"] = ((frame["tokens"] - 1) // span * span + span / 2) / 1e6
    frame["total"] = frame[column].fillna(0) * frame["episodes"]

    def draw(axes, panel):
        rows = frame[frame["panel"] == panel]
        for cell in in_order(rows["cell"], "cell"):
            sums = rows[rows["cell"] == cell].groupby(["seed", "bin"])[["total", "episodes"]].sum()
            of_seeds = (sums["total"] / sums["episodes"]).unstack("seed")
            colour, line, _ = look(cell)
            for seed in of_seeds:
                axes.plot(of_seeds.index, of_seeds[seed], color=colour, linewidth=0.4, alpha=0.5)
            axes.plot(of_seeds.index, of_seeds.median(axis=1), color=colour, linestyle=line, label=cell)
        if column == "success":
            axes.axhline(0.5, color=GREY, linewidth=0.6, linestyle=":")
            axes.set_ylim(-0.03, 1.03)

    write_figure(chosen.out, figure_of(sorted(set(frame["panel"]), key=natural), draw,
                                       "million environment steps", column + " in training"), [chosen.csv])


def natural(text):
    return [int(part) if part.isdigit() else part for part in
            "".join(c if c.isdigit() else f"\0{c}\0" for c in text).replace("\0\0", "").split("\0")]


def sizes(chosen):
    frame = read_merged(chosen.csv)
    frame = frame[frame["choice"] == chosen.choice]
    frame["panel"] = panels_of(frame)

    def draw(axes, panel):
        rows = frame[frame["panel"] == panel]
        for cell in in_order(rows["cell"], "cell"):
            of_seeds = rows[rows["cell"] == cell].pivot_table(index="size", columns="seed", values="success")
            colour, line, marker = look(cell)
            axes.plot(of_seeds.index, of_seeds.median(axis=1), color=colour, linestyle=line, marker=marker,
                      markersize=3, label=cell)
        axes.axhline(0.5, color=GREY, linewidth=0.6, linestyle=":")
        axes.set_ylim(-0.03, 1.03)

    write_figure(chosen.out, figure_of(sorted(set(frame["panel"]), key=natural), draw, "corridor",
                                       "success, median over seeds"), [chosen.csv])


def main(arguments):
    parser = Parser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, parser_class=Parser)
    command = commands.add_parser("merge", description="One CSV of all runs below a folder.")
    command.add_argument("runs")
    command.add_argument("--which", default="eval", choices=["eval", "lengths", "train"])
    command.add_argument("--add-to", metavar="CSV", help="keep the rows of a CSV merged before, of other runs than these")
    command.add_argument("--out", required=True)
    command.set_defaults(run=merge)
    command = commands.add_parser("pick", description=pick.__doc__)
    command.add_argument("runs")
    command.add_argument("--out", required=True)
    command.set_defaults(run=pick)
    command = commands.add_parser("scores", description=scores.__doc__)
    command.add_argument("csv")
    command.add_argument("--choice", default="sample", choices=["sample", "greedy"])
    command.add_argument("--returns", action="store_true", help="returns, also of tasks that know success")
    command.set_defaults(run=scores)
    command = commands.add_parser("ends", description=ends.__doc__)
    command.add_argument("csv", help="of `merge --which train`")
    command.set_defaults(run=ends)
    command = commands.add_parser("curves", description="Training success against steps, one panel per task.")
    command.add_argument("csv", help="of `merge --which train`")
    command.add_argument("--out", required=True)
    command.set_defaults(run=curves)
    command = commands.add_parser("sizes", description="Success against size, one panel per training size.")
    command.add_argument("csv", help="of `merge --which lengths`")
    command.add_argument("--choice", default="sample", choices=["sample", "greedy"])
    command.add_argument("--out", required=True)
    command.set_defaults(run=sizes)
    chosen = parser.parse_args(arguments)
    with own_style():
        chosen.run(chosen)


if __name__ == "__main__":
    sys.exit(run_main(main))

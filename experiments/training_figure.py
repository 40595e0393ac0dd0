"""plot.py train: loss or accuracy during training."""

import math

import numpy as np
from matplotlib.ticker import EngFormatter, MaxNLocator, NullFormatter

import runs
from columns import RUN
from looks import looks_of
from names import in_order, label, of_series, series_in_order, set_aside_shared_options
from page import ROUND, Page, chosen_rows, draw_series, key, seeds_apart, seeds_caption
from program import Problem
from sheets import read_frame

ABOUT = "loss or accuracy during training"
HELP = """\
Training curves, one panel per task, one colour per cell: median line, lowest to highest band, a thin
line per seed. A seed that stopped early keeps its last value, so that the median at every step is
over the same seeds. With more than 150 logged steps, neighbouring steps are averaged.
With `--against wall` the median value of each step stands at the median time of that step.

examples:
  plot.py train --out loss.svg runs/parity-rdn-*/train.csv
  plot.py train --out accuracy.svg --metric sequence --against wall train.csv
"""

MOST_POINTS = 150
AGAINST = {"step": ("step", "step"), "tokens": ("tokens", "tokens"),
           "wall": ("wall_s", "wall time (s)")}
METRICS = {"loss": ("loss", "training loss", 1),
           "token": ("token_accuracy", "training token accuracy (%)", 100),
           "sequence": ("sequence_accuracy", "training sequence accuracy (%)", 100)}


def add_arguments(command):
    command.add_argument("--metric", choices=list(METRICS), default="loss",
                         help="what to draw (default loss, on a logarithmic axis)")
    command.add_argument("--against", choices=list(AGAINST), default="step",
                         help="what runs to the right (default step)")


def draw(arguments):
    value, value_label, scale = METRICS[arguments.metric]
    x, x_label = AGAINST[arguments.against]
    frame = read_frame(arguments.csv, ["task", "cell", "seed", "step", x, value],
                       optional=["rule", "protocol", "options"])
    frame = chosen_rows(frame, arguments).astype({"step": float, x: float})
    runs.check_distinct(frame, RUN + ["step"])
    runs.check_one_model(frame)
    check_one_file(frame)
    frame[value] = frame[value].where(np.isfinite(frame[value])) * scale
    if frame[value].isna().all():
        raise Problem(f"{arguments.csv[0]}: no finite value of {value}")
    frame, shared = set_aside_shared_options(frame)
    frame, averaged = thin_out(frame, sorted({x, value}))

    page = Page(in_order(frame["task"].unique(), "task"), arguments.columns)
    looks = looks_of(series_in_order(frame))
    for task, axes in page.axes.items():
        rows = frame[frame["task"] == task]
        for place, (pair, style) in enumerate(looks.items()):
            one = of_series(rows, pair)
            if one[value].notna().any():
                draw_series(axes, training_curves(one, x, value), style, place, len(looks))
        axes.xaxis.set_major_locator(MaxNLocator(4, steps=ROUND))
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))  # 5k, 10k
        if scale == 100:
            axes.set_ylim(-3, 103)
            axes.set_yticks([0, 25, 50, 75, 100])
    if arguments.metric == "loss" and (frame[value].dropna() > 0).all():
        for axes in page.axes.values():
            axes.set_yscale("log")
            axes.yaxis.set_minor_formatter(NullFormatter())
    page.label(x_label, value_label)
    tail = f" Each point averages {averaged} logged steps." if averaged > 1 else ""
    page.finish([key(label(*pair), style) for pair, style in looks.items()], [],
                seeds_caption(frame, shared, tail))
    page.save(arguments.out, arguments.csv)


def check_one_file(frame):
    """The curve of a run stands in one file: two that log other steps would be drawn as one."""
    files = frame.groupby(RUN)["file"].transform("nunique")
    if (files > 1).any():
        same = runs.like_the_first(frame[files > 1], RUN)
        raise Problem(f"{' and '.join(dict.fromkeys(same['file']))}: both hold"
                      f" {runs.describe(same.iloc[0])}: give each run once")


def thin_out(frame, columns):
    """Means over neighbouring logged steps of a task, so that a curve has at most MOST_POINTS."""
    ranks = frame.groupby("task")["step"].rank(method="dense")
    width = max(1, math.ceil(ranks.max() / MOST_POINTS))
    if width == 1:
        return frame, 1
    columns = sorted(set(columns) | {"step"})
    groups = RUN + ["part"]
    part = ((ranks - 1) // width).astype(int)
    means = frame.assign(part=part).groupby(groups, as_index=False)[columns].mean()
    # Every seed of a task must share its x: the mean step of the part over all of them.
    means["step"] = means.groupby(["task", "part"])["step"].transform("mean")
    return means, width


def training_curves(rows, x, value):
    """Seeds side by side; a seed that stopped keeps its last value."""
    curves = seeds_apart(rows, "step", value).ffill()
    if x != "step":
        places = seeds_apart(rows, "step", x).median(axis=1)
        curves.index = places.cummax().reindex(curves.index).to_numpy()
    return curves

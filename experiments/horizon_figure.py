"""plot.py horizon: how far every run carries."""

import math

from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter

import runs
from columns import RUN
from looks import DASHED, DOTTED, GREY, looks_of
from names import in_order, label, of_series, series_in_order
from page import Page, chosen_rows, key
from program import Problem
from sheets import read_frame

ABOUT = "how far every run carries"
HELP = """\
The horizon of every run: the longest strings that it still gets right, on a logarithmic axis; one
panel per task, one group of points per cell in the order of the legend, in it the learning rates
from left to right, one point per run. Filled: the run solved the lengths of the training; hollow: it
did not. Runs that are right at no length, or that failed, lie on the ground. Dashed: the longest
string of the training; dotted: the end of the search. Reads what `horizon.py merge` writes.

examples:
  horizon.py merge runs/horizon --out horizon.csv
  plot.py horizon --out horizon.svg horizon.csv
  plot.py horizon --out best.svg --best --tasks parity horizon.csv
"""

GROUND = 0.6  # where 0 lies on the logarithmic axis
ROW = RUN + ["task_option", "lr", "failed", "solved", "chosen", "train_length", "horizon", "upper",
             "max_length"]


def add_arguments(command):
    command.add_argument("--best", action="store_true",
                         help="only the learning rate that is best on training lengths")


def draw(arguments):
    frame = chosen_rows(read_frame(arguments.csv, ROW), arguments)
    if arguments.best:
        frame = frame[frame["chosen"] == "True"]
    runs.check_distinct(frame, RUN + ["task_option", "lr"])
    if frame["horizon"].isna().all():
        raise Problem(f"{arguments.csv[0]}: no horizon: `rlt eval RUN --horizon` finds it")
    frame = frame[frame["horizon"].notna() | (frame["failed"] == "True")]  # not yet searched
    frame["panel"] = [label(*pair) for pair in zip(frame["task"], frame["task_option"])]
    panels = [panel for task in in_order(frame["task"].unique(), "task")
              for panel in dict.fromkeys(frame.loc[frame["task"] == task, "panel"])]

    page = Page(panels, arguments.columns)
    looks = looks_of(series_in_order(frame))
    rates = sorted(set(frame["lr"]))
    for panel, axes in page.axes.items():
        rows = frame[frame["panel"] == panel]
        for place, (pair, style) in enumerate(looks.items()):
            draw_horizons(axes, of_series(rows, pair), place, rates, style)
        for column, line in (("train_length", DASHED), ("max_length", DOTTED)):
            for length in rows[column].dropna().unique():
                axes.axhline(length, color=GREY, linestyle=line, linewidth=0.8, zorder=1.5)
        axes.set_yscale("log")
        axes.set_ylim(GROUND / 1.6, 2 * frame["max_length"].max())
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_xlim(-0.6, len(looks) - 0.4)
        axes.set_xticks([])
    page.label("", "horizon")
    page.finish([key(label(*pair), style) for pair, style in looks.items()], horizon_keys(),
                horizon_caption(rates))
    page.save(arguments.out, arguments.csv)


def draw_horizons(axes, rows, place, rates, style):
    """The points of one cell around `place`: rates side by side, seeds of a rate closely so."""
    width = 0.8 / len(rates)
    for rate, own in rows.groupby("lr"):
        start = place - 0.4 + width * (rates.index(rate) + 0.5)
        for number, (_, row) in enumerate(own.sort_values("horizon").iterrows()):
            x = start + 0.7 * width * ((number + 0.5) / len(own) - 0.5)
            reached = GROUND if math.isnan(row["horizon"]) else max(row["horizon"], GROUND)
            face = style[0] if row["solved"] == "True" else "white"
            axes.plot(x, reached, linestyle="none", marker=style[2], markersize=3.6,
                      color=style[0], markerfacecolor=face, markeredgewidth=0.6, zorder=4,
                      clip_on=False)


def horizon_keys():
    dark = {"color": "#444444", "linestyle": "none", "marker": "o", "markersize": 4.2}
    return [Line2D([], [], label="solved", **dark),
            Line2D([], [], label="not solved", markerfacecolor="white", **dark),
            Line2D([], [], color=GREY, linestyle=DASHED, linewidth=1, label="training"),
            Line2D([], [], color=GREY, linestyle=DOTTED, linewidth=1, label="end of the search")]


def horizon_caption(rates):
    shown = ", ".join(f"{rate:g}" for rate in rates)
    if len(rates) == 1:
        return f"One point per run. Learning rate {shown}."
    return f"One point per run. Learning rates of a cell from left to right: {shown}."

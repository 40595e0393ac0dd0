#!/usr/bin/env python3
"""Figures from the CSVs of rlt: accuracy against length, training curves, horizons, and bits by position."""

import io
import itertools
import math
import re
import sys
import textwrap
import zlib
from pathlib import Path

# First: it says in one line which package is missing.
from program import USAGE, Parser, Problem, run_main, whole_number

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, MaxNLocator, NullFormatter

import runs
from columns import EVAL_ROW, RUN
from files import write_whole
from names import in_order, label, of_series, series_in_order, set_aside_shared_options
from sheets import read_frame

# ---- looks

SOLID, DASHED, DOTTED = "-", (0, (4, 1.4)), (0, (1, 1.2))
DASH_DOT, DASH_DOT_DOT = (0, (5, 1.3, 1, 1.3)), (0, (4, 1.2, 1, 1.2, 1, 1.2))
THREE_POINTS, FOUR_POINTS = (3, 1, 0), (4, 1, 0)
FIVE_POINTS, SIX_POINTS, SEVEN_POINTS = (5, 2, 0), (6, 1, 0), (7, 2, 0)

# cell: colour, line, marker. Okabe and Ito's colours (without yellow) and wine: the first eight
# stay apart under every kind of colour blindness; line and marker tell them apart in grey print.
LOOKS = {
    "lstm": ("#0072B2", SOLID, "o"),
    "elstm": ("#56B4E9", DASHED, "s"),
    "transformer": ("#D55E00", SOLID, "^"),
    "transformer_preln": ("#E69F00", DASHED, "v"),
    "linear": ("#CC79A7", SOLID, "D"),
    "deltanet": ("#009E73", DASH_DOT, "P"),
    "rdn": ("#882255", DASHED, "X"),
    "srwm": ("#000000", DOTTED, "*"),
    "delta_rnn": ("#999933", SOLID, "<"),
    "delta_lstm": ("#332288", DASH_DOT_DOT, ">"),
    "delta_mlp": ("#AA6F3B", DASH_DOT, "h"),
    "galite": ("#F4A6C8", SOLID, "H"),
    "agalite": ("#E41A7D", DASHED, "8"),
    "gru": ("#44AA99", DASHED, "p"),
    "elman": ("#7F7F00", DOTTED, "d"),
    "gtrxl": ("#5C2E0E", DASH_DOT_DOT, FOUR_POINTS),
    "aaren": ("#B2182B", DASH_DOT, THREE_POINTS),
    "transformer_xl": ("#8C6BB1", DASHED, FIVE_POINTS),
    "sliding_window": ("#1B7837", DASH_DOT_DOT, SIX_POINTS),
    "block_recurrent": ("#2166AC", SOLID, SEVEN_POINTS),
}
SPARE_COLOURS = ["#5B5EA6", "#B5446E", "#3F7F4F", "#A6761D", "#4F81A0", "#8C564B", "#6A4C93"]
SPARE_LINES = [SOLID, DASHED, DASH_DOT, DASH_DOT_DOT]
MARKERS = [*"os^vDPX*<>hpdH8", FOUR_POINTS, THREE_POINTS, FIVE_POINTS, SIX_POINTS,
           SEVEN_POINTS]
# equal to the eye
MARKER_SIZES = {"o": 4.2, "s": 3.9, "D": 3.6, "P": 5.2, "X": 5.0, "*": 7.0, FOUR_POINTS: 7.0,
                THREE_POINTS: 7.0, FIVE_POINTS: 6.0, SIX_POINTS: 7.0, SEVEN_POINTS: 6.0}
GREY = "#8A8A8A"

STYLE = {
    "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "font.size": 7.5,
    "axes.titlesize": 8.5, "axes.labelsize": 8, "axes.linewidth": 0.6, "axes.edgecolor": "#444444",
    "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True,
    "axes.grid": True, "grid.color": "#ECECEC", "grid.linewidth": 0.6,
    "xtick.major.width": 0.6, "ytick.major.width": 0.6, "xtick.major.size": 2.5,
    "ytick.major.size": 2.5, "xtick.color": "#444444", "ytick.color": "#444444",
    "legend.frameon": False, "savefig.dpi": 200, "path.simplify": True,
    "svg.hashsalt": "rlt", "svg.fonttype": "path",  # same bytes and same look everywhere
    "pdf.fonttype": 42, "ps.fonttype": 42,  # TrueType: conferences refuse fonts of Type 3
}


def look(cell):
    """Colour, line and marker of a cell: a function of its name alone, so figures agree."""
    if cell in LOOKS:
        return LOOKS[cell]
    number = zlib.crc32(cell.encode())
    return (SPARE_COLOURS[number % 7], SPARE_LINES[number // 7 % 4], MARKERS[number // 28 % 13])


def looks_of(series):
    """Looks of all (cell, options); variants of a cell keep its colour and change the rest."""
    looks = {}
    for cell, group in itertools.groupby(series, key=lambda pair: pair[0]):
        colour, line, marker = look(cell)
        for number, pair in enumerate(group):
            lines = [line] + [other for other in SPARE_LINES if other != line]
            shift = (MARKERS.index(marker) + 5 * number) % len(MARKERS)
            looks[pair] = (colour, lines[number % len(lines)], MARKERS[shift])
    return looks


ROUND = [1, 2, 2.5, 5, 10]  # ticks at 50, 100, 150, never at 60, 120, 180


# ---- panels

class Page:
    """A grid of panels, one a task, above a legend and a caption that cover no data."""

    def __init__(self, tasks, columns):
        count = len(tasks)
        self.columns = columns or (count if count <= 4 else 3 if count <= 6 else 4)
        self.columns = min(self.columns, count)
        self.rows = math.ceil(count / self.columns)
        panel = {1: (4.2, 2.7), 2: (3.0, 2.1), 3: (2.3, 1.75)}.get(self.columns, (1.8, 1.45))
        self.width = 0.75 + panel[0] * self.columns
        self.panel_height = panel[1]
        self.figure = Figure(figsize=(self.width, 1))
        FigureCanvasAgg(self.figure)
        grid = self.figure.subplots(self.rows, self.columns, sharey=True, squeeze=False)
        self.axes = dict(zip(tasks, grid.flat))
        for spare in list(grid.flat)[count:]:
            spare.remove()
        for index, (task, axes) in enumerate(self.axes.items()):
            axes.set_title(literal(task), loc="left", fontweight="bold", pad=5)
            axes.tick_params(labelleft=index % self.columns == 0)

    def label(self, x, y):
        for index, axes in enumerate(self.axes.values()):
            if index + self.columns >= len(self.axes):
                axes.set_xlabel(literal(x))
            if index % self.columns == 0:
                axes.set_ylabel(y)

    def finish(self, handles, references, caption):
        """Legend of the series, legend of the grey references, caption; then the margins."""
        widest = max(len(handle.get_label()) for handle in handles)
        per_row = max(1, int((self.width - 0.3) / (0.062 * widest + 0.5)))
        lines = math.ceil(len(handles) / per_row)
        per_row = math.ceil(len(handles) / lines)
        caption = textwrap.wrap(caption, int(17 * self.width))
        foot = 0.66 + 0.152 * lines + (0.19 if references else 0) + 0.12 * len(caption)
        gap = 0.52
        height = 0.3 + self.rows * self.panel_height + (self.rows - 1) * gap + foot
        self.figure.set_size_inches(self.width, height)
        self.figure.subplots_adjust(
            left=0.58 / self.width, right=1 - 0.14 / self.width, top=1 - 0.3 / height,
            bottom=foot / height, hspace=gap / self.panel_height, wspace=0.12)

        top = foot - 0.48
        self.legend(by_rows(handles, per_row), per_row, top / height)
        top -= 0.152 * lines + 0.04
        if references:
            self.legend(references, len(references), top / height)
            top -= 0.19
        self.figure.text(0.5, top / height, literal("\n".join(caption)), ha="center", va="top",
                         fontsize=6.5, color="#666666")

    def legend(self, handles, columns, top):
        self.figure.legend(
            handles=handles, ncol=columns, loc="upper center", bbox_to_anchor=(0.5, top),
            borderaxespad=0, borderpad=0, labelspacing=0.45, handlelength=2.6,
            columnspacing=1.6, handletextpad=0.5, fontsize=7.5)

    def save(self, out, inputs):
        kind = Path(out).suffix[1:]
        nothing = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None},
                   "pdf": {"CreationDate": None, "Creator": None, "Producer": None}}
        options = {"pil_kwargs": {"optimize": True}} if kind == "png" else {}
        data = io.BytesIO()
        self.figure.savefig(data, format=kind, metadata=nothing[kind], **options)
        data = data.getvalue()
        write_whole(out, shorter(data.decode()).encode() if kind == "svg" else data, inputs)


def shorter(svg):
    """Coordinates of paths to a hundredth of a point: half the file, the same picture."""
    def rounded(path):
        return re.sub(r"\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}", path[0])
    return re.sub(r' d="[^"]*"', rounded, svg)


def literal(text):
    """Names are shown as they are: matplotlib takes what stands between two $ for a formula."""
    return text.replace("$", r"\$")


def by_rows(handles, columns):
    """matplotlib fills a legend by columns: reorder so that it reads along the rows."""
    return list(itertools.chain(*(handles[first::columns] for first in range(columns))))


def marked_by(style):
    colour, _, marker = style
    return {"color": colour, "marker": marker, "markersize": MARKER_SIZES.get(marker, 4.6),
            "markeredgecolor": "white", "markeredgewidth": 0.4}


def key(name, style):
    return Line2D([], [], linestyle=style[1], label=literal(name), linewidth=1.3,
                  **marked_by(style))


def draw_series(axes, curves, style, place, count):
    """`curves`: one row per x, one column per seed. Band min to max, thin seeds, median line on top."""
    colour, line, _ = style
    curves = curves.dropna(how="all")
    x, values = curves.index.to_numpy(), curves.to_numpy()
    median = np.nanmedian(values, axis=1)
    low, high = np.nanmin(values, axis=1), np.nanmax(values, axis=1)
    if (low < high).any():
        axes.fill_between(x, low, high, color=colour, alpha=0.10, linewidth=0, zorder=2)
    for seed in np.unique(values, axis=1).T:  # seeds that agree everywhere are drawn once
        if not np.array_equal(seed, median):
            axes.plot(x, seed, color=colour, alpha=0.45, linewidth=0.45, zorder=3)
    # Cells that lie on each other, all at 100 % say, stay visible: later lines are thinner, and
    # the markers stand above all lines, each cell's at other places.
    share = place / max(count - 1, 1)
    axes.plot(x, median, color=colour, linestyle=line, linewidth=1.7 - 0.6 * share,
              zorder=4 + share, clip_on=False)
    every = max(count, math.ceil(len(x) / 4)) if len(x) > 12 else min(3, len(x))
    first = place * every // count
    axes.plot(x, median, linestyle="none", markevery=(first, every), zorder=6, clip_on=False,
              **marked_by(style))


def seeds_caption(frame, shared, tail=""):
    counts = frame.groupby(["task", "cell", "options"])["seed"].nunique()
    low, high = counts.min(), counts.max()
    number = f"{high}" if low == high else f"{low} to {high}"
    if shared:
        tail += f" All with {', '.join(shared)}."
    if high == 1:
        return f"One seed.{tail}"
    return f"Line: median over {number} seeds. Band: lowest to highest. Thin: single seeds.{tail}"


# ---- plot.py length

LENGTH_HELP = """\
Accuracy against length, one panel per task, one colour per cell.

The line is the median over seeds, the band reaches from the lowest to the highest seed, a thin
line is one seed. Grey: chance (dotted) and the best trivial baseline (dashed), a predictor that
knows only the most frequent class, or only the most frequent class of every position. With
`--metric answer`, which leaves out positions where nothing is to be answered, it knows the most
frequent answer. `--x size` takes the size that was asked for in the task's own unit, statements
or depth say, in place of the longest string in tokens.
Read rows of split `length`; `rlt eval RUN --lengths 10-200:10` makes them. Merge the runs first:
a diverged or timed-out run is in the merged CSV as a failure, but in no CSV of its own.

examples:
  report.py merge runs/formal_languages --which lengths --out lengths.csv
  plot.py length --out length.svg --train-length 50 lengths.csv
  plot.py length --out length.svg --train-length 50 --train-length anbn=100 lengths.csv
  plot.py length --out token.png --metric token --tasks parity,dyck1 --cells lstm,rdn lengths.csv
  plot.py length --out answer.svg --metric answer --x size --x-label statements lengths.csv
"""

# metric: column of chance, columns of the trivial baselines
ACCURACIES = {
    "sequence": ("chance_sequence", ["best_constant_sequence", "position_majority_sequence"]),
    "token": ("chance", ["best_constant", "position_majority"]),
    "answer": (None, ["answer_constant"]),
}


def plot_length(arguments):
    metric = f"{arguments.metric}_accuracy"
    chance, trivial = ACCURACIES[arguments.metric]
    frame = read_frame(arguments.csv, EVAL_ROW + [metric, *filter(None, [chance]), *trivial],
                       optional=["size_max"])
    frame = frame[frame["split"] == "length"]
    if frame.empty:
        raise Problem(f"{arguments.csv[0]}: no rows of split `length`:"
                      " `rlt eval RUN --lengths 10-200:10` makes them")
    frame = chosen_rows(frame, arguments)
    frame = runs.choose_checkpoint(frame, arguments.select)
    x = f"{arguments.x}_max"
    check_sizes(frame, x)
    runs.check_one_model(frame)
    if frame[metric].isna().any():
        row = frame[frame[metric].isna()].iloc[0]
        raise Problem(f"{row['file']}: {metric} is empty for {runs.describe(row)}")
    runs.check_shares(frame, metric)
    frame["trivial"] = frame[trivial].max(axis=1)
    frame, shared = set_aside_shared_options(frame.astype({x: float}))

    page = Page(in_order(frame["task"].unique(), "task"), arguments.columns)
    looks = looks_of(series_in_order(frame))
    marked = train_lengths(arguments.train_length, page.axes)
    for task, axes in page.axes.items():
        rows = frame[frame["task"] == task]
        for place, (pair, style) in enumerate(looks.items()):
            one = of_series(rows, pair)
            if len(one):
                draw_series(axes, 100 * seeds_apart(one, x, metric), style, place, len(looks))
        if chance:
            draw_reference(axes, rows, x, chance, DOTTED)
        draw_reference(axes, rows, x, "trivial", DASHED)
        if task in marked:
            axes.axvline(marked[task], color="#444444", linestyle=(0, (3, 2)), linewidth=0.8,
                         zorder=1.5)
        axes.set_ylim(-3, 103)
        axes.set_yticks([0, 25, 50, 75, 100])
        axes.set_xlim(left=0)
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=ROUND, integer=True))
    page.label(arguments.x_label or arguments.x, f"{arguments.metric} accuracy (%)")
    of_training = "longest training string" if arguments.x == "length" else "largest in training"
    page.finish([key(label(*pair), style) for pair, style in looks.items()],
                references(frame, chance, marked, of_training), seeds_caption(frame, shared))
    page.save(arguments.out, arguments.csv)


def check_sizes(frame, x):
    """Every row has a place on the x axis, and a run only one row there."""
    runs.check_distinct(frame.assign(size=frame["size_max"].fillna(frame["length_max"])),
                        RUN + ["size"])
    if frame[x].isna().any():
        raise Problem(f"--x {x.removesuffix('_max')}: some rows have no {x}: measure them again"
                      " with `rlt eval`")
    twice = frame[frame.duplicated(RUN + [x])]
    if len(twice):
        raise Problem(f"strings of two sizes have up to {twice.iloc[0][x]} tokens: draw them"
                      " with --x size", USAGE)


def chosen_rows(frame, arguments):
    frame = runs.keep_names(frame, "task", arguments.tasks)
    frame = runs.keep_names(frame, "cell", arguments.cells)
    frame = runs.where(frame, arguments.where)
    frame = runs.choose(frame, "rule", arguments.rule)
    return runs.choose(frame, "protocol", arguments.protocol).copy()


def seeds_apart(rows, x, value):
    return rows.pivot(index=x, columns="seed", values=value).sort_index()


REACH = 0.2  # of a reference that is known at one place alone, as a share of that place


def draw_reference(axes, rows, x, column, line):
    known = rows.dropna(subset=[column]).groupby(x)[column].median()
    places, values = known.index.to_numpy(), known.to_numpy()
    if len(known) == 1:  # a line through one point shows nothing: a piece to either side
        reach = REACH * max(places[0], 1)
        places, values = places + [-reach, reach], values.repeat(2)
    if len(known):
        axes.plot(places, 100 * values, color=GREY, linestyle=line, linewidth=1.0, zorder=1.8)


def references(frame, chance, marked, of_training):
    handles = []
    if chance and frame[chance].notna().any():
        handles.append(Line2D([], [], color=GREY, linestyle=DOTTED, linewidth=1, label="chance"))
    if frame["trivial"].notna().any():
        handles.append(Line2D([], [], color=GREY, linestyle=DASHED, linewidth=1,
                              label="best trivial baseline"))
    if marked:
        handles.append(Line2D([], [], color="#444444", linestyle="none", marker="|",
                              markersize=10, label=of_training))
    return handles


def train_length(word):
    """(task, length) of `anbn=100`; the task is None in `50`."""
    task, equals, number = word.rpartition("=")
    return task if equals else None, whole_number("--train-length", number)


def train_lengths(pairs, tasks):
    """The length to mark by task; None stands for every task, the later pair wins."""
    marked = {}
    for task, length in pairs:
        if task not in [None, *tasks]:
            raise Problem(f"--train-length {task}={length}: the figure has {', '.join(tasks)}",
                          USAGE)
        marked.update({name: length for name in ([task] if task else tasks)})
    return marked


# ---- plot.py train

TRAIN_HELP = """\
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


def plot_train(arguments):
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


# ---- plot.py horizon

HORIZON_HELP = """\
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
HORIZON_ROW = RUN + ["task_option", "lr", "failed", "solved", "chosen", "train_length", "horizon", "upper",
                     "max_length"]


def plot_horizon(arguments):
    frame = chosen_rows(read_frame(arguments.csv, HORIZON_ROW), arguments)
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


# ---- plot.py positions

POSITIONS_HELP = """\
Bits per token by position in the document, on a logarithmic axis: each point holds the positions
from the point before it up to its own. One panel per task, one line per arm, median over seeds. Reads
what `block_recurrent.py merge` writes into positions.csv.

examples:
  plot.py positions --out positions.svg results/block_recurrent/hours/positions.csv
"""

POSITIONS_ROW = RUN + ["arm", "lr", "size_min", "size_max", "tokens", "bits"]


def plot_positions(arguments):
    frame = chosen_rows(read_frame(arguments.csv, [*POSITIONS_ROW]), arguments)
    runs.check_distinct(frame, RUN + ["arm", "size_max"])
    frame = frame[np.isfinite(frame["bits"])].astype({"size_max": float})
    if frame.empty:
        raise Problem(f"{arguments.csv[0]}: no finite value of bits")
    page = Page(in_order(frame["task"].unique(), "task"), arguments.columns)
    frame["options"] = frame["arm"]  # arms of one cell are its variants
    looks = looks_of(series_in_order(frame))
    for task, axes in page.axes.items():
        rows = frame[frame["task"] == task]
        for place, (pair, style) in enumerate(looks.items()):
            one = of_series(rows, pair)
            if len(one):
                draw_series(axes, seeds_apart(one, "size_max", "bits"), style, place, len(looks))
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter(EngFormatter(sep="", places=0))
    page.label("position in the document", "bits per token")
    page.finish([key(arm, style) for (_, arm), style in looks.items()], [], seeds_caption(frame, []))
    page.save(arguments.out, arguments.csv)


# ---- command line

HELP = """\
Figures from the CSVs of rlt, as SVG, PNG or PDF. The same CSVs give the same bytes.

examples:
  plot.py length --out length.svg --train-length 50 eval.csv
  plot.py train --out loss.svg runs/*/train.csv
  plot.py horizon --out horizon.svg horizon.csv
  plot.py positions --out positions.svg positions.csv
  plot.py length --help
"""


def parser():
    top = Parser(prog="plot.py", description=HELP)
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True,
                                  parser_class=Parser)
    length = commands.add_parser("length", help="accuracy against length",
                                 description=LENGTH_HELP)
    length.set_defaults(plot=plot_length)
    length.add_argument("--metric", choices=list(ACCURACIES), default="sequence",
                        help="whole strings right, single symbols, or single answers"
                             " (default sequence)")
    length.add_argument("--x", choices=["length", "size"], default="length",
                        help="what runs to the right: tokens, or the task's own unit"
                             " (default length)")
    length.add_argument("--x-label", metavar="WORDS", help="its name (default that of --x)")
    length.add_argument("--train-length", action="append", default=[], metavar="[TASK=]N",
                        type=train_length,
                        help="mark the longest training string, or its size; may be repeated")
    length.add_argument("--select", default="best", metavar="NAME",
                        help="checkpoint to show: best, last or the name of its file"
                             " (default best)")
    train = commands.add_parser("train", help="loss or accuracy during training",
                                description=TRAIN_HELP)
    train.set_defaults(plot=plot_train)
    train.add_argument("--metric", choices=list(METRICS), default="loss",
                       help="what to draw (default loss, on a logarithmic axis)")
    train.add_argument("--against", choices=list(AGAINST), default="step",
                       help="what runs to the right (default step)")
    horizon = commands.add_parser("horizon", help="how far every run carries",
                                  description=HORIZON_HELP)
    horizon.set_defaults(plot=plot_horizon)
    horizon.add_argument("--best", action="store_true",
                         help="only the learning rate that is best on training lengths")
    positions = commands.add_parser("positions", help="bits by position in the document",
                                    description=POSITIONS_HELP)
    positions.set_defaults(plot=plot_positions)
    for command in (length, train, horizon, positions):
        command.add_argument("--out", required=True, type=figure_name, metavar="FIGURE",
                             help="file to write: .svg, .png or .pdf")
        command.add_argument("--tasks", metavar="A,B", help="only these tasks")
        command.add_argument("--cells", metavar="A,B", help="only these cells")
        command.add_argument("--rule", metavar="NAME", help="only this rule: paper or honest")
        command.add_argument("--protocol", metavar="NAME",
                             help="only this protocol: paper or honest")
        command.add_argument("--where", action="append", default=[], metavar="NAME=VALUE",
                             help="only rows of this option or column; may be repeated")
        command.add_argument("--columns", metavar="N", help="panels in a row",
                             type=lambda text: whole_number("--columns", text))
        command.add_argument("csv", nargs="+", metavar="CSV")
    return top


def figure_name(text):
    if Path(text).suffix not in (".svg", ".png", ".pdf"):
        raise Problem(f"--out {text}: the name must end in .svg, .png or .pdf", USAGE)
    return text


def main(words):
    arguments = parser().parse_args(words)
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # nobody's own settings change a figure
        matplotlib.rcParams.update(STYLE)
        arguments.plot(arguments)


if __name__ == "__main__":
    sys.exit(run_main(main))

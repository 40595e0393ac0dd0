"""What the figures of plot.py share: a page of panels, one a task, the curves of seeds in it, and which rows are drawn."""

import io
import itertools
import math
import re
import textwrap
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import runs
from files import write_whole
from looks import marked_by

ROUND = [1, 2, 2.5, 5, 10]  # ticks at 50, 100, 150, never at 60, 120, 180


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


def chosen_rows(frame, arguments):
    frame = runs.keep_names(frame, "task", arguments.tasks)
    frame = runs.keep_names(frame, "cell", arguments.cells)
    frame = runs.where(frame, arguments.where)
    frame = runs.choose(frame, "rule", arguments.rule)
    return runs.choose(frame, "protocol", arguments.protocol).copy()


def seeds_apart(rows, x, value):
    return rows.pivot(index=x, columns="seed", values=value).sort_index()

"""plot.py positions: bits by position in the document."""

import numpy as np
from matplotlib.ticker import EngFormatter

import runs
from columns import RUN
from looks import looks_of
from names import in_order, of_series, series_in_order
from page import Page, chosen_rows, draw_series, key, seeds_apart, seeds_caption
from program import Problem
from sheets import read_frame

ABOUT = "bits by position in the document"
HELP = """\
Bits per token by position in the document, on a logarithmic axis: each point holds the positions
from the point before it up to its own. One panel per task, one line per arm, median over seeds. Reads
what `block_recurrent.py merge` writes into positions.csv.

examples:
  plot.py positions --out positions.svg results/block_recurrent/hours/positions.csv
"""

ROW = RUN + ["arm", "lr", "size_min", "size_max", "tokens", "bits"]


def add_arguments(_command):
    """None of its own."""


def draw(arguments):
    frame = chosen_rows(read_frame(arguments.csv, ROW), arguments)
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

"""plot.py positions: bits by position in the document."""

import numpy as np
from matplotlib.ticker import EngFormatter

import runs
from block_recurrent import REC, is_variant
from columns import RUN
from looks import looks_of
from names import in_order, of_series
from page import Page, chosen_rows, draw_series, key, seeds_apart, seeds_caption
from program import Problem
from sheets import read_frame

ABOUT = "bits by position in the document"
HELP = """\
Bits per token by position in the document, on a logarithmic axis: each point holds the positions
from the point before it up to its own. One panel per task, and one more for other gates and
configurations; one line per arm, median over seeds. Reads what `block_recurrent.py merge` writes into
positions.csv.

examples:
  plot.py positions --out positions.svg results/block_recurrent/hours/positions.csv
"""

ROW = RUN + ["arm", "lr", "size_min", "size_max", "tokens", "bits"]


def add_arguments(_command):
    """None of its own."""


def panels_of(frame):
    """(title, rows) of each panel."""
    for task in in_order(frame["task"].unique(), "task"):
        rows = frame[frame["task"] == task]
        variant = rows["arm"].map(is_variant)
        if not variant.all():
            yield task, rows[~variant]
        if variant.any():
            yield f"{task}: gates and configurations", rows[variant | (rows["arm"] == REC)]


def draw(arguments):
    frame = chosen_rows(read_frame(arguments.csv, ROW), arguments)
    runs.check_distinct(frame, RUN + ["arm", "size_max"])
    frame = frame[np.isfinite(frame["bits"])].astype({"size_max": float})
    if frame.empty:
        raise Problem(f"{arguments.csv[0]}: no finite value of bits")
    frame["options"] = frame["arm"]  # arms of one cell are its variants
    looks = looks_of(list(dict.fromkeys(zip(frame["cell"], frame["arm"]))))
    panels = dict(panels_of(frame))
    page = Page(list(panels), arguments.columns)
    for title, axes in page.axes.items():
        for place, (pair, style) in enumerate(looks.items()):
            one = of_series(panels[title], pair)
            if len(one):
                draw_series(axes, seeds_apart(one, "size_max", "bits"), style, place, len(looks))
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter(EngFormatter(sep="", places=0))
    page.label("position in the document", "bits per token")
    page.finish([key(arm, style) for (_, arm), style in looks.items()], [], seeds_caption(frame, []))
    page.save(arguments.out, arguments.csv)

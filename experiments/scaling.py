#!/usr/bin/env python3
"""Table and figure of time and memory against sequence length, from CSVs of `rlt bench`."""

import io
import sys
from pathlib import Path

# First: it says in one line which package is missing.
from program import Parser, Problem, run_main

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from files import write_whole
from looks import look, marked_by, own_style
from names import in_order
from sheets import read_frame

SIZES = ["d_model", "layers", "heads", "batch"]
COLUMNS = ["cell", *SIZES, "length", "step_ms", "peak_mib"]
PANELS = {"us_per_token": "microseconds per token", "peak_mib": "peak memory (MiB)"}


def read(path):
    frame = read_frame([path], COLUMNS)
    for name in COLUMNS[1:]:
        if not (frame[name] > 0).all():
            row = frame[~(frame[name] > 0)].iloc[0]
            raise Problem(f"{path}: line {row['line']}: {name} is {row[name]}: it must be above 0")
    for name in SIZES:
        if frame[name].nunique() > 1:
            found = " and ".join(f"{size:.0f}" for size in sorted(frame[name].unique()))
            raise Problem(f"{path}: rows of {name} {found}: a table has one")
    twice = frame[frame.duplicated(["cell", "length"])]
    if len(twice):
        row = twice.iloc[0]
        raise Problem(f"{path}: line {row['line']}: {row['cell']} at length {row['length']:.0f} once more")
    frame["us_per_token"] = 1e3 * frame["step_ms"] / (frame["batch"] * frame["length"])
    return frame


def table(frame):
    """Markdown: microseconds per token and MiB at every length."""
    lengths = sorted(frame["length"].unique())
    first = frame.iloc[0]
    lines = [f"Training step at d={first['d_model']:.0f}, {first['layers']:.0f} layers, "
             f"{first['heads']:.0f} heads, batch {first['batch']:.0f}: microseconds per token / peak memory of "
             "the process in MiB. A cost linear in T keeps the first and doubles the second from column to "
             "column.", "",
             "| cell | " + " | ".join(f"T={length:.0f}" for length in lengths) + " |",
             "|---|" + "---:|" * len(lengths)]
    for cell in in_order(frame["cell"], "cell"):
        rows = frame[frame["cell"] == cell].set_index("length")
        cells = [f"{rows.loc[length, 'us_per_token']:.2f} / {rows.loc[length, 'peak_mib']:.0f}"
                 if length in rows.index else "-" for length in lengths]
        lines.append(f"| {cell} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def draw(frame):
    """The figure as bytes of an SVG."""
    figure = Figure(figsize=(7, 3.2))
    FigureCanvasAgg(figure)
    figure.subplots_adjust(left=0.08, right=0.97, top=0.92, bottom=0.27, wspace=0.2)
    for axes, (column, title) in zip(figure.subplots(1, 2), PANELS.items()):
        for cell in in_order(frame["cell"], "cell"):
            rows = frame[frame["cell"] == cell].sort_values("length")
            style = look(cell)
            axes.plot(rows["length"], rows[column], linestyle=style[1], linewidth=1.2, label=cell,
                      **marked_by(style))
        axes.set(xscale="log", yscale="log", xlabel="sequence length T", title=title)
        lengths = sorted(frame["length"].unique())
        axes.set_xticks(lengths, [f"{length:.0f}" for length in lengths])
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.minorticks_off()
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncol=5, frameon=False, fontsize=7)
    data = io.BytesIO()
    figure.savefig(data, format="svg", metadata={"Date": None})
    return data.getvalue()


def main(arguments):
    parser = Parser(description=__doc__)
    parser.add_argument("csv", help="of `rlt bench --csv`")
    parser.add_argument("--out", default="results/scaling", help="folder for table.md and scaling.svg")
    chosen = parser.parse_args(arguments)
    frame = read(chosen.csv)
    out = Path(chosen.out)
    write_whole(out / "table.md", table(frame).encode(), [chosen.csv])
    with own_style():
        write_whole(out / "scaling.svg", draw(frame), [chosen.csv])
    print(out / "table.md")


if __name__ == "__main__":
    sys.exit(run_main(main))

#!/usr/bin/env python3
"""Table and figure of time and memory against sequence length, from CSVs of `rlt bench`."""

import sys
from pathlib import Path

import pandas
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from plot import look, marked_by
from runs import CELLS, Parser, in_order, read_rows, run_main, write_aside

COLUMNS = ["cell", "d_model", "layers", "heads", "batch", "length", "step_ms", "peak_mib"]
PANELS = {"us_per_token": "microseconds a token", "peak_mib": "peak memory (MiB)"}


def read(path):
    header, rows = read_rows(path, COLUMNS)
    frame = pandas.DataFrame(rows, columns=header)[COLUMNS]
    numbers = COLUMNS[1:]
    frame[numbers] = frame[numbers].astype(float)
    frame["us_per_token"] = 1e3 * frame["step_ms"] / (frame["batch"] * frame["length"])
    return frame


def table(frame):
    """Markdown: microseconds a token and MiB at every length."""
    lengths = sorted(frame["length"].unique())
    first = frame.iloc[0]
    lines = [f"Training step at d={first['d_model']:.0f}, {first['layers']:.0f} layers, "
             f"{first['heads']:.0f} heads, batch {first['batch']:.0f}: microseconds a token / peak memory of "
             "the process in MiB. A cost linear in T keeps the first and doubles the second from column to "
             "column.", "",
             "| cell | " + " | ".join(f"T={length:.0f}" for length in lengths) + " |",
             "|---|" + "---:|" * len(lengths)]
    for cell in in_order(frame["cell"], CELLS):
        rows = frame[frame["cell"] == cell].set_index("length")
        cells = [f"{rows.loc[length, 'us_per_token']:.2f} / {rows.loc[length, 'peak_mib']:.0f}"
                 for length in lengths]
        lines.append(f"| {cell} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def draw(frame, path):
    figure = Figure(figsize=(7, 3.2))
    FigureCanvasAgg(figure)
    figure.subplots_adjust(left=0.08, right=0.98, top=0.92, bottom=0.31, wspace=0.2)
    for axes, (column, title) in zip(figure.subplots(1, 2), PANELS.items()):
        for cell in in_order(frame["cell"], CELLS):
            rows = frame[frame["cell"] == cell].sort_values("length")
            style = look(cell)
            axes.plot(rows["length"], rows[column], linestyle=style[1], linewidth=1.2, label=cell,
                      **marked_by(style))
        axes.set(xscale="log", yscale="log", xlabel="sequence length T", title=title)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncol=5, frameon=False, fontsize=7)
    write_aside(path, lambda aside: figure.savefig(aside, format="svg", metadata={"Date": None}))


def main(arguments):
    parser = Parser(description=__doc__)
    parser.add_argument("csv", help="of `rlt bench --csv`")
    parser.add_argument("--out", default="results/scaling", help="folder for table.md and scaling.svg")
    chosen = parser.parse_args(arguments)
    frame = read(chosen.csv)
    out = Path(chosen.out)
    write_aside(out / "table.md", lambda path: path.write_text(table(frame), encoding="utf-8"))
    draw(frame, out / "scaling.svg")
    print(out / "table.md")


if __name__ == "__main__":
    sys.exit(run_main(main))

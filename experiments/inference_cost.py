#!/usr/bin/env python3
"""Tables and figures of what a step costs, from rows of `rlt bench --step`: one step of acting, and a stream of tokens
from its first to the last."""

import io
import sys
from pathlib import Path

# First: it says in one line which package is missing.
from program import Parser, Problem, run_main

import pandas
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from files import write_whole
from looks import look, own_style

LENGTH = 600  # steps taken before the clock starts, in the table


def multiply_adds(model):
    """Per step behind LENGTH others, of the sequence model at the published sizes (D 128, 4 layers, 4 heads of 64, of 32
    in aaren and transformer; lstm 600, gru 680): dense products and what a cell does on its state."""
    name, _, options = model.partition(" ")
    values = dict(part.split("=") for part in options.split())
    width, heads, size, layers = 128, 4, 64, 4
    gates_and_mlp = 2 * 6 * width**2 + 2 * width**2
    if name == "agalite":
        eta = int(values["eta"])
        project = width * (5 * heads * size + 3 * heads * eta) + heads * size * width
        return layers * (project + gates_and_mlp + heads * size * (6 * eta + 4))
    if name == "galite":
        nu = int(values["nu"])
        project = heads * (5 * width * size + 2 * width * nu + size * size + size * nu) + heads * size * width
        return layers * (project + gates_and_mlp + heads * size * size * nu * 4)
    if name == "aaren":
        # v and s, the output and the feed-forward layer; then a and c of every head decay and grow, and o = a / c
        return layers * (width * (width + heads) + width**2 + 2 * width**2 + 3 * width + 2 * heads)
    if name == "transformer":
        return layers * (4 * width**2 + 2 * width**2 + 2 * width * (LENGTH + 1))
    if name == "gtrxl":
        memory = int(values["memory"])
        rows = 1 if values["cache"] == "on" else memory + 1
        project = rows * width * 3 * heads * size + width * heads * size + heads * size * width
        if values["cache"] == "on":
            project -= width * heads * size  # the positions are projected once
        return layers * (project + gates_and_mlp + 3 * (memory + 1) * heads * size)
    side = {"lstm": (4, 600), "gru": (3, 680)}[name]
    return side[0] * side[1] * (16 + side[1])


def read(path, columns):
    try:
        frame = pandas.read_csv(path)
    except (OSError, ValueError) as error:
        raise Problem(f"{path}: {error}") from error
    if not columns <= set(frame.columns):
        raise Problem(f"{path}: is it of experiments/inference_cost.sh?")
    return frame


def table(frame):
    rows = frame[frame["length"] == LENGTH]
    base = rows[rows["model"] == "agalite eta=4"].set_index("batch")["token_us"]
    lines = [f"One step of acting behind {LENGTH} others, one thread, microseconds for all sequences of a batch; in "
             "brackets in relation to agalite eta=4.", "",
             "| model | multiply-adds | numbers of state | batch 1 | batch 8 |", "|---|---:|---:|---:|---:|"]
    for model in dict.fromkeys(rows["model"]):
        own = rows[rows["model"] == model].set_index("batch")
        times = [f"{own.loc[b, 'token_us']:.0f} ({own.loc[b, 'token_us'] / base[b]:.2f})" for b in (1, 8)]
        lines.append(f"| {model} | {multiply_adds(model) / 1e6:.2f} M | {own.iloc[0]['state_size']:,} | "
                     f"{times[0]} | {times[1]} |")
    return "\n".join(lines) + "\n"


def draw(frame):
    figure = Figure(figsize=(6.6, 2.7))
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    rows = frame[(frame["length"] == LENGTH) & (frame["batch"] == 1)]
    for model in dict.fromkeys(rows["model"]):
        own = rows[rows["model"] == model].iloc[0]
        name = model.split()[0]
        hollow = "cache=off" in model
        left.plot(own["state_size"], own["token_us"], look(name)[2], color=look(name)[0],
                  markerfacecolor="none" if hollow else look(name)[0])
        left.annotate(model.replace(" cache=off", " (published)").replace(" cache=on", ""),
                      (own["state_size"], own["token_us"]), fontsize=4.5, xytext=(3, 2), textcoords="offset points")
    left.set(xscale="log", yscale="log", xlabel="numbers of state", ylabel="microseconds per step, batch 1")
    contexts = frame[(frame["length"] != LENGTH) & (frame["batch"] == 1)]
    for model in dict.fromkeys(contexts["model"]):
        own = contexts[contexts["model"] == model].sort_values("length")
        style = look(model.split()[0])
        right.plot(own["length"], own["token_us"], color=style[0], linestyle=style[1], marker=style[2],
                   markersize=3, label=model)
    right.set(xscale="log", xlabel="steps taken before")
    right.set_ylim(bottom=0)
    right.legend()
    figure.tight_layout()
    data = io.BytesIO()
    figure.savefig(data, format="svg", metadata={"Date": None})
    return data.getvalue()


# ---- a stream

def stream_table(frame):
    """Markdown: a row per length, for each model the time since the first token, of the next one, and its state."""
    models = list(dict.fromkeys(frame["model"]))
    rows = frame.set_index(["length", "model"])
    first = frame.iloc[0]
    lines = [f"Reading a stream token by token at d={first['d_model']}, {first['layers']} layers, {first['heads']} heads, ff "
             f"{first['ff']}, batch 1, one thread: seconds since the first token / microseconds of the next one / numbers of "
             "state.", "",
             "| tokens | " + " | ".join(models) + " |", "|---:|" + "---:|" * len(models)]
    for length in sorted(set(frame["length"])):
        found = [rows.loc[(length, model)] if (length, model) in rows.index else None for model in models]
        lines.append(f"| {length:,} | " + " | ".join(
            "-" if row is None else f"{row['before_s']:.3f} / {row['token_us']:.1f} / {row['state_size']:,}" for row in found)
            + " |")
    return "\n".join(lines) + "\n"


def draw_stream(frame):
    figure = Figure(figsize=(6.6, 2.7))
    FigureCanvasAgg(figure)
    panels = {"before_s": "seconds since the first token", "state_size": "numbers of state"}
    for axes, (column, label) in zip(figure.subplots(1, 2), panels.items()):
        for model in dict.fromkeys(frame["model"]):
            own = frame[frame["model"] == model].sort_values("length")
            colour, line, marker = look(model)
            axes.plot(own["length"], own[column], color=colour, linestyle=line, marker=marker, markersize=3, label=model)
        axes.set(xscale="log", yscale="log", xlabel="tokens", ylabel=label)
    figure.axes[0].legend()
    figure.tight_layout()
    data = io.BytesIO()
    figure.savefig(data, format="svg", metadata={"Date": None})
    return data.getvalue()


# flag: columns that its CSV needs beside those of every one, table and its file, figure and its file
EVERY = {"model", "length", "token_us", "state_size"}
PARTS = {"acting": ({"batch"}, table, "table.md", draw, "cost.svg"),
         "stream": ({"before_s", "d_model", "layers", "heads", "ff"}, stream_table, "stream.md", draw_stream, "stream.svg")}


def main(arguments):
    parser = Parser(description=__doc__)
    for part in PARTS:
        parser.add_argument(f"--{part}", metavar="CSV", help=f"of the part {part} of experiments/inference_cost.sh")
    parser.add_argument("--out", default="results/inference_cost", help="folder for the tables and figures")
    chosen = parser.parse_args(arguments)
    out = Path(chosen.out)
    for part, (columns, make_table, table_name, make_figure, figure_name) in PARTS.items():
        path = getattr(chosen, part)
        if path is None:
            continue
        frame = read(path, EVERY | columns)
        write_whole(out / table_name, make_table(frame).encode(), [path])
        with own_style():
            write_whole(out / figure_name, make_figure(frame), [path])
        print(out / table_name)


if __name__ == "__main__":
    sys.exit(run_main(main))

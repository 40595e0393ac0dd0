#!/usr/bin/env python3
"""Figures from the CSVs of rlt: accuracy against length, training curves, horizons, and bits by position."""

import sys
from pathlib import Path

# First: it says in one line which package is missing.
from program import USAGE, Parser, Problem, run_main, whole_number

import horizon_figure
import length_figure
import positions_figure
import training_figure
from looks import own_style

FIGURES = {"length": length_figure, "train": training_figure, "horizon": horizon_figure,
           "positions": positions_figure}

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
    for name, figure in FIGURES.items():
        command = commands.add_parser(name, help=figure.ABOUT, description=figure.HELP)
        command.set_defaults(draw=figure.draw)
        figure.add_arguments(command)
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
    with own_style():
        arguments.draw(arguments)


if __name__ == "__main__":
    sys.exit(run_main(main))

"""plot.py length: accuracy against length."""

from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

import runs
from columns import EVAL_ROW, RUN
from looks import DASHED, DOTTED, GREY, looks_of
from names import in_order, label, of_series, series_in_order, set_aside_shared_options
from page import ROUND, Page, chosen_rows, draw_series, key, seeds_apart, seeds_caption
from program import USAGE, Problem, whole_number
from sheets import read_frame

ABOUT = "accuracy against length"
HELP = """\
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


def add_arguments(command):
    command.add_argument("--metric", choices=list(ACCURACIES), default="sequence",
                         help="whole strings right, single symbols, or single answers"
                              " (default sequence)")
    command.add_argument("--x", choices=["length", "size"], default="length",
                         help="what runs to the right: tokens, or the task's own unit"
                              " (default length)")
    command.add_argument("--x-label", metavar="WORDS", help="its name (default that of --x)")
    command.add_argument("--train-length", action="append", default=[], metavar="[TASK=]N",
                         type=train_length,
                         help="mark the longest training string, or its size; may be repeated")
    command.add_argument("--select", default="best", metavar="NAME",
                         help="checkpoint to show: best, last or the name of its file"
                              " (default best)")


def draw(arguments):
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

#!/usr/bin/env python3
"""Tables from the CSVs of rlt: scores with their statistics, merged runs, the literature."""

import math
import sys
from pathlib import Path

# First: it says in one line which package is missing.
from program import USAGE, Parser, Problem, name_list, run_main

import numpy as np

import merge
import runs
import score_tables
from columns import BASELINES, EVAL_ROW, RUN
from names import in_order, label, of_series, series_in_order, split_options
from printing import Paper, counts, markdown, percent, span
from sheets import read_frame, read_rows, to_number

SOLVED = 0.99           # a seed with at least this sequence accuracy has solved the task
SOLVED_TEXT = f"at least {100 * SOLVED:.0f} %"
Z = 1.959963984540054   # 95 % of a normal distribution lies within this many deviations
RESAMPLES = 10_000

# ---- statistics over seeds


def wilson(successes, count):
    """95 % interval of a rate; unlike the textbook one it is not empty at 0 of n and n of n."""
    rate = successes / count
    centre = rate + Z * Z / (2 * count)
    reach = Z * math.sqrt(rate * (1 - rate) / count + Z * Z / (4 * count * count))
    whole = 1 + Z * Z / count
    # At the ends the formula gives 0 and 1 up to rounding.
    return ((centre - reach) / whole if successes else 0.0,
            (centre + reach) / whole if successes < count else 1.0)


def bootstrap(scores):
    """95 % percentile interval of the mean over seeds; its generator always starts alike."""
    draws = np.random.default_rng(0).integers(len(scores), size=(RESAMPLES, len(scores)))
    return tuple(np.percentile(np.asarray(scores)[draws].mean(axis=1), [2.5, 97.5]))


def summary(scores):
    """All numbers of one (cell, task, split). `scores`: one sequence accuracy per seed."""
    solved = sum(score >= SOLVED for score in scores)
    return {"n": len(scores), "solved": solved, "rate": wilson(solved, len(scores)),
            "max": max(scores), "median": float(np.median(scores)),
            "mean": float(np.mean(scores)), "min": min(scores),
            "interval": bootstrap(scores) if len(scores) > 1 else None}


# ---- report.py table

TABLE_HELP = f"""\
Sequence accuracy in percent: one compact table of cells x tasks, then one full table a split.

Compact: the median over seeds of each split, `bin0 / bin1`, and how many seeds solved the last
split ({SOLVED_TEXT}), `3/3`. Full: solved seeds, their rate with its Wilson 95 % interval, max,
median, mean, min, a bootstrap 95 % interval of the mean over seeds ({RESAMPLES} resamples), and
the median scaled so that the best trivial baseline is 0 and perfect is 100. Max says what a cell
can learn, median and rate what training finds. Failed runs (`report.py merge`) count as 0.
`baseline` is the best of chance, the most frequent class, and the most frequent class of every
position; `strings` counts the distinct evaluation strings: of 25, one error costs 4 percent.

examples:
  report.py table eval.csv
  report.py table --splits bin1 --by-seed eval.csv
  report.py table --format latex eval.csv > table.tex
"""


def table(arguments):
    splits = name_list("--splits", arguments.splits)
    if "length" in splits:
        raise Problem("--splits length: a table needs bins; `plot.py length` draws lengths",
                      USAGE)
    frame, shared = runs.read_scores(arguments, ["sequence_accuracy", "sequences", *BASELINES])
    runs.check_shares(frame, "sequence_accuracy")
    frame["baseline"] = frame[BASELINES].max(axis=1)
    paper = Paper(arguments.format)
    for (rule, protocol), group in frame.groupby(["rule", "protocol"]):
        runs.check_same_strings(group)
        paper.heading(", ".join([f"Rule {rule}", f"protocol {protocol}",
                                 f"checkpoint {arguments.select}", *shared]))
        compact_table(paper, group, splits)
        for split, rows in [(split, group[group["split"] == split]) for split in splits]:
            if rows.empty:
                continue
            full_table(paper, rows, split)
            if arguments.by_seed:
                seed_table(paper, rows, split)


def scores_of(frame, task, pair, split):
    rows = frame[(frame["task"] == task) & (frame["split"] == split)
                 & (frame["cell"] == pair[0]) & (frame["options"] == pair[1])]
    return list(rows["sequence_accuracy"])


def compact_table(paper, frame, splits):
    tasks = in_order(frame["task"].unique(), "task")
    rows = [[label(*pair)] + [compact_entry(frame, task, pair, splits) for task in tasks]
            for pair in series_in_order(frame)]
    rows.append(["best trivial baseline"]
                + [per_split(frame, task, splits, lambda r: percent(r["baseline"].max()))
                   for task in tasks])
    rows.append(["distinct strings"]
                + [per_split(frame, task, splits, lambda r: counts(r["sequences"]))
                   for task in tasks])
    paper.paragraph(f"Sequence accuracy in percent, {' / '.join(splits)}: median over seeds, and"
                    f" seeds that solved {splits[-1]} ({SOLVED_TEXT}).")
    paper.table(["cell"] + tasks, rows)


def compact_entry(frame, task, pair, splits):
    scores = [scores_of(frame, task, pair, split) for split in splits]
    if not any(scores):
        return "-"
    medians = " / ".join(percent(np.median(one)) if one else "-" for one in scores)
    solved = sum(score >= SOLVED for score in scores[-1])
    return f"{medians} ({solved}/{len(scores[-1])})"


def per_split(frame, task, splits, text):
    rows = frame[frame["task"] == task]
    return " / ".join(text(rows[rows["split"] == split]) for split in splits)


def full_table(paper, frame, split):
    header = ["task", "cell", "parameters", "state", "strings", "baseline", "seeds", "solved",
              "rate, 95 %", "max", "median", "mean", "min", "mean, 95 %", "scaled median"]
    rows = []
    for task in in_order(frame["task"].unique(), "task"):
        of_task = frame[frame["task"] == task]
        baseline = of_task["baseline"].max()
        for pair in series_in_order(of_task):
            one = of_series(of_task, pair)
            facts = summary(list(one["sequence_accuracy"]))
            rows.append([task, label(*pair), counts(one["parameters"]),
                         counts(one["state_size"]), counts(of_task["sequences"]),
                         percent(baseline), facts["n"], f"{facts['solved']}/{facts['n']}",
                         span(facts["rate"]), *(percent(facts[name]) for name in
                                                ("max", "median", "mean", "min")),
                         span(facts["interval"]), scaled(facts["median"], baseline)])
    paper.paragraph(f"{split}: sequence accuracy in percent over seeds.")
    paper.table(header, rows, left=2)


def scaled(score, baseline):
    """(score - c) / (1 - c), negative below the baseline c; nothing to win when c is 1."""
    if math.isnan(baseline) or baseline >= 1:
        return "-"
    return percent((score - baseline) / (1 - baseline))


def seed_table(paper, frame, split):
    seeds = sorted(frame["seed"].unique(), key=int)
    rows = []
    for task in in_order(frame["task"].unique(), "task"):
        of_task = frame[frame["task"] == task]
        for pair in series_in_order(of_task):
            one = of_series(of_task, pair)
            entries = {row["seed"]: "failed" if row["select"] == "failed"
                       else percent(row["sequence_accuracy"]) for _, row in one.iterrows()}
            rows.append([task, label(*pair)] + [entries.get(seed, "-") for seed in seeds])
    paper.paragraph(f"{split}: every seed; `failed` diverged or ran out of time and counts as 0.")
    paper.table(["task", "cell"] + [f"seed {seed}" for seed in seeds], rows, left=2)


# ---- report.py literature

LITERATURE_HELP = f"""\
What the literature says about a task, every number with its confidence:
`code` printed in, or read off data shipped by, a repository; `paper` in the paper itself;
`secondary` in a summary by others; `derived` computed by us. What is not known is left out.

--ours adds the median over our seeds of runs without cell options, and a verdict: `agrees` when
both solved the task ({SOLVED_TEXT}) or both did not, `differs`, or `not comparable` when we
have no such run. Ours are runs of rule `paper`. On formal languages, the default, the paper stopped
and selected on bin1 with one seed (protocol `paper`): another protocol asks more of ours than was
asked of theirs. A claim may have conditions on ours, such as variables=3 or window=10-10.

examples:
  report.py literature
  report.py literature --ours eval.csv
  report.py literature --ours eval.csv --protocol honest
  report.py literature --literature results/listops/literature.csv
"""

LITERATURE = (Path(__file__).resolve().parents[1] / "results" / "formal_languages"
              / "literature.csv")
TAGS = ("code", "paper", "secondary", "derived")


def literature(arguments):
    claims = read_literature(arguments.literature)
    ours = our_rows(arguments) if arguments.ours else None
    header = ["cell", "task", "split", "literature", "confidence", "source"]
    if ours is not None:
        header[5:5] = [f"ours ({arguments.protocol} protocol)", "verdict"]
    rows = []
    for claim in claims:
        row = [claim["cell"], label(claim["task"], claim["where"]), claim["split"],
               percent(claim["value"] / 100), claim["confidence"], claim["source"]]
        if ours is not None:
            found = our_scores(ours, claim)
            row[5:5] = [our_entry(found), verdict(claim["value"] / 100, found)]
        rows.append(row)
    print(markdown(header, rows, left=len(header)))
    print("Sequence accuracy in percent. Confidence: `code` printed in, or read off data shipped"
          " by, a repository;\n`paper` in the paper itself; `secondary` in a summary by others;"
          " `derived` computed by us.")
    if ours is not None:
        print(f"Ours: median over seeds, and seeds that solved the task ({SOLVED_TEXT})."
              " `agrees`: both solved it, or both did not.")


def read_literature(path):
    header, rows = read_rows(path, ["cell", "task", "split", "value", "confidence", "source"])
    if not rows:
        raise Problem(f"{path}: a header, but no rows")
    claims = []
    for line, row in rows:
        claim = {"where": "", **dict(zip(header, row))}
        if claim["confidence"] not in TAGS:
            raise Problem(f"{path}: line {line}: confidence `{claim['confidence']}`: only"
                          f" {', '.join(TAGS)} may be printed")
        claim["value"] = to_number(f"{path}: line {line}", "value", claim["value"])
        if not 0 <= claim["value"] <= 100:
            raise Problem(f"{path}: line {line}: value must be a percentage")
        claims.append(claim)
    cells = in_order((claim["cell"] for claim in claims), "cell")
    tasks = in_order((claim["task"] for claim in claims), "task")
    return sorted(claims, key=lambda claim: (cells.index(claim["cell"]),
                                             tasks.index(claim["task"]), claim["where"],
                                             claim["split"]))


def our_rows(arguments):
    frame = read_frame(arguments.ours, EVAL_ROW + ["sequence_accuracy"])
    frame = runs.choose(frame, "protocol", arguments.protocol)
    return runs.choose_checkpoint(frame[frame["rule"] == "paper"], arguments.select)


def our_scores(ours, claim):
    """Scores of our runs that fulfil the conditions of the claim and have no other option."""
    conditions = split_options(claim["where"])
    rows = ours
    for name in ("task", "cell", "split"):
        rows = rows[rows[name] == claim[name]]
    for condition in conditions:
        rows = rows[runs.fulfilled(rows, condition)]
    other = rows["options"].map(lambda text: set(split_options(text)) - set(conditions))
    rows = rows[~other.astype(bool)]
    runs.check_distinct(rows, RUN)
    runs.check_one_model(rows)
    runs.check_shares(rows, "sequence_accuracy")
    return list(rows["sequence_accuracy"])


def our_entry(scores):
    if not scores:
        return "-"
    solved = sum(score >= SOLVED for score in scores)
    return f"{percent(np.median(scores))} ({solved}/{len(scores)})"


def verdict(claimed, scores):
    if not scores:
        return "not comparable"
    return "agrees" if (claimed >= SOLVED) == (np.median(scores) >= SOLVED) else "differs"


# ---- command line

HELP = """\
Tables from the CSVs of rlt. Results go to stdout, messages to stderr.

examples:
  report.py merge runs/formal_languages --out eval.csv
  report.py table eval.csv
  report.py scores --splits valid,test --metrics bits eval.csv
  report.py literature --ours eval.csv
"""


def parser():
    top = Parser(prog="report.py", description=HELP)
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True,
                                  parser_class=Parser)
    one = commands.add_parser("table", help="scores with their statistics",
                              description=TABLE_HELP)
    one.set_defaults(run=table)
    one.add_argument("--splits", default="bin0,bin1", metavar="A,B",
                     help="splits to show (default bin0,bin1)")
    one.add_argument("--by-seed", action="store_true", help="list the score of every seed too")

    one = commands.add_parser("scores", help="chosen metrics, median and every seed",
                              description=score_tables.SCORES_HELP)
    one.set_defaults(run=score_tables.scores)
    one.add_argument("--splits", default="bin0", metavar="A,B",
                     help="splits to show (default bin0)")
    one.add_argument("--metrics", default="sequence_accuracy", metavar="A,B",
                     help=f"of {', '.join(score_tables.METRICS)} (default sequence_accuracy)")

    one = commands.add_parser("best", help="the best setting of a sweep, by validation data",
                              description=score_tables.BEST_HELP)
    one.set_defaults(run=score_tables.best)
    one.add_argument("--settings", required=True, metavar="A,B", help="columns that were swept")
    one.add_argument("--out", metavar="FILE", help="CSV to write beside the table")
    one.add_argument("csv", metavar="CSV")

    one = commands.add_parser("merge", help="one CSV from many run folders",
                              description=merge.HELP)
    one.set_defaults(run=merge.merge)
    one.add_argument("--which", choices=["eval", "lengths", "train"], default="eval",
                     help="the CSV to collect (default eval)")
    one.add_argument("--out", default="-", metavar="FILE", help="file to write (default stdout)")
    one.add_argument("--settings", metavar="A,B",
                     help="settings to add as columns, such as lr,d-model or window")
    one.add_argument("--splits", metavar="A,B", help="keep only these splits")
    one.add_argument("--add-to", metavar="CSV",
                     help="keep the rows that this CSV has of other runs; it may be --out itself")
    one.add_argument("--allow-unfinished", action="store_true",
                     help="leave out runs that go on still")
    one.add_argument("runs", nargs="+", metavar="RUNS")

    one = commands.add_parser("literature", help="published scores, beside ours",
                              description=LITERATURE_HELP)
    one.set_defaults(run=literature)
    one.add_argument("--ours", nargs="+", metavar="CSV", help="merged eval.csv of our runs")
    one.add_argument("--protocol", default="paper", metavar="NAME",
                     help="protocol of our runs to show: paper or honest (default paper)")
    one.add_argument("--literature", default=LITERATURE, metavar="CSV",
                     help="published scores (default results/formal_languages/literature.csv)")
    for name in ("table", "scores"):
        one = commands.choices[name]
        one.add_argument("--format", choices=["markdown", "latex"], default="markdown",
                         help="what to print (default markdown; latex needs booktabs)")
        one.add_argument("csv", nargs="+", metavar="CSV")
    for name in ("table", "scores", "best"):
        commands.choices[name].add_argument(
            "--where", action="append", default=[], metavar="NAME=VALUE",
            help="only rows of this option or column; may be repeated")
    for name in ("table", "scores", "best", "literature"):
        commands.choices[name].add_argument("--select", default="best", metavar="NAME",
                                            help="checkpoint: best, last or the name of its file"
                                            " (default best)")
    return top


def main(words):
    arguments = parser().parse_args(words)
    arguments.run(arguments)


if __name__ == "__main__":
    sys.exit(run_main(main))

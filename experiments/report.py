#!/usr/bin/env python3
"""Tables from the CSVs of rlt: scores with their statistics, merged runs, the literature."""

import csv
import io
import json
import math
import sys
from pathlib import Path

import numpy as np

import runs
from runs import Problem

SOLVED = 0.99           # a seed with at least this sequence accuracy has solved the task
SOLVED_TEXT = f"at least {100 * SOLVED:.0f} %"
Z = 1.959963984540054   # 95 % of a normal distribution lies within this many deviations
RESAMPLES = 10_000
BASELINES = ["chance_sequence", "best_constant_sequence", "position_majority_sequence"]

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
    """All numbers of one (cell, task, split). `scores`: one sequence accuracy a seed."""
    solved = sum(score >= SOLVED for score in scores)
    return {"n": len(scores), "solved": solved, "rate": wilson(solved, len(scores)),
            "max": max(scores), "median": float(np.median(scores)),
            "mean": float(np.mean(scores)), "min": min(scores),
            "interval": bootstrap(scores) if len(scores) > 1 else None}


# ---- numbers as text

def percent(share):
    """One decimal. Exactly 0 and 1 are `0` and `100`: 99.97 is printed 99.9, never 100."""
    if share is None or math.isnan(share):
        return "-"
    if share in (0.0, 1.0):
        return f"{100 * share:.0f}"
    return f"{min(100 * share, 99.94) if share < 1 else 100 * share:.1f}"


def span(interval):
    return "-" if interval is None else f"{percent(interval[0])} to {percent(interval[1])}"


def counts(values):
    """`500`, or `480 to 500` when the rows differ, or `-` when unknown."""
    known = values.dropna()
    if known.empty:
        return "-"
    low, high = int(known.min()), int(known.max())
    return f"{low}" if low == high else f"{low} to {high}"


def markdown(header, rows, left=1):
    """The first `left` columns hold words, the others numbers."""
    rule = [":--" if index < left else "--:" for index in range(len(header))]
    escaped = [[str(entry).replace("|", "\\|") for entry in row] for row in [header] + rows]
    lines = [escaped[0], rule] + escaped[1:]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


LATEX = {"\\": r"\textbackslash{}", "_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$",
         "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
         "<": r"$<$", ">": r"$>$"}


def latex_text(text):
    return "".join(LATEX.get(letter, letter) for letter in str(text))


def latex(header, rows, left=1):
    """A booktabs tabular."""
    columns = "l" * left + "r" * (len(header) - left)
    lines = [" & ".join(map(latex_text, row)) + r" \\" for row in [header] + rows]
    return "\n".join([rf"\begin{{tabular}}{{{columns}}}", r"\toprule", lines[0], r"\midrule",
                      *lines[1:], r"\bottomrule", r"\end{tabular}"]) + "\n"


class Paper:
    """Headings, paragraphs and tables as Markdown or LaTeX."""

    def __init__(self, kind):
        self.kind = kind

    def heading(self, text):
        print(f"## {text}\n" if self.kind == "markdown" else f"% {text}\n")

    def paragraph(self, text):
        print(f"{text}\n" if self.kind == "markdown" else f"{latex_text(text)}\n")

    def table(self, header, rows, left=1):
        print((markdown if self.kind == "markdown" else latex)(header, rows, left))


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
  report.py table --split bin1 --by-seed eval.csv
  report.py table --format latex eval.csv > table.tex
"""


def table(arguments):
    splits = arguments.split.split(",")
    if "length" in splits:
        raise Problem("--split length: a table needs bins; `plot.py length` draws lengths",
                      runs.USAGE)
    columns = runs.EVAL_ROW + ["sequence_accuracy", "sequences", "data_hash", "parameters",
                               "state_size"] + BASELINES
    frame = runs.choose_checkpoint(runs.read_frame(arguments.csv, columns), arguments.select)
    for split in splits:
        runs.choose(frame, "split", split)
    frame = frame[frame["split"].isin(splits)].copy()
    check_scores(frame)
    frame["baseline"] = frame[BASELINES].max(axis=1)
    paper = Paper(arguments.format)
    for (rule, protocol), group in frame.groupby(["rule", "protocol"]):
        check_same_strings(group)
        paper.heading(f"Rule {rule}, protocol {protocol}, checkpoint {arguments.select}")
        compact_table(paper, group, splits)
        for split, rows in [(split, group[group["split"] == split]) for split in splits]:
            if rows.empty:
                continue
            full_table(paper, rows, split)
            if arguments.by_seed:
                seed_table(paper, rows, split)


def check_scores(frame):
    runs.check_distinct(frame, runs.RUN + ["split"])
    bad = frame[~frame["sequence_accuracy"].between(0, 1)]
    if len(bad):
        row = bad.iloc[0]
        raise Problem(f"{row['file']}: sequence_accuracy of {runs.describe(row)} is"
                      f" {row['sequence_accuracy']}: it must be from 0 to 1")


def check_same_strings(frame):
    """Scores on different evaluation strings do not stand in one table."""
    for (task, split), rows in frame.groupby(["task", "split"]):
        known = rows[rows["data_hash"] != ""].drop_duplicates("data_hash")
        if len(known) > 1:
            one, two = known.iloc[0], known.iloc[1]
            raise Problem(f"{task} {split}: seed {one['seed']:g} of {one['cell']} ({one['file']})"
                          f" and seed {two['seed']:g} of {two['cell']} ({two['file']}) were tested"
                          " on different strings (data_hash)")


def scores_of(frame, task, pair, split):
    rows = frame[(frame["task"] == task) & (frame["split"] == split)
                 & (frame["cell"] == pair[0]) & (frame["options"] == pair[1])]
    return list(rows["sequence_accuracy"])


def compact_table(paper, frame, splits):
    tasks = runs.in_order(frame["task"].unique(), runs.TASKS)
    rows = [[runs.label(*pair)] + [compact_entry(frame, task, pair, splits) for task in tasks]
            for pair in runs.series_in_order(frame)]
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
    for task in runs.in_order(frame["task"].unique(), runs.TASKS):
        of_task = frame[frame["task"] == task]
        baseline = of_task["baseline"].max()
        for pair in runs.series_in_order(of_task):
            one = of_task[(of_task["cell"] == pair[0]) & (of_task["options"] == pair[1])]
            facts = summary(list(one["sequence_accuracy"]))
            rows.append([task, runs.label(*pair), counts(one["parameters"]),
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
    seeds = sorted(frame["seed"].unique())
    rows = []
    for task in runs.in_order(frame["task"].unique(), runs.TASKS):
        of_task = frame[frame["task"] == task]
        for pair in runs.series_in_order(of_task):
            one = of_task[(of_task["cell"] == pair[0]) & (of_task["options"] == pair[1])]
            entries = {row["seed"]: "failed" if row["select"] == "failed"
                       else percent(row["sequence_accuracy"]) for _, row in one.iterrows()}
            rows.append([task, runs.label(*pair)] + [entries.get(seed, "-") for seed in seeds])
    paper.paragraph(f"{split}: every seed; `failed` diverged or ran out of time and counts as 0.")
    paper.table(["task", "cell"] + [f"seed {seed:g}" for seed in seeds], rows, left=2)


# ---- report.py merge

MERGE_HELP = """\
One tidy CSV from many run folders, sorted by its keys: the same runs give the same bytes.

RUNS are run folders, or folders that hold them at any depth; a run folder holds meta.json.
A run that diverged (exit 3) or ran out of time (exit 75) has failed and is not dropped: its rows
have select `failed` and accuracy 0, for every split that the other runs of its task (and rule)
have; without other runs, for bin0 and bin1. A run that is still going on stops the merge, unless
--allow-unfinished leaves it out. `--which train` adds the columns rule, protocol and options.

examples:
  report.py merge runs/formal_languages --out eval.csv
  report.py merge runs/parity-* --which train --out train.csv
"""

FAILED = {3, 75}
PEER_FACTS = ["length_min", "length_max", "sequences", "tokens", "chance", "best_constant",
              "position_majority", *BASELINES, "data_hash"]
IDENTITY = ["task", "rule", "protocol", "cell", "options", "seed"]
NUMBER_KEYS = {"seed", "step", "length_min", "length_max"}


class Run:
    def __init__(self, folder):
        self.folder = folder
        path = folder / "meta.json"
        try:
            meta = json.loads(runs.read_text(path))
        except json.JSONDecodeError as error:
            raise Problem(f"{path}: not JSON: {error}") from error
        missing = [name for name in IDENTITY if name not in meta]
        if missing:
            raise Problem(f"{path}: missing {', '.join(missing)}: is it a run folder of rlt?")
        self.identity = {name: str(meta[name]) for name in IDENTITY}
        self.failed = meta.get("exit") in FAILED
        self.finished = self.failed or (folder / "DONE").exists()


def find_runs(places):
    folders = set()
    for place in map(Path, places):
        found = {path.parent for path in place.rglob("meta.json")}
        if not found:
            raise Problem(f"{place}: " + ("no run folder in it (no meta.json)" if place.is_dir()
                                          else "no such folder"))
        folders |= found
    return [Run(folder) for folder in sorted(folders)]


def merge(arguments):
    found = find_runs(arguments.runs)
    unfinished = [run for run in found if not run.finished]
    if unfinished and not arguments.allow_unfinished:
        raise Problem(f"{unfinished[0].folder}: not finished ({len(unfinished)} of {len(found)}"
                      " runs): wait, or leave them out with --allow-unfinished")
    if unfinished:
        print(f"report.py: left out {len(unfinished)} unfinished of {len(found)} runs",
              file=sys.stderr)
    found = [run for run in found if run.finished]
    check_each_once(found)
    header, rows = (merged_eval if arguments.which == "eval" else merged_train)(found)
    write_csv(arguments.out, header, rows)


def check_each_once(found):
    seen = {}
    for run in found:
        other = seen.setdefault(tuple(run.identity.values()), run)
        if other is not run:
            raise Problem(f"{other.folder} and {run.folder} are the same run"
                          f" ({' '.join(filter(None, run.identity.values()))}): merge one of them")


def read_dicts(path, required, expected):
    """(header, rows as dictionaries of text); the header must be the one of the other files."""
    header, rows = runs.read_rows(path, required)
    if expected and header != expected:
        different = sorted(set(header) ^ set(expected)) or ["only their order"]
        raise Problem(f"{path}: other columns than the runs before: {', '.join(different)}")
    return header, [dict(zip(header, row)) for row in rows]


def merged_eval(found):
    header, done, partial = None, [], {}
    for run in found:
        path = run.folder / "eval.csv"
        if run.failed and not path.exists():
            continue
        header, rows = read_dicts(path, runs.EVAL_ROW + ["sequence_accuracy"] + PEER_FACTS, header)
        if run.failed:
            partial[run.folder] = rows
        elif rows:
            done += rows
        else:
            raise Problem(f"{path}: a header, but no rows, although the run is done")
    if header is None:
        raise Problem("no eval.csv in any of the runs")
    for run in found:
        if run.failed:
            done += failed_rows(run, header, done, partial.get(run.folder, []))
    return header, sorted(done, key=lambda row: sort_key(row, runs.EVAL_ROW))


def failed_rows(run, header, done, own):
    """Accuracy 0 on every split of the task, with the facts of the evaluation set copied."""
    def alike(row, names):
        return all(row[name] == run.identity[name] for name in names)

    peers = own + [row for row in done if row["select"] != "failed"
                   and alike(row, ["task", "rule"])]
    cell = own + [row for row in peers if alike(row, ["cell", "options"])]
    sets = {(row["split"], row["length_min"], row["length_max"]) for row in peers}
    rows = []
    for split, low, high in sorted(sets) or [("bin0", "", ""), ("bin1", "", "")]:
        same_set = [row for row in peers
                    if (row["split"], row["length_min"], row["length_max"]) == (split, low, high)]
        row = dict.fromkeys(header, "")
        row.update({name: agreed(same_set, name) for name in PEER_FACTS})
        row.update({name: agreed(cell, name) for name in ("parameters", "state_size")
                    if name in header})
        row.update(run.identity)
        row.update(split=split, length_min=low, length_max=high, select="failed")
        row.update({name: "0" for name in ("sequences_correct", "tokens_correct",
                                           "token_accuracy", "sequence_accuracy")
                    if name in header})
        rows.append(row)
    return rows


def agreed(rows, name):
    """The value that all rows share, or empty."""
    values = {row[name] for row in rows}
    return values.pop() if len(values) == 1 else ""


def merged_train(found):
    header, merged = None, []
    for run in found:
        path = run.folder / "train.csv"
        if run.failed and not path.exists():
            continue
        header, rows = read_dicts(path, ["task", "cell", "seed", "step"], header)
        merged += [{**row, **run.identity} for row in rows]
    if header is None:
        raise Problem("no train.csv in any of the runs")
    header = IDENTITY + [name for name in header if name not in IDENTITY]
    return header, sorted(merged, key=lambda row: sort_key(row, IDENTITY + ["step"]))


def sort_key(row, names):
    """Numbers by value, words by alphabet; then the whole row, so that no order is left open."""
    key = []
    for name in names:
        text = row[name]
        if name in NUMBER_KEYS:
            key.append((0, float(text), "") if is_number(text) else (1, 0.0, text))
        else:
            key.append((0, 0.0, text))
    return key, list(row.values())


def is_number(text):
    try:
        return not math.isnan(float(text))
    except ValueError:
        return False


def write_csv(out, header, rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, header, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    if out == "-":
        sys.stdout.write(text.getvalue())
    else:
        runs.write_aside(out, lambda aside: aside.write_text(text.getvalue(), encoding="utf-8"))


# ---- report.py literature

LITERATURE_HELP = f"""\
What the literature says about the eight formal languages, every number with its confidence:
`code` printed in, or read off data shipped by, a repository; `paper` in the paper itself;
`secondary` in a summary by others; `derived` computed by us. What is not known is left out.

--ours adds the median over our seeds of runs without cell options, and a verdict: `agrees` when
both solved the task ({SOLVED_TEXT}) or both did not, `differs`, or `not comparable` when we
have no such run. Ours are runs of rule `paper`. The original paper stopped and selected on bin1
with one seed (protocol `paper`): another protocol asks more of ours than was asked of theirs.

examples:
  report.py literature
  report.py literature --ours eval.csv
  report.py literature --ours eval.csv --protocol honest
"""

LITERATURE = (Path(__file__).resolve().parents[1] / "results" / "formal_languages"
              / "literature.csv")
TAGS = ("code", "paper", "secondary", "derived")


def literature(arguments):
    header = ["cell", "task", "split", "literature", "confidence", "source"]
    claims = read_literature(arguments.literature)
    if arguments.ours:
        ours = our_rows(arguments)
        header[5:5] = [f"ours ({arguments.protocol} protocol)", "verdict"]
    rows = []
    for claim in claims:
        row = [claim["cell"], claim["task"], claim["split"], percent(claim["value"] / 100),
               claim["confidence"], claim["source"]]
        if arguments.ours:
            scores = scores_of(ours, claim["task"], (claim["cell"], ""), claim["split"])
            row[5:5] = [our_entry(scores), verdict(claim["value"] / 100, scores)]
        rows.append(row)
    print(markdown(header, rows, left=len(header)))
    print("Sequence accuracy in percent. Confidence: `code` printed in, or read off data shipped"
          " by, a repository;\n`paper` in the paper itself; `secondary` in a summary by others;"
          " `derived` computed by us.")
    if arguments.ours:
        print(f"Ours: median over seeds, and seeds that solved the task ({SOLVED_TEXT})."
              " `agrees`: both solved it, or both did not.")


def read_literature(path):
    header, rows = runs.read_rows(path, ["cell", "task", "split", "value", "confidence", "source"])
    claims = [dict(zip(header, row)) for row in rows]
    for number, claim in enumerate(claims, start=2):
        if claim["confidence"] not in TAGS:
            raise Problem(f"{path}: row {number}: confidence `{claim['confidence']}`: only"
                          f" {', '.join(TAGS)} may be printed")
        claim["value"] = runs.to_number(path, "value", number, claim["value"])
        if not 0 <= claim["value"] <= 100:
            raise Problem(f"{path}: row {number}: value must be a percentage")
    cells = runs.in_order((claim["cell"] for claim in claims), runs.CELLS)
    tasks = runs.in_order((claim["task"] for claim in claims), runs.TASKS)
    return sorted(claims, key=lambda claim: (cells.index(claim["cell"]),
                                             tasks.index(claim["task"]), claim["split"]))


def our_rows(arguments):
    frame = runs.read_frame(arguments.ours, runs.EVAL_ROW + ["sequence_accuracy"])
    frame = runs.choose_checkpoint(frame, arguments.select)
    check_scores(frame[frame["split"] != "length"])
    return frame[(frame["rule"] == "paper") & (frame["protocol"] == arguments.protocol)]


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
  report.py literature --ours eval.csv
"""


def parser():
    top = runs.Parser(prog="report.py", description=HELP)
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True,
                                  parser_class=runs.Parser)
    one = commands.add_parser("table", help="scores with their statistics",
                              description=TABLE_HELP)
    one.set_defaults(run=table)
    one.add_argument("--format", choices=["markdown", "latex"], default="markdown",
                     help="what to print (default markdown; latex needs booktabs)")
    one.add_argument("--split", default="bin0,bin1", metavar="A,B",
                     help="splits to show (default bin0,bin1)")
    one.add_argument("--by-seed", action="store_true", help="list the score of every seed too")
    one.add_argument("csv", nargs="+", metavar="CSV")

    one = commands.add_parser("merge", help="one CSV from many run folders",
                              description=MERGE_HELP)
    one.set_defaults(run=merge)
    one.add_argument("--which", choices=["eval", "train"], default="eval",
                     help="the CSV to collect (default eval)")
    one.add_argument("--out", default="-", metavar="FILE", help="file to write (default stdout)")
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
    for name in ("table", "literature"):
        commands.choices[name].add_argument("--select", default="best", metavar="NAME",
                                            help="checkpoint: best or last (default best)")
    return top


def main(words):
    arguments = parser().parse_args(words)
    arguments.run(arguments)


if __name__ == "__main__":
    sys.exit(runs.run_main(main))

#!/usr/bin/env python3
"""The Block-Recurrent Transformer against windows of attention: one CSV of all runs, with the learning rate that is best
on validation data; tables of bits, time and multiply-adds; and whether the paper's claim holds here."""

import math
import sys
from pathlib import Path

# First: it says in one line which package is missing.
from program import Parser, Problem, run_main

import numpy as np
import pandas

from columns import RUN
from files import write_whole
from frames import add_to, read_one
from printing import markdown
from run_folders import find_runs, read_config

REC, CLEARED = "Rec:fixed:skip", "Rec:fixed:skip:cleared"
PARTS = ["within_window", "within_reach", "within_segment", "beyond"]
SETTING = ["task", "arm"]  # whose learning rates are compared
KEYS = [*SETTING, "lr", "seed"]  # what a run is known by
FACTS = ["arm", "lr", "failed", "layers", "window", "segment", "parameters", "state_size", "step"]
FASTER = 1.8  # how many times the step of the long Transformer-XL is to take that of the recurrent model
ERRORS = 2  # standard errors that a difference must exceed


def options_of(text):
    return dict(one.split("=") for one in text.split(",") if one)


def arm_of(config):
    """The name that block_recurrent.sh gives to what was trained."""
    options = options_of(config["cell-option"])
    if config["cell"] == "transformer_xl":
        return f"XL:{options['window']}"
    if config["cell"] == "sliding_window":
        return f"Slide:{config['layers']}L"
    name = f"Rec:{options['gate']}:{options['configuration']}"
    if options.get("clear_state") == "on":
        name += ":cleared"
    return name + (":one_block" if config["segment"] == options["window"] else "")


def measured(run):
    """What `rlt eval` wrote, or None."""
    path = run.folder / "measured.csv"
    return pandas.read_csv(path) if path.exists() else None


def row_of(run, found):
    config = read_config(run.folder / "config.toml")
    row = {name: run.identity[name] for name in RUN}
    row |= {"arm": arm_of(config), "lr": config["lr"], "failed": run.failed, "layers": int(config["layers"]),
            "window": int(options_of(config["cell-option"])["window"]), "segment": int(config["segment"])}
    if found is None:
        return row
    sets = found.set_index("split")
    row |= {name: int(sets[name].iloc[0]) for name in ("parameters", "state_size", "step")}
    for split in ("valid", "test"):
        one = sets.loc[split]
        row[f"{split}_bits"] = one["bits"] if math.isnan(one["bits_per_byte"]) else one["bits_per_byte"]
    for part in set(PARTS) & set(sets.index):
        row |= {part: sets.loc[part, "token_accuracy"], f"{part}_constant": sets.loc[part, "best_constant"]}
    return row


# ---- block_recurrent.py merge

def mark_best(frame):
    """Whether the run has the learning rate with the fewest bits on validation data, mean over the seeds that every rate of
    the arm has. A failed run counts as bits without end."""
    bits = frame["valid_bits"].where(~frame["failed"]).fillna(math.inf)
    rates = frame.groupby(SETTING)["lr"].transform("nunique")
    shared = frame.groupby([*SETTING, "seed"])["lr"].transform("nunique") == rates
    none = ~shared.groupby([frame[name] for name in SETTING]).transform("any")
    means = frame.assign(bits=bits)[shared | none].groupby([*SETTING, "lr"])["bits"].mean()
    best = set(means.groupby(SETTING).idxmin())
    return [key in best for key in frame[[*SETTING, "lr"]].itertuples(index=False, name=None)]


def is_variant(arm):
    """Another gate or configuration."""
    return arm.startswith("Rec:") and not arm.startswith(REC)


def arm_order(arm):
    """Transformer-XL by window, then sliding windows by layers, then what has states."""
    kind, *rest = arm.split(":")
    return (["XL", "Slide", "Rec"].index(kind), int(rest[0].rstrip("L")) if kind != "Rec" else 0, is_variant(arm), arm)


def ordered(frame):
    keys = {"arm": lambda arm: arm_order(arm), "task": str, "lr": float, "seed": int}
    ranks = [frame[name].map(key) for name, key in
             (("task", keys["task"]), ("arm", keys["arm"]), ("lr", keys["lr"]), ("seed", keys["seed"]))]
    return frame.iloc[sorted(range(len(frame)), key=lambda index: tuple(rank.iloc[index] for rank in ranks))]


def positions_of(row, found):
    """The rows of the test data by position in the document."""
    if found is None or row["task"] != "text":
        return []
    own = found[found["split"] == "test_positions"]
    rows = own[["size_min", "size_max", "tokens", "bits"]].astype({"size_min": int, "size_max": int}).to_dict("records")
    return [{name: row[name] for name in [*RUN, "arm", "lr"]} | one for one in rows]


def bench_rows(place):
    """`rlt bench` of each arm and round: files ARM.ROUND.csv."""
    rows = []
    for path in sorted(place.glob("*.*.csv")):
        arm, number, _ = path.name.split(".")
        one = pandas.read_csv(path).iloc[-1]
        tokens = one["batch"] * one["length"]
        rows.append({"arm": arm.replace("-", ":"), "round": int(number), "step_ms": one["step_ms"],
                     "forward_ms": one["forward_ms"], "step_min_ms": one["step_min_ms"],
                     "multiply_adds_per_token": round(one["gflops"] * 1e6 * one["step_ms"] / 2 / tokens),
                     "processor": one["processor"]})
    return rows


def table(path, rows, keys, add):
    """The rows, with `add` below those of other runs that the CSV has."""
    frame = pandas.DataFrame(rows)
    return add_to(path, frame, keys) if add and rows and path.exists() else frame


def write_table(path, frame):
    write_whole(path, frame.to_csv(index=False).encode(), [])
    print(path)


def merge(chosen):
    """OUT/results.csv, a row per run; of the best learning rates OUT/positions.csv; OUT/bench.csv."""
    runs = find_runs([chosen.runs], [])
    tell("still at work", [run for run in runs if not run.finished and not run.killed])
    runs = [run for run in runs if run.finished or run.killed]
    if not runs:
        raise Problem(f"{chosen.runs}: no run there has ended")
    found = [measured(run) for run in runs]
    tell("no measured.csv in", [run for run, one in zip(runs, found) if one is None and not run.failed])
    rows = [row_of(run, one) for run, one in zip(runs, found)]
    facts = [*RUN, *FACTS, "valid_bits", "test_bits", *PARTS, *(f"{part}_constant" for part in PARTS)]
    out = Path(chosen.out)
    frame = table(out / "results.csv", rows, KEYS, chosen.add).reindex(columns=facts)
    for name in ("parameters", "state_size", "step"):
        frame[name] = frame[name].astype("Int64")
    frame["chosen"] = mark_best(frame)
    write_table(out / "results.csv", ordered(frame))
    best = set(frame.loc[frame["chosen"], KEYS].itertuples(index=False, name=None))
    positions = [one for row, measures in zip(rows, found) for one in positions_of(row, measures)]
    if positions:
        frame = table(out / "positions.csv", positions, KEYS, chosen.add)
        frame = frame[[key in best for key in frame[KEYS].itertuples(index=False, name=None)]]
        write_table(out / "positions.csv", ordered(frame))
    if times := bench_rows(Path(chosen.runs) / "bench"):
        write_table(out / "bench.csv", table(out / "bench.csv", times, ["arm", "round"], chosen.add))


def tell(what, runs):
    if runs:
        print(f"{Path(sys.argv[0]).name}: {what}: {', '.join(str(run.folder) for run in runs)}", file=sys.stderr)


# ---- block_recurrent.py scores

class Estimate:
    """Mean of the seeds and its standard error, which one seed does not have."""

    def __init__(self, values):
        self.values = [value for value in values if not math.isnan(value)]
        count = len(self.values)
        self.mean = float(np.mean(self.values)) if count else math.nan
        self.error = float(np.std(self.values, ddof=1)) / math.sqrt(count) if count > 1 else math.nan

    def known(self):
        return not math.isnan(self.error)

    def text(self, digits=4, scale=1):
        if not self.values:
            return "-"
        error = f" ± {scale * self.error:.{digits}f}" if self.known() else ""
        return f"{scale * self.mean:.{digits}f}{error}"


def gain(better, worse):
    """(how much lower `better` is, the standard error of that)."""
    return worse.mean - better.mean, math.hypot(better.error, worse.error)


class Results:
    """The runs at the best learning rate of their arm, and the times of the arms."""

    def __init__(self, folder):
        frame = read_one(folder / "results.csv", ["lr", "seed"])
        self.frame = frame[frame["chosen"]]
        path = folder / "bench.csv"
        # The fastest step of all rounds: other work on the machine makes some slower, and none faster.
        self.times = read_one(path).groupby("arm")[["step_min_ms", "multiply_adds_per_token"]].min() \
            if path.exists() else pandas.DataFrame(columns=["step_min_ms", "multiply_adds_per_token"])

    def of(self, task):
        return self.frame[self.frame["task"] == task]

    def arms(self, task):
        return sorted(set(self.of(task)["arm"]), key=arm_order)

    def rows(self, task, arm):
        own = self.of(task)
        return own[own["arm"] == arm]

    def estimate(self, task, arm, column):
        return Estimate(self.rows(task, arm)[column].where(~self.rows(task, arm)["failed"]))

    def of_kind(self, kind):
        """Of text: the arms by window or by layers, the largest last."""
        return [arm for arm in self.arms("text") if arm.startswith(kind)] or [kind + "-"]

    def time(self, arm, column="step_min_ms"):
        return self.times[column].get(arm, math.nan)


def text_table(results):
    header = ["arm", "learning rate", "segment", "parameters", "carried", "bits per character", "seeds", "ms per step",
              f"of {REC}", "multiply-adds per token"]
    rows = []
    for arm in results.arms("text"):
        own = results.rows("text", arm)
        each = ", ".join("failed" if row["failed"] else "-" if math.isnan(row["test_bits"]) else f"{row['test_bits']:.4f}"
                         for _, row in own.iterrows())
        share = results.time(arm) / results.time(REC)
        adds = results.time(arm, "multiply_adds_per_token")
        rows.append([arm, own["lr"].iloc[0], whole(own["segment"]), whole(own["parameters"]), whole(own["state_size"]),
                     results.estimate("text", arm, "test_bits").text(), each, number(results.time(arm), ".1f"),
                     number(share, ".2f"), number(adds, ",.0f")])
    return markdown(header, rows)


def recall_table(results):
    rows = []
    for arm in results.arms("entity_recall"):
        own = results.rows("entity_recall", arm)
        rows.append([arm, own["lr"].iloc[0], results.estimate("entity_recall", arm, "test_bits").text(3),
                     *(results.estimate("entity_recall", arm, part).text(1, 100) for part in PARTS)])
    own = results.of("entity_recall")
    rows.append(["*the best single answer*", "-", "-", *(number(100 * own[f"{part}_constant"].max(), ".1f")
                                                         for part in PARTS)])
    return markdown(["arm", "learning rate", "bits per value", *(part.replace("_", " ") for part in PARTS)], rows)


def whole(column):
    known = column.dropna()
    return f"{int(known.iloc[0])}" if len(known) else "-"


def number(value, form):
    return "-" if math.isnan(value) else f"{value:{form}}"


# Each part of the claim: (numbers, whether it holds; None where it was not measured).

def fewer_bits(results, other):
    one, two = (results.estimate("text", arm, "test_bits") for arm in (REC, other))
    if not one.known() or not two.known():
        return "needs two seeds of both", None
    difference, error = gain(one, two)
    return f"{one.text()} against {two.text()}: fewer by {difference:.4f} ± {error:.4f}", difference > ERRORS * error


def faster(results, other):
    ratio = results.time(other) / results.time(REC)
    if math.isnan(ratio):
        return "needs the times of both", None
    adds = results.time(other, "multiply_adds_per_token") / results.time(REC, "multiply_adds_per_token")
    return (f"{results.time(other):.1f} against {results.time(REC):.1f} ms: {ratio:.2f} times as long, with {adds:.2f}"
            " times the multiply-adds", ratio >= FASTER)


def state_matters(results, slide):
    rec, cleared, other = (results.estimate("text", arm, "test_bits") for arm in (REC, CLEARED, slide))
    if not all(one.values for one in (rec, cleared, other)):
        return "needs all three arms", None
    gained, lost = other.mean - rec.mean, cleared.mean - rec.mean
    if gained <= 0:
        return f"no gain to lose: {gained:.4f}", False
    return f"{lost:.4f} of {gained:.4f} lost ({100 * lost / gained:.0f} %)", lost >= gained / 2


def recalls_alone(results):
    """`beyond` are distances over a segment; arms whose layers and windows reach that far are not asked."""
    frame = results.of("entity_recall")
    segment = frame.loc[frame["arm"] == REC, "segment"]
    others = frame[frame["window"] * frame["layers"] <= segment.max()]["arm"]
    others = sorted({arm for arm in others if not arm.startswith("Rec")}, key=arm_order)
    estimates = {arm: results.estimate("entity_recall", arm, "beyond") for arm in [REC, *others]}
    if not others or not all(one.known() for one in estimates.values()):
        return "needs two seeds of it and of a window that does not reach", None
    floor = frame["beyond_constant"].max()
    above = {arm: one.mean - floor > ERRORS * one.error for arm, one in estimates.items()}
    texts = ", ".join(f"{arm} {one.text(1, 100)} %" for arm, one in estimates.items())
    return f"{texts}; the best single answer {100 * floor:.1f} %", above[REC] and not any(above[arm] for arm in others)


def verdicts(results):
    def fewer(arm):
        return f"fewer bits than {arm}, by more than {ERRORS} standard errors", fewer_bits(results, arm)

    long, slides = results.of_kind("XL:")[-1], results.of_kind("Slide:")
    claims = [fewer(long),
              (f"a step of {long} takes {FASTER} times as long or longer", faster(results, long)),
              *map(fewer, slides),  # the paper asks for a layer more; here one less may be better
              (f"clearing the state loses half or more of the gain over {slides[-1]}", state_matters(results, slides[-1])),
              ("of what does not reach farther than a segment it alone recalls from there", recalls_alone(results))]
    words = {True: "holds", False: "does not hold", None: "not measured"}
    return markdown([f"claim of {REC}", "numbers", "verdict"],
                    [[claim, numbers, words[None if holds is None else bool(holds)]] for claim, (numbers, holds) in claims],
                    left=3)


def scores(chosen):
    """Markdown: what every arm got at its best learning rate, mean over seeds with the standard error, and the parts of
    the claim."""
    results = Results(Path(chosen.folder))
    parts = []
    if results.arms("text"):
        parts += ["Source code, test data; time and multiply-adds (dense products) of a whole training step:", "",
                  text_table(results)]
    if results.arms("entity_recall"):
        parts += ["Recall, percent of values right by the distance of the last mention:", "", recall_table(results)]
    print("\n".join([*parts, verdicts(results)]).rstrip())


def parser():
    top = Parser(description=__doc__)
    commands = top.add_subparsers(dest="command", required=True, parser_class=Parser)
    one = commands.add_parser("merge", help="one CSV of all runs below a folder", description=merge.__doc__)
    one.add_argument("runs")
    one.add_argument("--out", required=True, help="folder")
    one.add_argument("--add", action="store_true", help="keep the rows of other runs that are there")
    one.set_defaults(run=merge)
    one = commands.add_parser("scores", help="each arm at its best learning rate", description=scores.__doc__)
    one.add_argument("folder", help="where merge wrote")
    one.set_defaults(run=scores)
    return top


def main(words):
    chosen = parser().parse_args(words)
    chosen.run(chosen)


if __name__ == "__main__":
    sys.exit(run_main(main))

#!/usr/bin/env python3
"""Times `rlt bench` and the PyTorch peer in turns: bench.csv with one row per case and round, table.md with
medians beside the targets. Measures the chosen cases anew and keeps the others. experiments/speed.sh runs it."""

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

# First: it says in one line which package is missing.
from program import USAGE, Parser, Problem, reason, run_main, whole_number

import pandas

from files import make_folder, write_whole
from names import in_order

PEER = Path(__file__).resolve().parents[1] / "tests" / "peer" / "time_step.py"

# Short strings at several widths, the main case first, and long ones.
CASES = {"64": {"d_model": 64, "heads": 4, "batch": 32, "length": 50},
         "long": {"d_model": 128, "heads": 8, "batch": 16, "length": 512},
         "16": {"d_model": 16, "heads": 4, "batch": 32, "length": 50},
         "32": {"d_model": 32, "heads": 4, "batch": 32, "length": 50},
         "128": {"d_model": 128, "heads": 4, "batch": 64, "length": 50},
         "256": {"d_model": 256, "heads": 8, "batch": 64, "length": 100},
         "512": {"d_model": 64, "heads": 4, "batch": 16, "length": 512}}
SLOW = {"256", "long"}  # for the peer
CELLS_OF = {"512": ["transformer", "aaren", "sliding_window", "block_recurrent"]}  # of a case that is not for all, unless they are chosen
LAYERS, FF, THREADS = 2, 4, 2
SLOW_PEER_REPEATS = 1
FAST_WEIGHTS = ["linear", "deltanet", "delta_rnn", "delta_lstm", "delta_mlp", "rdn", "srwm"]
# The second form of the peer, where there is one.
SECOND_PEER = {**dict.fromkeys(FAST_WEIGHTS, ["--read", "elementwise"]), "aaren": ["--prefix", "scan"]}

# Targets by case: at most so many times the floor; the peer takes at least so many times as long.
TO_FLOOR = {"64": dict.fromkeys(["linear", "deltanet", "rdn", "srwm", "transformer_preln"], 1.5),
            "long": dict.fromkeys(["deltanet", "rdn", "delta_rnn"], 1.6),
            "512": {"aaren": 1.5, "block_recurrent": 2}}
TO_PEER = {"64": {"deltanet": 15, "rdn": 15, "srwm": 15, "lstm": 2, "elstm": 2},
           "long": dict.fromkeys(["deltanet", "rdn", "delta_rnn"], 20),
           "512": {"aaren": 10, "block_recurrent": 8}}
TO_FAST_PEER = {"512": {"aaren": 10}}

SIZES = ["d_model", "layers", "heads", "ff", "batch", "length", "threads"]
FLAGS = ["cell", *SIZES]
KEYS = ["case", *FLAGS]
COLUMNS = [*KEYS, "round", "rlt_step_ms", "rlt_forward_ms", "floor_ms", "peer_step_ms",
           "peer_forward_ms", "fast_peer_step_ms", "step_over_floor", "peer_over_rlt",
           "fast_peer_over_rlt", "processor"]


def parse(arguments):
    parser = Parser(description=__doc__)
    parser.add_argument("--rlt", required=True, help="the program")
    parser.add_argument("--out", default="results/speed", help="folder for bench.csv and table.md")
    parser.add_argument("--cases", default=",".join(CASES), help=f"of {', '.join(CASES)}")
    parser.add_argument("--cells", default="", help="cells; default: all that rlt has")
    for flag, default, what in (("--rounds", 5, "turns of rlt and peer for each case"),
                                ("--repeats", 21, "steps of rlt in a round"),
                                ("--peer-repeats", 5, "steps of the peer in a round")):
        parser.add_argument(flag, default=default, metavar="N", help=f"{what} (default {default})",
                            type=lambda text, flag=flag: whole_number(flag, text))
    parser.add_argument("--quick", action="store_true", help=f"no peer in the cases {', '.join(sorted(SLOW))}")
    chosen = parser.parse_args(arguments)
    chosen.cases = chosen.cases.replace(",", " ").split()
    for name in chosen.cases or [""]:
        if name not in CASES:
            raise Problem(f"--cases {name!r}: choose from {', '.join(CASES)}", USAGE)
    return chosen


# ---- measuring

class Killed(Problem):
    """A program that the system ended: as a rule it asked for more memory than there is."""


def output_of(command):
    try:
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, errors="replace",
                              check=False)
    except OSError as error:
        raise Problem(f"{command[0]}: {reason(error)}") from error
    if done.returncode == -signal.SIGKILL:
        raise Killed(f"{command[1]} was killed, as a program is that needs more memory than there is")
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise Problem(f"{command[0]} {command[1]} ended with {done.returncode}: {lines[-1]}")
    return done.stdout


def row_of(command, columns):
    """Numbers of the one row of a CSV that a program prints."""
    text = output_of(command)
    try:
        row = next(csv.DictReader(text.splitlines()))
        return {name: float(row[name]) for name in columns}
    except (StopIteration, KeyError, ValueError, TypeError) as error:
        raise Problem(f"{command[0]} {command[1]} did not print a CSV with {', '.join(columns)}") from error


def flags(case):
    return [word for name in FLAGS for word in ("--" + name.replace("_", "-"), case[name])]


def time_rlt(program, case, repeats):
    row = row_of([program, "bench", *flags(case), "--repeats", repeats, "--csv", "-"],
                 ["step_ms", "forward_ms", "floor_ms", "step_over_floor"])
    return {"rlt_step_ms": row["step_ms"], "rlt_forward_ms": row["forward_ms"],
            "floor_ms": row["floor_ms"], "step_over_floor": row["step_over_floor"]}


def time_peer(case, repeats, form=()):
    return row_of([sys.executable, PEER, *flags(case), "--repeats", repeats, *form],
                  ["peer_step_ms", "peer_forward_ms"])


def measure(chosen, case, with_peer):
    """The rows of one case: a slow moment of the machine meets both sides of a round."""
    repeats = SLOW_PEER_REPEATS if case["case"] in SLOW else chosen.peer_repeats
    for turn in range(1, chosen.rounds + 1):
        row = {**case, "round": turn, **time_rlt(chosen.rlt, case, chosen.repeats)}
        try:
            if with_peer:
                row |= time_peer(case, repeats)
                row["peer_over_rlt"] = row["peer_step_ms"] / row["rlt_step_ms"]
            if with_peer and (form := SECOND_PEER.get(case["cell"])):
                row["fast_peer_step_ms"] = time_peer(case, repeats, form)["peer_step_ms"]
                row["fast_peer_over_rlt"] = row["fast_peer_step_ms"] / row["rlt_step_ms"]
        except Killed as problem:
            print(f"speed: {problem}; its columns stay empty", file=sys.stderr)
            with_peer = False
        yield row


def cases_of(chosen):
    known = [line.split()[0] for line in output_of([chosen.rlt, "cells"]).splitlines() if line.strip()]
    wanted = chosen.cells.replace(",", " ").split()
    for cell in wanted or known or [""]:
        if cell not in known:
            raise Problem(f"{chosen.rlt} has no cell {cell!r}")
    for name in chosen.cases:
        for cell in wanted or in_order(set(known) & set(CELLS_OF.get(name, known)), "cell"):
            yield {"case": name, "cell": cell, "layers": 1 if cell == "elstm" else LAYERS, "ff": FF,
                   "threads": THREADS, **CASES[name]}


# ---- what stands in bench.csv already

def measured_before(path, processor_name):
    """The rows of this processor; none where there is no such file."""
    if not path.exists():
        return pandas.DataFrame(columns=COLUMNS)
    try:
        # The numbers of cases that are not measured anew must not change in their last digit.
        frame = pandas.read_csv(path, dtype={"case": str}, float_precision="round_trip")
    except OSError as error:
        raise Problem(f"{path}: {reason(error)}") from error
    except ValueError:  # the errors of pandas are ValueErrors
        frame = pandas.DataFrame()
    if list(frame.columns) != COLUMNS or not set(frame["case"]) <= set(CASES):
        raise Problem(f"{path}: not a file of this script; remove it, or choose another --out")
    return frame[frame["processor"] == processor_name]


def replaced(frame, rows):
    """`rows`, all of one case and cell, in place of those before; cases in the order of CASES."""
    same = (frame["case"] == rows["case"].iloc[0]) & (frame["cell"] == rows["cell"].iloc[0])
    whole = rows if frame[~same].empty else pandas.concat([frame[~same], rows])
    cases, cells = list(CASES), in_order(set(whole["cell"]), "cell")
    place = whole["case"].map(cases.index) * len(cells) + whole["cell"].map(cells.index)
    return whole.assign(place=place).sort_values("place", kind="stable").drop(columns="place")


# ---- the machine

def processor():
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown"


def first_of_core(cpu):
    """The lowest number among the processors that share a core with this one."""
    try:
        path = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        return int(path.read_text(encoding="utf-8").replace("-", ",").split(",")[0])
    except OSError:
        return cpu


def stay_on(count):
    """Keeps this program and all that it starts on `count` cores, no two of them halves of one."""
    allowed = sorted(os.sched_getaffinity(0))
    cores = list({first_of_core(cpu): cpu for cpu in reversed(allowed)}.values())[::-1]
    if len(cores) < count:
        print(f"speed: {len(cores)} cores for {count} threads", file=sys.stderr)
        cores = allowed
    os.sched_setaffinity(0, cores[:count])
    load = os.getloadavg()[0]
    if load > 0.5:
        print(f"speed: the machine is busy (load {load:.1f}): threads that wait for each other may take "
              "many times as long", file=sys.stderr)


def peer_there():
    if subprocess.run([sys.executable, "-c", "import torch"], stderr=subprocess.DEVNULL,
                      check=False).returncode == 0:
        return True
    print("speed: PyTorch is missing (Debian: python3-torch): the peer is skipped", file=sys.stderr)
    return False


# ---- table

def judged(text, value, met):
    if pandas.isna(value):
        return f"{text}: not measured"
    return f"{text}: {'met' if met else '**missed**'}"


def verdict(row):
    """What was asked of this case and whether it is so; empty where nothing is asked."""
    asked = []
    if limit := TO_FLOOR.get(row["case"], {}).get(row["cell"]):
        value = row["step_over_floor"]
        asked.append(judged(f"step / floor ≤ {limit}", value, value <= limit))
    if limit := TO_PEER.get(row["case"], {}).get(row["cell"]):
        value = row["peer_over_rlt"]
        asked.append(judged(f"peer / rlt ≥ {limit}", value, value >= limit))
    if limit := TO_FAST_PEER.get(row["case"], {}).get(row["cell"]):
        value = row["fast_peer_over_rlt"]
        asked.append(judged(f"fast peer / rlt ≥ {limit}", value, value >= limit))
    return "; ".join(asked)


def number(value, digits=2):
    return "-" if pandas.isna(value) else f"{value:.{digits}f}"


def table(frame):
    """Markdown: medians over the rounds."""
    medians = frame.groupby(KEYS, sort=False).median(numeric_only=True).reset_index()
    turns = frame.groupby(KEYS)["round"].max()
    rounds = f"{turns.min()}" if turns.min() == turns.max() else f"{turns.min()} to {turns.max()}"
    lines = [
        f"Milliseconds of a training step (forward, backward, Adam), float, {THREADS} threads, on "
        f"{frame['processor'].iloc[0]}; medians over {rounds} rounds of `rlt bench` and "
        "`tests/peer/time_step.py` in turns. Floor: the same dense products alone. Peer: the same "
        "cell in PyTorch, reading fast weights as everybody writes it (`k @ W`); fast peer: by the "
        "fastest form found, `(W * k).sum`. Of aaren: by a masked matrix of scores; fast peer: by a scan.", "",
        "| cell | d | layers | heads | batch | length | rlt | floor | step / floor | peer | fast peer "
        "| peer / rlt | fast peer / rlt | target |", "|---|" + "---:|" * 12 + "---|"]
    for _, row in medians.iterrows():
        cells = [row["cell"], *(row[name] for name in ["d_model", "layers", "heads", "batch", "length"]),
                 number(row["rlt_step_ms"]), number(row["floor_ms"]), number(row["step_over_floor"]),
                 number(row["peer_step_ms"]), number(row["fast_peer_step_ms"]),
                 number(row["peer_over_rlt"], 1), number(row["fast_peer_over_rlt"], 1), verdict(row)]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines) + "\n"


def main(arguments):
    chosen = parse(arguments)
    cases = list(cases_of(chosen))
    out = make_folder(chosen.out)
    name = processor()
    frame = measured_before(out / "bench.csv", name)
    stay_on(THREADS)
    os.environ["OPENBLAS_NUM_THREADS"] = str(THREADS)  # the peer's; rlt sets its own
    peer = peer_there()
    for case in cases:
        print(f"speed: case {case['case']}: {case['cell']}", file=sys.stderr)
        with_peer = peer and not (chosen.quick and case["case"] in SLOW)
        rows = [{**row, "processor": name} for row in measure(chosen, case, with_peer)]
        # After every case: what was measured stays when the rest is interrupted.
        frame = replaced(frame, pandas.DataFrame(rows, columns=COLUMNS))
        write_whole(out / "bench.csv", frame.to_csv(index=False).encode())
        write_whole(out / "table.md", table(frame).encode())
    print(out / "table.md")


if __name__ == "__main__":
    sys.exit(run_main(main))

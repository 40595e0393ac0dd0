"""The scripts of experiments/: every command they print is accepted, and each runs from data to
tables with tiny models. Tasks and cells that the program does not have are left out."""

import csv
import os
import re
import shlex
import subprocess
import sys
import tempfile
import tomllib
import unittest
from pathlib import Path

from support import ROOT

import columns

PROGRAM = Path(os.environ.get("RLT_PROGRAM", ROOT / "build" / "release" / "rlt"))
CELLS = "lstm transformer linear deltanet delta_rnn delta_lstm delta_mlp rdn srwm".split()

# In place of the program: tiny models, one epoch, and a note of every call.
TINY = """\
#!/bin/sh
echo "$1 $2" >>"$CALLS"
[ "$1" = train ] || exec "$PROGRAM" "$@"
case " $* " in
  *" --data "*) sizes= ;;
  *) sizes="--train-size 32 --eval-sequences 4" ;;
esac
exec "$PROGRAM" "$@" --d-model 8 --heads 2 --layers 1 --batch 8 --epochs 1 --steps 0 $sizes --log-every 1
"""


def names(kind):
    """`rlt tasks` or `rlt cells`."""
    done = subprocess.run([PROGRAM, kind], capture_output=True, text=True, check=True)
    return [line.split()[0] for line in done.stdout.splitlines()]


@unittest.skipUnless(PROGRAM.exists(), f"{PROGRAM} is not built")
class Scripts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "text").write_text("The quick brown fox jumps over the lazy dog.\n" * 40)
        self.environment = {
            "PATH": os.environ["PATH"], "PROGRAM": str(PROGRAM), "RLT_PROGRAM": str(PROGRAM),
            "DATA": str(self.folder / "text"), "RUNS": str(self.folder / "runs"),
            "OUT": str(self.folder / "out"), "CALLS": str(self.folder / "calls"), "JOBS": "2"}
        self.tasks, self.cells = names("tasks"), names("cells")

    def script(self, name, **environment):
        return subprocess.run([ROOT / "experiments" / f"{name}.sh"], capture_output=True, text=True,
                              env=self.environment | environment, check=False)

    def settings(self, name, **environment):
        """What every command that LIST=1 prints resolves to: the settings, and its --out."""
        done = self.script(name, LIST="1", **environment)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        resolved = []
        for line in done.stdout.splitlines():
            words = shlex.split(line)
            self.assertEqual(words[:2], [str(PROGRAM), "train"])
            task, cell = (words[words.index(flag) + 1] for flag in ("--task", "--cell"))
            if task not in self.tasks or cell not in self.cells:
                continue
            found = subprocess.run([*words, "--print-config"], capture_output=True, text=True,
                                   check=False)
            self.assertEqual((found.returncode, found.stderr), (0, ""), line)
            self.assertIn("--resume", words)
            resolved.append(tomllib.loads(found.stdout) | {"out": words[words.index("--out") + 1]})
        self.assertEqual(len({one["out"] for one in resolved}), len(resolved))
        return resolved

    def known(self, task):
        """How many of CELLS the program can train on the task."""
        return len(set(CELLS) & set(self.cells)) if task in self.tasks else 0

    def test_formal_languages(self):
        found = self.settings("formal_languages", SEEDS="2 3", LANGUAGES="parity dyck1")
        self.assertEqual(len(found), 2 * 2 * 7 * 2)
        self.assertEqual({(one["rule"], one["protocol"]) for one in found},
                         {("paper", "paper"), ("honest", "honest")})

    def assert_sizes(self, found, **sizes):
        for one in found:
            self.assertEqual({name: one[name.replace("_", "-")] for name in sizes}, sizes)
            self.assertEqual(one["protocol"], "honest")
            self.assertEqual(one["positions"],
                             "sinusoidal" if one["cell"] == "transformer" else "none")

    PAPER = {"layers": 4, "d_model": 256, "heads": 16, "ff": 4, "batch": 64, "lr": 3e-4,
             "dropout": 0.1, "epochs": 200, "train_size": 10000, "eval_sequences": 1000, "clip": 0,
             "patience": 0, "bucket": 1}
    SMALL = {"layers": 2, "d_model": 64, "heads": 4, "ff": 4, "batch": 32, "dropout": 0,
             "clip": 1}

    def test_code_execution(self):
        paper = self.settings("code_execution", PRESET="paper", SEEDS="1")
        self.assertEqual(len(paper), 2 * self.known("code_execution"))
        self.assert_sizes(paper, **self.PAPER, rule="paper", window="100-100")
        self.assertLessEqual({one["task-option"] for one in paper},
                             {"variables=3", "variables=5"})
        small = self.settings("code_execution", SEEDS="1 2")
        self.assertEqual(len(small), 2 * self.known("code_execution"))
        self.assert_sizes(small, **self.SMALL, bucket=16, window="5-25", rule="honest")
        self.assertEqual({one["lr"] for one in small if one["cell"] == "lstm"}, {3e-3})
        self.assertEqual({one["lr"] for one in small if one["cell"] != "lstm"}, {1e-3})

    def test_listops(self):
        paper = self.settings("listops", PRESET="paper", SEEDS="1")
        self.assertEqual(len(paper), 2 * self.known("listops"))
        self.assert_sizes(paper, **self.PAPER, rule="paper")
        self.assertLessEqual({one["window"] for one in paper}, {"10-10", "15-15"})
        small = self.settings("listops", SEEDS="1")
        self.assertEqual(len(small), self.known("listops"))
        self.assert_sizes(small, **self.SMALL, bucket=16, window="1-10", rule="honest")

    def test_text(self):
        paper = self.settings("text", PRESET="paper", SEEDS="1")
        self.assertEqual(len(paper), self.known("text"))
        self.assert_sizes(paper, layers=16, d_model=128, heads=8, ff=16, batch=96, lr=2.5e-4,
                          schedule="cosine", warmup=2000, segment=256, clip=0.25, dropout=0.1)
        small = self.settings("text", SEEDS="1")
        self.assertEqual(len(small), self.known("text"))
        self.assert_sizes(small, **self.SMALL, segment=64)

    def test_sweep(self):
        found = self.settings("sweep", CELLS="lstm rdn")
        self.assertEqual({(one["cell"], one["lr"], one["d-model"], one["protocol"])
                          for one in found},
                         {(cell, lr, size, "honest") for cell in ("lstm", "rdn")
                          for lr in (3e-4, 1e-3, 3e-3) for size in (32, 64)})
        for task in {"code_execution", "listops", "text"} & set(self.tasks):
            settings = "--epochs 3"
            if task == "text":
                settings += f" --data {self.environment['DATA']}"
            found = self.settings("sweep", TASK=task, SETTINGS=settings)
            self.assertEqual(len(found), 6 * 3 * 2)
            self.assertEqual({one["epochs"] for one in found}, {3})

    def test_an_unknown_preset_is_refused(self):
        for name in ("code_execution", "listops", "text"):
            done = self.script(name, PRESET="huge", LIST="1")
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn("PRESET=huge: must be small or paper", done.stderr)

    def run_twice(self, name, tables, figures, calls, **environment):
        """Runs a script with tiny models; what is finished is not trained or measured again."""
        tiny = self.folder / "tiny"
        tiny.write_text(TINY)
        tiny.chmod(0o755)
        environment |= {"RLT_PROGRAM": str(tiny)}
        logs = []
        for _ in range(2):
            done = self.script(name, **environment)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue(done.stdout.endswith(f"{name}: {self.folder / 'out'}\n"), done.stdout)
            logs.append((self.folder / "calls").read_text().splitlines())
            (self.folder / "calls").unlink()
        out = {path.name for path in (self.folder / "out").iterdir()}
        self.assertEqual(out, set(tables) | set(figures))
        self.assertEqual([sum(line.startswith(kind) for line in logs[0])
                          for kind in ("train", "eval")], calls)
        # Once more: rlt itself says that a training run is finished; nothing is measured.
        self.assertEqual(len(logs[1]), calls[0])
        self.assertEqual(done.stderr.count(" is finished"), calls[0])
        return {name: (self.folder / "out" / name).read_text() for name in tables}

    def test_formal_languages_from_data_to_tables(self):
        tables = self.run_twice(
            "formal_languages", ["eval.csv", "lengths.csv", "tables.md", "tables.tex",
                                 "literature.md"],
            ["token_paper.svg", "sequence_paper.svg"], [2, 1], CELLS="rdn",
            LANGUAGES="parity aa_star", SEEDS="1",
            PROTOCOLS="paper")  # no figure of aa_star; literature only beside the paper's protocol
        self.assertEqual(tables["eval.csv"].count("\n"), 1 + 2 * 3)
        self.assertEqual(tables["lengths.csv"].count("\nparity,paper,paper,rdn,"), 16)

    def test_a_measurement_that_fails_is_told_and_not_left_out_in_silence(self):
        broken = self.folder / "broken"
        broken.write_text(TINY.replace('exec "$PROGRAM" "$@"\n',
                                       'case $2 in *rdn*) echo "no, $2" >&2; exit 1 ;;'
                                       ' *) exec "$PROGRAM" "$@" ;; esac\n', 1))
        broken.chmod(0o755)
        done = self.script("formal_languages", RLT_PROGRAM=str(broken), CELLS="lstm rdn",
                           LANGUAGES="parity", SEEDS="1", PROTOCOLS="honest")
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r"(?m)^no, .*/rdn/seed-1$")
        self.assertRegex(done.stderr, r"rdn/seed-1: no lengths.csv, but other runs")

    def needs(self, task):
        if task not in self.tasks:
            self.skipTest(f"no task {task} yet")

    def test_code_execution_from_data_to_tables(self):
        self.needs("code_execution")
        tables = self.run_twice("code_execution", [
            "eval.csv", "lengths.csv", "scores_3.md", "scores_3.tex", "literature.md"],
            ["sequence_paper_3.svg", "answer_paper_3.svg"], [2, 2], CELLS="lstm transformer",
            RULES="paper", SEEDS="1")
        self.assertIn("## code_execution, rule paper, protocol honest, checkpoint best,"
                      " variables=3\n", tables["scores_3.md"])
        self.assertRegex(tables["scores_3.md"],
                         r"\| cell \| parameters \| state \| bin0 sequence \| bin0 answer \|"
                         r" bin0 blank \|")
        self.assertRegex(tables["scores_3.md"],
                         r"\| transformer \(positions=sinusoidal\) \| \d+ \| \d+ to \d+ \|")
        self.assertRegex(tables["literature.md"], r"\| lstm \|.*99\.0.*\| not comparable \|")
        self.assertRegex(tables["lengths.csv"].splitlines()[1], r",length,5,5,.*,5-25$")

    def test_listops_from_data_to_tables(self):
        self.needs("listops")
        windows = ("1-3", "4-5")
        tables = self.run_twice(
            "listops", ["eval.csv", "lengths.csv", "literature.md",
                        *(f"scores_{window}.{kind}" for window in windows for kind in ("md", "tex"))],
            [f"sequence_honest_{window}.svg" for window in windows], [2, 2], CELLS="lstm",
            SEEDS="1", WINDOWS=" ".join(windows))
        self.assertEqual(set(re.findall(r",(\d+-\d+)\n", tables["eval.csv"])), set(windows))
        sizes = re.findall(r",length,(\d+),(\d+),", tables["lengths.csv"])
        self.assertEqual(sizes, 2 * [(str(depth), str(depth)) for depth in range(1, 21)])

    def test_one_more_cell_stands_beside_those_measured_before(self):
        self.needs("listops")
        tiny = self.folder / "tiny"
        tiny.write_text(TINY)
        tiny.chmod(0o755)
        for cell in ("lstm", "aaren"):
            done = self.script("listops", CELLS=cell, SEEDS="1", ADD="1", RLT_PROGRAM=str(tiny),
                               RUNS=str(self.folder / cell))
            self.assertEqual(done.returncode, 0, done.stderr)
        for name in ("eval.csv", "lengths.csv"):
            rows = (self.folder / "out" / name).read_text().splitlines()[1:]
            self.assertEqual({tuple(row.split(",")[3:5]) for row in rows},
                             {("lstm", ""), ("aaren", "positions=sinusoidal")})
        self.assertRegex((self.folder / "out" / "scores_1-10.md").read_text(),
                         r"\| lstm \|(.*\n)*\| aaren \(positions=sinusoidal\) \|")

    def test_text_from_data_to_tables(self):
        self.needs("text")
        tables = self.run_twice("text", ["eval.csv", "train.csv", "scores.md", "scores.tex"],
                                ["loss.svg"], [2, 0], CELLS="lstm transformer", SEEDS="1")
        self.assertIn("| cell | parameters | state | valid bits | valid token | test bits |"
                      " test token |", tables["scores.md"])
        self.assertRegex(tables["scores.md"], r"\| class frequencies \| - \| - \| \d\.\d{3} \| - \|")

    def test_sweep_from_data_to_the_best(self):
        done = self.script(
            "sweep", CELLS="lstm rdn", LRS="1e-3 1e-2", SIZES="4 8",
            SETTINGS="--heads 2 --layers 1 --epochs 1 --train-size 32 --eval-sequences 4")
        self.assertEqual(done.returncode, 0, done.stderr)
        tables = {path.name: path.read_text() for path in (self.folder / "out").iterdir()}
        self.assertEqual(set(tables), {"sweep.csv", "best.csv", "best.md"})
        self.assertEqual(set(re.findall(r",(bin\d|length),", tables["sweep.csv"])), {"bin0"})
        self.assertEqual(tables["sweep.csv"].count("\n"), 1 + 8)
        self.assertEqual(tables["best.csv"].count("\n"), 1 + 2)
        self.assertIn(tables["best.md"], done.stdout)

    def test_runs_of_the_program_are_reported_as_they_are(self):
        seeds = 2**64 - 1, 2**64 - 2
        for seed in seeds:
            subprocess.run([PROGRAM, "train", *"--task parity --cell lstm --d-model 8 --heads 2"
                            " --layers 1 --train-size 32 --eval-sequences 4 --epochs 1 --quiet"
                            " --log-every 1 --threads 1 --out".split(), self.folder / f"{seed}",
                            "--seed", str(seed)], check=True)
        found = {}
        for kind in ("eval", "train"):
            done = subprocess.run([sys.executable, ROOT / "experiments/report.py", "merge",
                                   "--which", kind, self.folder], capture_output=True, text=True,
                                  check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            found[kind] = [line.split(",") for line in done.stdout.splitlines()]
        self.assertEqual(found["eval"][0], columns.EVAL)
        self.assertEqual(set(found["train"][0]), {*columns.TRAIN, *columns.RUN})
        self.assertEqual([row[columns.EVAL.index("seed")] for row in found["eval"][1:]],
                         [str(seed) for seed in sorted(seeds) for _ in range(3)])

    def test_speed_keeps_what_it_has_measured_before(self):
        few = {"ROUNDS": "1", "REPEATS": "1", "PEER_REPEATS": "1"}
        for cells, cases in (("elstm", "32"), ("elstm lstm", "16"), ("elstm", "32")):
            done = self.script("speed", CELLS=cells, CASES=cases, **few)
            self.assertEqual(done.returncode, 0, done.stderr)
        rows = [line.split(",")[:2] for line in (self.folder / "out" / "bench.csv").read_text().splitlines()]
        self.assertEqual(rows[1:], [["16", "lstm"], ["16", "elstm"], ["32", "elstm"]])
        self.assertEqual((self.folder / "out" / "table.md").read_text().count("| elstm |"), 2)

    def test_threads_beside_busy_processes(self):
        done = self.script("busy", CELLS="elstm", BUSY="0 1", ROUNDS="1")
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.folder / "out" / "threads.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([(row["busy"], row["threads"]) for row in rows],
                         [("0", "1"), ("0", "2"), ("1", "1"), ("1", "2")])
        self.assertTrue(all(float(row["step_ms"]) > 0 for row in rows))
        self.assertRegex((self.folder / "out" / "threads.md").read_text(), r"\| elstm \| 1 \| [\d.]+ \(1.00\) \|")

    def test_one_program_beside_another(self):
        done = self.script("versions", BEFORE=str(PROGRAM), NAME="same", CELLS="elstm", WIDTHS="8 16", BUSY="0 1",
                           THREADS="1", ROUNDS="2", REPEATS="1")
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.folder / "out" / "same.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([(row["busy"], row["d_model"], row["round"], row["program"]) for row in rows],
                         [(busy, width, turn, program) for busy, widths in (("0", ("8", "16")), ("1", ("8",)))
                          for turn in "12" for width in widths for program in ("before", "after")])
        least = [min(float(row["step_ms"]) for row in rows if (row["busy"], row["program"]) == ("1", program))
                 for program in ("before", "after")]
        self.assertIn(f"| elstm | 8 | 1 | 1 | {least[0]:.2f} (", (self.folder / "out" / "same.md").read_text())
        self.assertIn(f"| {least[0] / least[1]:.2f} |\n", (self.folder / "out" / "same.md").read_text())

    def test_widths(self):
        done = self.script("widths", CELLS="elstm gru", WIDTHS="8,16", ROUNDS="1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len((self.folder / "out" / "widths.csv").read_text().splitlines()), 5)
        self.assertRegex((self.folder / "out" / "widths.md").read_text(), r"\| gru \|( [\d.]+ \(\d+ / \d+\) \|){2}")

    def test_scaling_of_aaren_beside_attention(self):
        done = self.script("scaling", CELLS="aaren transformer", LENGTHS="4 8", BATCH="1", REPEATS="1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex((self.folder / "out" / "table.md").read_text(), r"(?m)^\| aaren \| [\d.]+ / \d+ \| [\d.]+ / \d+ \|$")


if __name__ == "__main__":
    unittest.main()

"""Scripts and reports of runs in environments, with tiny models from runs to tables and figures."""

import csv
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from support import ROOT

PROGRAM = Path(os.environ.get("RLT_PROGRAM", ROOT / "build" / "release" / "rlt"))

# In place of the program: tiny models, few steps.
TINY = """\
#!/bin/sh
sizes="--d-model 8 --heads 2 --layers 1 --hidden 4 --batch 4 --eval-sequences 3"
case "$1 $*" in
  train*imitate*) exec "$PROGRAM" "$@" $sizes --steps 2 ;;
  train*ppo*) exec "$PROGRAM" "$@" $sizes --rollout 32 --env-steps 256 --minibatches 2 --eval-every 1 --log-every 1 ;;
  train*) exec "$PROGRAM" "$@" $sizes --rollout 32 --env-steps 256 --eval-every 1 --log-every 1 ;;
  bench*) exec "$PROGRAM" "$@" --d-model 8 --heads 2 --layers 1 ;;
  *) exec "$PROGRAM" "$@" --sequences 2 ;;
esac
"""


@unittest.skipUnless(PROGRAM.exists(), f"{PROGRAM} is not built")
class Scripts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "rlt").write_text(TINY)
        (self.folder / "rlt").chmod(0o755)
        self.out = self.folder / "out"
        self.environment = {
            "PATH": os.environ["PATH"], "PROGRAM": str(PROGRAM), "RLT_PROGRAM": str(self.folder / "rlt"),
            "RUNS": str(self.folder / "runs"), "OUT": str(self.out), "JOBS": "2", "SEEDS": "1 2"}

    def script(self, name, **environment):
        done = subprocess.run([ROOT / "experiments" / f"{name}.sh"], capture_output=True, text=True,
                              env=self.environment | environment, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stderr)

    def rows(self, name):
        with open(self.out / name, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def write_run(self, name, lr, seed, rows):
        run = self.folder / "runs" / name
        run.mkdir(parents=True)
        (run / "meta.json").write_text("{}")
        (run / "config.toml").write_text(f'task = "tmaze"\nlearner = "a2c"\ncell = "gru"\nlr = {lr}\n'
                                         f'entropy = 0.5\nseed = {seed}\ntask-option = ""\n')
        (run / "train.csv").write_text("task,cell,seed,step,tokens,episodes,successes,return\n"
                                       + "".join(f"tmaze,gru,{seed},1,{row}\n" for row in rows))

    def acting(self, *words):
        done = subprocess.run(["/usr/bin/python3", ROOT / "experiments" / "acting.py", *words], capture_output=True,
                              text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_tmaze_from_tuning_to_figures(self):
        self.script("tmaze", CELLS="gru agalite", CORRIDORS="3 4", LENGTHS="3,5")
        tuning = self.rows("tuning.csv")
        self.assertEqual(len(tuning), 8)  # two cells, rates and entropies
        self.assertEqual([row["cell"] for row in tuning if row["chosen"] == "True"], ["gru", "agalite"])
        self.assertEqual(len(self.rows("a2c_eval.csv")), 2 * 2 * 2 * 2)  # seeds, corridors, cells, choices
        self.assertEqual({row["size"] for row in self.rows("imitate_lengths.csv")}, {"3", "5"})
        table = (self.out / "a2c_scores.md").read_text()
        self.assertIn("| cell | tmaze 3 | tmaze 4 |", table)
        self.assertRegex(table, r"\| gru \| [0-2]/2 \[")
        self.assertIn("| *best return* | 3.80 | 3.70 |", table)
        self.assertIn("| cell | tmaze corridor=3 | tmaze corridor=4 |", (self.out / "a2c_ends.md").read_text())
        for figure in ("curves.svg", "a2c_sizes.svg", "imitate_sizes.svg"):
            self.assertIn("<svg", (self.out / figure).read_text())

    def test_memory_games(self):
        self.script("memory_games", CELLS="lstm gtrxl", GAMES="repeat_previous cartpole_po mystery_path",
                    DIFFICULTIES="easy", SEEDS="1")
        rows = self.rows("eval.csv")
        self.assertEqual({row["task"] for row in rows}, {"repeat_previous", "cartpole_po", "mystery_path"})
        self.assertEqual({row["learner"] for row in rows}, {"ppo"})
        self.assertEqual(len(list((self.out / "tuning").iterdir())), 3)

    def test_inference_cost(self):
        self.script("inference_cost", REPEATS="1", CONTEXTS="1 2", STREAM="3 50")
        rows = self.rows("bench.csv")
        self.assertEqual({row["batch"] for row in rows}, {"1", "8"})
        table = (self.out / "table.md").read_text()
        self.assertRegex(table, r"\| agalite eta=4 \| 1\.\d+ M \|")
        self.assertRegex(table, r"\| gtrxl memory=128 cache=off \| 5\d\.\d+ M \|")
        self.assertRegex(table, r"\| lstm \| 1\.48 M \|")
        self.assertRegex(table, r"\| aaren \| 0\.27 M \|")
        self.assertRegex(table, r"\| transformer \| 1\.01 M \|")
        states = {(row["model"], row["length"]): int(row["state_size"]) for row in self.rows("stream.csv")}
        self.assertEqual(states["aaren", "50"], states["aaren", "3"])
        # keys and values of 8 numbers per token of one layer
        self.assertEqual(states["transformer", "50"] - states["transformer", "3"], 47 * 2 * 8)
        self.assertRegex((self.out / "stream.md").read_text(), r"\| 50 \| \d+\.\d{3} / .* / 12 \|")
        before = (self.out / "table.md").read_bytes()
        self.script("inference_cost", REPEATS="1", PARTS="stream", STREAM="2")
        self.assertEqual((self.out / "table.md").read_bytes(), before)
        self.assertEqual({row["length"] for row in self.rows("stream.csv")}, {"2"})

    def test_the_settings_with_the_best_training_success_are_picked(self):
        self.out.mkdir()
        self.write_run("a", "0.1", 1, ["100,10,9,1", "400,10,2,1"])
        self.write_run("b", "0.2", 1, ["100,10,0,1", "400,10,3,1"])
        self.acting("pick", self.folder / "runs", "--out", self.out / "t.csv")
        rows = self.rows("t.csv")
        # the last quarter alone counts: a began better and ended worse
        self.assertEqual([(row["lr"], row["successes"], row["chosen"]) for row in rows],
                         [("0.2", "3", "True"), ("0.1", "2", "False")])

    def test_seeds_of_two_machines_are_one_table(self):
        self.out.mkdir()
        both = self.out / "both.csv"
        self.write_run("one/a", "0.1", 1, ["100,10,9,1"])
        self.write_run("two/b", "0.1", 2, ["100,10,0,0.30000000000000004", "200,20,1,1"])
        merge = ["merge", "--which", "train", "--out", both]
        self.acting(*merge, self.folder / "runs" / "one")
        self.acting(*merge, self.folder / "runs" / "two", "--add-to", both)
        self.assertEqual([(row["seed"], row["tokens"]) for row in self.rows("both.csv")],
                         [("1", "100"), ("2", "100"), ("2", "200")])
        before = both.read_bytes()
        self.acting(*merge, self.folder / "runs" / "two", "--add-to", both)
        self.assertEqual(both.read_bytes(), before)

    def test_what_is_missing_is_one_line(self):
        for words in (["merge", self.folder / "none", "--out", "x"], ["scores", self.folder / "none.csv"]):
            done = subprocess.run(["/usr/bin/python3", ROOT / "experiments" / "acting.py", *words],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)


if __name__ == "__main__":
    unittest.main()

"""horizon.py and plot.py horizon: one row per run, the rate chosen on training lengths, failures, the figure; and the
script from training to figure with tiny models."""

import csv
import json
import os
import subprocess
import unittest
from pathlib import Path
from unittest import mock

import support
from support import ROOT

import horizon
import horizon_figure
import looks
import plot

PROGRAM = Path(os.environ.get("RLT_PROGRAM", ROOT / "build" / "release" / "rlt"))

FOUND = ("task,rule,protocol,cell,options,seed,unit,train_length,max_length,kind,low,high,sequences,sequences_correct\n"
         "parity,honest,honest,{cell},{options},{seed},symbols,50,1000,length,50,50,20,20\n"
         "parity,honest,honest,{cell},{options},{seed},symbols,50,1000,horizon,{low},{high},,\n")

# In place of the program: tiny models, one epoch, few strings.
TINY = """\
#!/bin/sh
case "$1" in
  train) exec "$PROGRAM" "$@" --d-model 8 --heads 2 --layers 1 --epochs 1 --train-size 64 --eval-sequences 10 ;;
  *) exec "$PROGRAM" "$@" --sequences 3 ;;
esac
"""


class Folder(support.Folder):
    script = horizon

    def run_of(self, name, bin0, low=None, high="", lr="1e-3", code=0, cell="rdn", options="", task_option="", seed=1,
               loss=0.25):
        identity = dict(cell=cell, seed=seed, rule="honest", protocol="honest",
                        options=";".join(filter(None, [options, task_option])))
        rows = None if bin0 is None else [support.eval_row(bin0, "bin0", loss=loss), support.eval_row(0.5, "bin1")]
        folder = self.run_folder(name, rows, code=code, config={"lr": lr, "task-option": f'"{task_option}"'},
                                 **identity)
        if low is not None:
            (folder / "horizon.csv").write_text(FOUND.format(cell=cell, options=options, seed=seed, low=low, high=high))
        return folder

    def merged(self):
        code, _, self.err = self.run_script("merge", "runs", "--out", "h.csv")
        self.assertEqual(code, 0, self.err)
        with open(self.folder / "h.csv", newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))


class Merge(Folder):
    def test_one_row_per_run_with_its_bracket(self):
        self.run_of("a", 1, low=800, high=840, options="beta_max=2", task_option="group=S3")
        self.run_of("b", 0.5, low=0, high=1, seed=2)
        one, two = sorted(self.merged(), key=lambda row: row["seed"])
        self.assertEqual(self.err, "")
        expected = {"cell": "rdn", "options": "beta_max=2", "task_option": "group=S3", "lr": "1e-3", "solved": "True",
                    "bin0": "1.0", "bin1": "0.5", "horizon": "800", "upper": "840", "train_length": "50",
                    "max_length": "1000", "unit": "symbols", "failed": "False"}
        self.assertEqual({name: one[name] for name in expected}, expected)
        self.assertEqual((two["solved"], two["horizon"], two["upper"]), ("False", "0", "1"))

    def test_a_failed_run_is_a_row_and_no_success(self):
        self.run_of("a", 1, low=1000)
        self.run_of("b", None, code=3, seed=2)
        rows = {row["seed"]: row for row in self.merged()}
        self.assertEqual((rows["2"]["failed"], rows["2"]["solved"], rows["2"]["horizon"]), ("True", "False", ""))
        self.assertEqual((rows["1"]["horizon"], rows["1"]["upper"]), ("1000", ""))

    def test_the_rate_is_chosen_on_training_lengths_and_a_failure_counts_as_nothing(self):
        self.run_of("a1", 1, low=60, high=61, lr="1e-3")
        self.run_of("a2", 1, low=60, high=61, lr="1e-3", seed=2)
        self.run_of("b1", 1, low=1000, lr="1e-2")  # carries further, but the other seed failed
        self.run_of("b2", None, code=3, lr="1e-2", seed=2)
        self.run_of("c", 0.9, low=1000, lr="3e-4")
        self.assertEqual({row["lr"] for row in self.merged() if row["chosen"] == "True"}, {"1e-3"})

    def test_ties_go_to_the_smaller_loss_and_settings_choose_for_themselves(self):
        self.run_of("a", 1, low=60, high=61, lr="1e-3", loss=0.5)
        self.run_of("b", 1, low=60, high=61, lr="1e-2", loss=0.25)
        self.run_of("c", 1, low=60, high=61, lr="1e-3", options="beta_max=2")
        found = {(row["options"], row["lr"]) for row in self.merged() if row["chosen"] == "True"}
        self.assertEqual(found, {("", "1e-2"), ("beta_max=2", "1e-3")})

    def test_what_was_not_searched_or_is_at_work_is_told(self):
        folder = self.run_of("a", 1)
        self.assertEqual(self.merged()[0]["horizon"], "")
        self.assertIn("no horizon.csv in", self.err)
        (folder / "DONE").unlink()
        (folder / "meta.json").write_text(json.dumps(json.loads((folder / "meta.json").read_text()) | {"exit": None}))
        self.run_of("b", 1, low=60, high=61, seed=2)
        rows = self.merged()  # nobody holds the folder: it was killed
        self.assertEqual([row["failed"] for row in rows], ["True", "False"])
        self.assert_fails(1, "none", "merge", "none", "--out", "x.csv")

    def test_runs_of_two_machines_are_one_table(self):
        self.run_of("a/a1", 1, low=800, high=840, lr="1e-3", task_option="group=S3")
        self.run_of("a/a2", 0.30000000000000004, low=1, high=2, lr="1e-2", task_option="group=S3")
        self.run_of("b/a1", 1, low=1000, lr="1e-2", options="beta_max=2")
        self.assertEqual(self.run_script("merge", "runs/a", "runs/b", "--out", "whole.csv")[0], 0)
        self.run_of("c/a1", 0.25, low=9, high=10, lr="1e-3", task_option="group=S3")  # anew, below
        self.assertEqual(self.run_script("merge", "runs/c", "runs/b", "--out", "first.csv")[0], 0)
        code, _, err = self.run_script("merge", "runs/a", "--add-to", "first.csv", "--out", "both.csv")
        self.assertEqual((code, err), (0, ""))
        self.assertEqual((self.folder / "both.csv").read_bytes(), (self.folder / "whole.csv").read_bytes())
        (self.folder / "other.csv").write_text("a,b\n1,2\n")
        self.assert_fails(1, "other.csv: no column task", "merge", "runs/a", "--add-to", "other.csv", "--out", "x.csv")

    def test_errors_per_million_reads(self):
        folder = self.run_of("a", 1, low=60, high=61)
        (folder / "ignore.csv").write_text("options,tokens,tokens_correct\nignore=0.98,4000,3999\nignore=0.1,8000,8000\n")
        row = self.merged()[0]
        self.assertEqual((row["errors_0.98"], row["errors_0.1"]), ("250.0", "0.0"))

    def test_scores(self):
        self.run_of("a1", 1, low=800, high=840, lr="1e-3")
        self.run_of("a2", 0.5, low=0, high=1, lr="1e-3", seed=2)
        self.run_of("b", 0.25, low=3, high=4, lr="1e-2")
        self.run_of("c", 1, low=1000, cell="lstm")
        self.merged()
        out = self.stdout("scores", "h.csv")
        self.assertIn("parity, trained up to 50, at the learning rate that is best there:", out)
        self.assertIn("| lstm | 1e-3 | 1/1 [0.21, 1.00] | 1000+ |", out)
        self.assertIn("| rdn | 1e-3 | 1/2 [0.09, 0.91] | 800, 0 |", out)
        # of the three runs of rdn one solved bin 0, none bin 1
        self.assertIn("| rdn | 1/3 | 0 | 800, 800, 800 | 0 | 3 |", out)
        self.assertIn("| lstm | 1/1 | 0 | 1000+, 1000+, 1000+ | 1 | - |", out)
        self.assertLess(out.index("lstm"), out.index("rdn"))


class Figure(Folder):
    def test_one_point_per_run_and_the_same_bytes(self):
        self.run_of("a1", 1, low=800, high=840)
        self.run_of("a2", 0.5, low=0, high=1, seed=2)
        self.run_of("a3", None, code=3, seed=3)
        self.run_of("b", 1, low=1000, cell="deltanet", options="beta_max=2", lr="1e-2")
        self.merged()
        for name in ("one.svg", "two.svg"):
            code, _, err = self.run_script("horizon", "--out", name, "h.csv", script=plot)
            self.assertEqual((code, err), (0, ""))
        one = (self.folder / "one.svg").read_bytes()
        self.assertEqual(one, (self.folder / "two.svg").read_bytes())
        self.assertIn(b"<svg", one)

    def test_points_lie_where_the_runs_ended(self):
        self.run_of("a1", 1, low=800, high=840)
        self.run_of("a2", 0.5, low=0, high=1, seed=2)
        self.run_of("b", 1, low=1000, cell="lstm", lr="1e-2")
        self.merged()
        pages = []

        class Kept(horizon_figure.Page):
            def save(self, out, inputs):
                pages.append(self)

        with mock.patch.object(horizon_figure, "Page", Kept):
            code, _, err = self.run_script("horizon", "--out", "x.svg", "h.csv", script=plot)
        self.assertEqual((code, err), (0, ""))
        axes = pages[0].axes["parity"]
        points = {(round(float(line.get_ydata()[0]), 1), line.get_marker(), line.get_markerfacecolor() != "white")
                  for line in axes.lines if line.get_linestyle() == "None"}
        rdn, lstm = looks.look("rdn")[2], looks.look("lstm")[2]
        self.assertEqual(points, {(800, rdn, True), (horizon_figure.GROUND, rdn, False), (1000, lstm, True)})
        self.assertEqual(axes.get_yscale(), "log")
        self.assertIn(50, [line.get_ydata()[0] for line in axes.lines])

    def test_what_cannot_be_drawn_is_one_line(self):
        self.run_of("a", 1)
        self.merged()
        self.assert_fails(1, "no horizon", "horizon", "--out", "x.svg", "h.csv", script=plot)
        self.assert_fails(1, "missing column", "horizon", "--out", "x.svg", self.csv([support.eval_row(1)]),
                          script=plot)


@unittest.skipUnless(PROGRAM.exists(), f"{PROGRAM} is not built")
class Script(Folder):
    def setUp(self):
        super().setUp()
        (self.folder / "rlt").write_text(TINY)
        (self.folder / "rlt").chmod(0o755)

    def script_run(self, **environment):
        names = {"PATH": os.environ["PATH"], "PROGRAM": str(PROGRAM), "RLT_PROGRAM": str(self.folder / "rlt"),
                 "RUNS": str(self.folder / "runs"), "OUT": str(self.folder / "out"), "JOBS": "2", "SEEDS": "1",
                 "LRS": "1e-3 1e-2", "MAX_LENGTH": "200"}
        return subprocess.run([ROOT / "experiments" / "horizon.sh"], capture_output=True, text=True,
                              env=names | environment, check=False)

    def test_from_training_to_the_figure_and_on(self):
        chosen = {"TASKS": "parity Z3 flip_flop", "CELLS": "elman deltanet:beta_max=2"}
        done = self.script_run(**chosen)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        with open(self.folder / "out" / "horizon.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), 3 * 2 * 2)
        self.assertEqual({row["options"] for row in rows}, {"", "beta_max=2"})
        self.assertEqual({row["task_option"] for row in rows}, {"", "group=Z3"})
        self.assertTrue(all(row["horizon"] and row["max_length"] == "200" for row in rows))
        self.assertEqual({bool(row["errors_0.98"]) for row in rows if row["task"] == "flip_flop"}, {True})
        self.assertEqual(sum(row["chosen"] == "True" for row in rows), 6)
        self.assertIn("<svg", (self.folder / "out" / "horizon.svg").read_text())
        found = self.folder / "runs" / "parity" / "elman" / "lr-1e-3" / "seed-1" / "horizon.csv"
        before = found.stat().st_mtime_ns
        again = self.script_run(**chosen)  # nothing is trained or searched twice
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(found.stat().st_mtime_ns, before)

    def test_the_grid(self):
        done = self.script_run(LIST="1", RLT_PROGRAM=str(PROGRAM), SEEDS="", LRS="")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = done.stdout.splitlines()
        self.assertEqual(len(lines), 11 * 5 * (10 + 4 * 5))
        self.assertEqual(len({line.split()[-1] for line in lines}), len(lines))
        for line in lines[::97]:
            shown = subprocess.run([*line.split(), "--print-config"], capture_output=True, text=True, check=False)
            self.assertEqual((shown.returncode, shown.stderr), (0, ""), line)


if __name__ == "__main__":
    unittest.main()

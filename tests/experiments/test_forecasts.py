"""The script and the tables of runs on real numbers, with tiny models from runs to tables."""

import csv
import os
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from support import ROOT

import forecasts
import panels

PROGRAM = Path(os.environ.get("RLT_PROGRAM", ROOT / "build" / "release" / "rlt"))

# In place of the program: tiny models, few steps, small sets.
TINY = """\
#!/bin/sh
case "$*" in
  *events*) sets="--task-option sequences=20 --task-option events=8" ;;
  *"--task series "*) sets="--task-option steps=1200 --task-option stride=40" ;;
  *) sets="" ;;
esac
exec "$PROGRAM" "$@" --d-model 8 --heads 2 --layers 1 --batch 4 --steps 2 $sets
"""


class Tables(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.out = self.folder / "out"

    def rows(self, path):
        with open(path, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def forecasts(self, *words):
        return subprocess.run(["/usr/bin/python3", ROOT / "experiments" / "forecasts.py", *words], capture_output=True,
                              text=True, check=False)

    def write_run(self, name, lr, losses):
        run = self.folder / "runs" / name
        run.mkdir(parents=True)
        (run / "meta.json").write_text("{}")
        (run / "config.toml").write_text(f"lr = {lr}\n")
        header = "task,cell,options,learning_rate,seed,split,forecaster,loss,mse,mae\n"
        (run / "eval.csv").write_text(header + "".join(
            f"series,gru,,{lr},1,{split},{who},{loss},{loss},0.5\n" for (split, who), loss in losses.items()))

    def test_the_learning_rate_is_picked_on_validation_data_alone(self):
        self.write_run("a", 0.1, {("valid", "model"): 2, ("test", "model"): 1, ("valid", "oracle"): 0})
        self.write_run("b", 0.2, {("valid", "model"): 1.5, ("test", "model"): 3, ("valid", "oracle"): 0})
        done = self.forecasts("pick", self.folder / "runs", "--out", self.folder / "picked.csv")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([(row["learning_rate"], row["loss"], row["chosen"]) for row in self.rows(self.folder / "picked.csv")],
                         [("0.2", "1.5", "True"), ("0.1", "2.0", "False")])

    def test_a_played_run_is_picked_by_its_training_loss_and_scored_by_drawn_actions(self):
        for name, lr, losses in [("a", 0.1, [9, 9, 9, 0.5]), ("b", 0.2, [0, 0, 0, 0.75])]:
            run = self.folder / "runs" / name
            run.mkdir(parents=True)
            (run / "meta.json").write_text("{}")
            (run / "config.toml").write_text(f"lr = {lr}\n")
            (run / "eval.csv").write_text("task,cell,seed,choice,score,data_score\n"
                                          f"cartpole_po,gru,1,sample,{100 * lr},53\ncartpole_po,gru,1,greedy,99,53\n")
            (run / "train.csv").write_text("loss\n" + "".join(f"{loss}\n" for loss in losses))
        done = self.forecasts("pick", self.folder / "runs", "--out", self.folder / "picked.csv")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([(row["learning_rate"], row["loss"]) for row in self.rows(self.folder / "picked.csv")],
                         [("0.1", "0.5"), ("0.2", "0.75")])
        self.forecasts("merge", self.folder / "runs", "--out", self.folder / "all.csv")
        table = self.forecasts("scores", self.folder / "all.csv").stdout
        self.assertIn("| gru | 15.000 (10.000, 20.000) |", table)
        self.assertIn("| *data score* | 53.000 |", table)

    def test_scores_are_of_test_data_beside_the_references(self):
        self.write_run("a", 0.1, {("valid", "model"): 2, ("test", "model"): 1, ("test", "oracle"): 0.25})
        self.write_run("b", 0.1, {("valid", "model"): 2, ("test", "model"): 3, ("test", "oracle"): 0.25})
        self.assertEqual(self.forecasts("merge", self.folder / "runs", "--out", self.folder / "m.csv").returncode, 0)
        done = self.forecasts("scores", self.folder / "m.csv")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("| gru | 2.000 (1.000, 3.000) |", done.stdout)
        self.assertIn("| *oracle* | 0.250 |", done.stdout)

    def test_references_measured_elsewhere_stand_below_the_models(self):
        self.write_run("a", 0.1, {("test", "model"): 1})
        (self.folder / "references.csv").write_text(
            "setting,task,split,forecaster,mse,mae\nruns,series,test,mean,0.5,0.75\nother,series,test,mean,9,9\n")
        done = self.forecasts("merge", self.folder / "runs", "--references", self.folder / "references.csv", "--out",
                              self.folder / "m.csv")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([(row["cell"], row["seed"], row["mse"]) for row in self.rows(self.folder / "m.csv")],
                         [("gru", "1", "1.0"), ("", "", "0.5")])
        done = self.forecasts("scores", self.folder / "m.csv")
        self.assertIn("| gru | 1.000 (1.000) |\n| *mean* | 0.500 |", done.stdout)

    def test_rows_of_other_runs_stay_when_asked_for(self):
        self.write_run("a", 0.1, {("test", "model"): 1, ("test", "oracle"): 0.25})
        (self.folder / "references.csv").write_text("setting,task,split,forecaster,mse\nruns,series,test,mean,0.5\n")
        merge = ["merge", self.folder / "runs", "--references", self.folder / "references.csv"]
        self.assertEqual(self.forecasts(*merge, "--out", self.folder / "once.csv").returncode, 0)
        again = self.forecasts(*merge, "--add-to", self.folder / "once.csv", "--out", self.folder / "again.csv")
        self.assertEqual((again.returncode, again.stderr), (0, ""))
        self.assertEqual((self.folder / "once.csv").read_bytes(), (self.folder / "again.csv").read_bytes())
        (self.folder / "runs").rename(self.folder / "other")
        self.write_run("b", 0.2, {("test", "model"): 3})
        self.assertEqual(self.forecasts("merge", self.folder / "runs", self.folder / "other", "--add-to",
                                        self.folder / "once.csv", "--out", self.folder / "m.csv").returncode, 0)
        self.assertEqual([(row["setting"], row["forecaster"], row["mse"]) for row in self.rows(self.folder / "m.csv")],
                         [("runs", "mean", "0.5"), ("runs", "model", "3.0"), ("other", "model", "1.0"), ("other", "oracle", "0.25")])

    def test_the_figure_has_every_seed_and_the_optimum(self):
        self.write_run("a", 0.1, {("test", "model"): 1, ("test", "oracle"): 0.25})
        self.write_run("b", 0.1, {("test", "model"): 3, ("test", "oracle"): 0.25})
        self.forecasts("merge", self.folder / "runs", "--out", self.folder / "m.csv")
        figures = []

        def kept(path, figure, sources):
            figures.append(figure)

        with mock.patch.object(forecasts, "write_figure", kept):
            forecasts.main(["figure", str(self.folder / "m.csv"), "--out", "x.svg"])
        axes, = figures[0].axes
        values = {line.get_label(): list(line.get_ydata()) for line in axes.lines}
        self.assertEqual(values, {"gru": [1, 3], "oracle": [0.25, 0.25]})
        self.assertEqual(axes.get_ylabel(), "MSE, less is better")
        for name in ("one.svg", "two.svg"):
            done = self.forecasts("figure", self.folder / "m.csv", "--out", self.folder / name)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual((self.folder / "one.svg").read_bytes(), (self.folder / "two.svg").read_bytes())

    def test_spare_panels_are_not_drawn(self):
        for count in range(1, 8):
            figure = panels.figure_of([f"{number}" for number in range(count)], lambda axes, group: axes.plot([1], label="gru"),
                                      "", "")
            self.assertEqual(len(figure.axes), count)

    def test_the_legend_lies_inside_the_figure_and_below_the_panels(self):
        cells = ["lstm", "gru", "transformer", "aaren", "deltanet", "delta_lstm", "rdn", "block_recurrent"]
        for groups in (["one"], ["one", "two"], ["one", "two", "three"]):
            figure = panels.figure_of(groups, lambda axes, group: [axes.plot([1], label=cell) for cell in cells], "x", "")
            legend, = figure.legends
            place, panel = legend.get_window_extent(), figure.axes[0].get_tightbbox()
            self.assertTrue(0 <= place.x0 and place.x1 <= figure.bbox.x1 and 0 <= place.y0, place)
            self.assertLessEqual(place.y1, panel.y0 + 1)

    def test_a_folder_without_runs_is_one_line(self):
        (self.folder / "runs").mkdir()
        done = self.forecasts("pick", self.folder / "runs", "--out", self.folder / "x.csv")
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (1, 1), done.stderr)
        self.assertFalse((self.folder / "x.csv").exists())

    @unittest.skipUnless(PROGRAM.exists(), f"{PROGRAM} is not built")
    def test_aaren_writes_a_table_of_each_kind(self):
        (self.folder / "rlt").write_text(TINY)
        (self.folder / "rlt").chmod(0o755)
        environment = {"PATH": os.environ["PATH"], "PROGRAM": str(PROGRAM), "RLT_PROGRAM": str(self.folder / "rlt"),
                       "RUNS": str(self.folder / "runs"), "OUT": str(self.out), "JOBS": "2", "SEEDS": "1 2",
                       "CELLS": "aaren gru", "SETTINGS": "events-poisson series-96 class-order-one-layer"}
        done = subprocess.run([ROOT / "experiments" / "aaren.sh"], env=environment, capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        for kind, words in (("events", ["nats per event", "*oracle*", "*poisson*"]),
                            ("series", ["MSE", "*linear*", "*seasonal_naive*"]), ("class", ["accuracy", "*chance*"])):
            with self.subTest(kind):
                text = (self.out / f"{kind}.md").read_text()
                self.assertIn("<svg", (self.out / f"{kind}.svg").read_text())
                for word in [*words, "| aaren | ", "| gru | "]:
                    self.assertIn(word, text)
                models = [row for row in self.rows(self.out / f"{kind}.csv") if row["forecaster"] == "model"]
                self.assertEqual({(row["cell"], row["seed"]) for row in models},
                                 {(cell, seed) for cell in ("aaren", "gru") for seed in "12"})


if __name__ == "__main__":
    unittest.main()

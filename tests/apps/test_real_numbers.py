"""Tasks on real numbers from the command line: trained, stopped and resumed, evaluated, and read from own files."""
import csv
import unittest

from rlt_program import run
from test_errors import Case

SMALL = ["--d-model", "8", "--heads", "2", "--batch", "8", "--quiet"]
EVENTS = ["--task", "events", "--task-option", "events=12", "--task-option", "sequences=40"]
SERIES = ["--task", "series", "--task-option", "look_back=24", "--task-option", "horizon=6"]
ENERGY = ["--task", "series_class", "--task-option", "family=energy"]


class RealNumbers(Case):
    def train(self, name, *words):
        done = run("train", *words, *SMALL, "--out", self.folder / name)
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.folder / name

    def rows(self, path):
        with open(path, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def test_events_stand_beside_who_knows_the_process(self):
        out = self.train("run", *EVENTS, "--cell", "aaren", "--steps", "30")
        rows = self.rows(out / "eval.csv")
        self.assertEqual([(row["split"], row["forecaster"]) for row in rows],
                         [(split, who) for split in ("valid", "test") for who in ("model", "oracle", "poisson")])
        model, oracle, poisson = (float(row["loss"]) for row in rows[3:])
        self.assertLess(oracle, poisson)
        self.assertLess(oracle, model)
        for row in rows:
            self.assertGreater(float(row["rmse"]), 0)
            self.assertLessEqual(float(row["mark_accuracy"]), 1)
        again = run("eval", out, "--csv", "-")
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual([row["loss"] for row in csv.DictReader(again.stdout.splitlines())],
                         [row["loss"] for row in rows])

    def test_series_stand_beside_simple_rules(self):
        out = self.train("run", *SERIES, "--cell", "gru", "--steps", "20", "--lr", "0.01")
        rows = {row["forecaster"]: row for row in self.rows(out / "eval.csv") if row["split"] == "test"}
        self.assertEqual(list(rows)[0], "model")
        self.assertLess(float(rows["oracle"]["mse"]), float(rows["linear"]["mse"]))
        self.assertLess(float(rows["linear"]["mse"]), float(rows["repeat_last"]["mse"]))
        for row in rows.values():
            self.assertAlmostEqual(float(row["mse"]), float(row["loss"]), places=5)

    def test_a_class_of_a_series_is_asked_at_its_end(self):
        out = self.train("run", *ENERGY, "--cell", "lstm", "--steps", "20")
        rows = self.rows(out / "eval.csv")
        self.assertEqual({row["split"] for row in rows}, {"valid", "test"})
        for row in rows:
            self.assertEqual(row["tokens"], row["sequences"])

    def test_runs_stop_and_go_on_in_the_same_bits(self):
        for name, words in (("events", EVENTS), ("series", SERIES), ("energy", ENERGY)):
            with self.subTest(name):
                words = [*words, "--cell", "aaren", "--dropout", "0.1", "--eval-every", "4"]
                whole = self.train(name + "-whole", *words, "--steps", "12")
                stopped = self.train(name + "-stopped", *words, "--steps", "12", "--threads", "2")
                self.assertEqual((whole / "eval.csv").read_text(), (stopped / "eval.csv").read_text())
                parts = run("train", *words, *SMALL, "--steps", "12", "--time-limit", "0.001s",
                            "--out", self.folder / (name + "-parts"))
                self.assertEqual(parts.returncode, 75, parts.stderr)
                done = self.train(name + "-parts", *words, "--steps", "12", "--resume")
                self.assertEqual((whole / "eval.csv").read_text(), (done / "eval.csv").read_text())

    def test_own_events_and_series_are_read_from_csv(self):
        events = self.folder / "own.csv"
        events.write_text("sequence,time,mark\n" + "".join(
            f"s{sequence},{0.5 + step * (1 + sequence % 3)},{'ab'[step % 2]}\n" for sequence in range(12) for step in range(9)))
        out = self.train("events", "--task", "events", "--data", events, "--cell", "gru", "--steps", "10")
        self.assertEqual({row["forecaster"] for row in self.rows(out / "eval.csv")}, {"model", "poisson"})
        series = self.folder / "series.csv"
        series.write_text("date,x,y\n" + "".join(f"{step},{step % 7},{(step * 3) % 5}\n" for step in range(400)))
        out = self.train("series", "--task", "series", "--data", series, "--task-option", "look_back=14",
                         "--task-option", "horizon=7", "--task-option", "season=7", "--cell", "gru", "--steps", "10")
        best = {row["forecaster"]: float(row["mse"]) for row in self.rows(out / "eval.csv") if row["split"] == "test"}
        self.assertNotIn("oracle", best)
        self.assertLess(best["seasonal_naive"], best["repeat_last"])
        done = run("eval", out)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_what_does_not_fit_is_one_line(self):
        for words, parts in [
                (["--task", "series", "--train-size", "0"], ["--train-size 0", "series"]),
                (["--task", "series", "--rule", "honest"], ["--rule"]),
                (["--task", "parity", "--real-input", "relu"], ["--real-input", "parity"]),
                (["--task", "series", "--learner", "a2c"], ["--learner a2c", "series"]),
                (["--task", "events", "--data", "nowhere.csv"], ["nowhere.csv"])]:
            with self.subTest(words=words):
                done = run("train", *words, "--cell", "gru", "--out", self.folder / "none")
                self.assertIn(done.returncode, (1, 2))
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
                for part in parts:
                    self.assertIn(part, done.stderr)

    def test_data_prints_what_is_read_and_asked(self):
        shown = run("data", *SERIES, "--sequences", "1").stdout.splitlines()
        self.assertEqual(len(shown[0].split()), 7)
        self.assertEqual(sum(bool(line) for line in shown), 24 + 2)


if __name__ == "__main__":
    unittest.main()

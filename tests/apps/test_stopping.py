"""When a run stops by itself. Each run is decided by its data and a learning rate, not by luck."""
import csv
import pathlib
import re
import shutil
import tempfile
import unittest

from rlt_program import run

TINY = ["--cell", "lstm", "--d-model", "2", "--layers", "1", "--log-every", "1", "--threads", "1"]


class Stopping(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def data(self, train, valid):
        """Strings of one token "a"; `train` and `valid` are their labels."""
        folder = self.folder / "data"
        folder.mkdir(exist_ok=True)
        for split, labels in [("train", train), ("valid", valid)]:
            (folder / f"{split}.src").write_text("a\n" * len(labels))
            (folder / f"{split}.tgt").write_text("".join(f"{label}\n" for label in labels))
        return ["--task", "file", "--data", folder]

    def train(self, *arguments):
        """The last step of the run, and whether each of its evaluations was all right."""
        out = self.folder / f"run{len(list(self.folder.iterdir()))}"
        done = run("train", *TINY, *arguments, "--out", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(out / "train.csv", newline="") as file:
            last = int(list(csv.DictReader(file))[-1]["step"])
        return last, [percent == "100.00" for percent in re.findall(r"valid ([\d.]+) %", done.stderr)]

    def never_better(self):
        """Nothing is learned: after the first evaluation there is no gain."""
        return [*self.data("01" * 4, "01"), "--lr", "0", "--steps", "20", "--eval-every", "2"]

    def always_solved(self):
        """One class alone: every evaluation is all right from the start."""
        return [*self.data("0" * 8, "0"), "--steps", "20", "--eval-every", "2"]

    def test_a_run_stops_when_so_many_evaluations_brought_no_gain(self):
        for patience, step in [(1, 4), (3, 8), (8, 18)]:
            with self.subTest(patience=patience):
                self.assertEqual(self.train(*self.never_better(), "--patience", patience)[0], step)

    def test_patience_0_waits_for_ever_and_more_patience_than_evaluations_does_too(self):
        for patience in [0, 10]:
            with self.subTest(patience=patience):
                self.assertEqual(self.train(*self.never_better(), "--patience", patience)[0], 20)

    def test_a_gain_in_loss_alone_keeps_a_run_going(self):
        # Two contradictory labels: accuracy cannot change, the loss falls slowly towards log 2.
        last, solved = self.train(*self.data("01" * 4, "01"), "--optimizer", "sgd", "--lr", "0.01",
                                  "--steps", "20", "--eval-every", "2", "--patience", "1")
        self.assertEqual(last, 20)
        self.assertEqual(solved, [False] * 10)

    def test_an_honest_run_stops_at_the_third_solved_evaluation(self):
        self.assertEqual(self.train(*self.always_solved()), (6, [True] * 3))

    def test_solved_evaluations_without_patience_stop_a_run_as_well(self):
        self.assertEqual(self.train(*self.always_solved(), "--patience", "0")[0], 6)

    def test_three_solved_evaluations_count_only_in_a_row(self):
        # One string a step, label 0 or 1, at a rate at which the model answers what it saw last: it is right
        # at most twice in a row.
        last, solved = self.train(*self.data("01", "1"), "--optimizer", "sgd", "--lr", "20", "--batch", "1",
                                  "--steps", "24", "--eval-every", "1", "--patience", "0")
        self.assertEqual(last, 24)
        self.assertEqual(len(solved), 24)
        self.assertGreaterEqual(sum(solved), 3)
        self.assertIn([True, True, False], [solved[i:i + 3] for i in range(22)])
        self.assertNotIn([True] * 3, [solved[i:i + 3] for i in range(22)])


if __name__ == "__main__":
    unittest.main()

"""rlt eval --horizon, and the tasks word_problem and flip_flop, from training to what is measured."""
import csv
import pathlib
import shutil
import tempfile
import unittest

from rlt_program import TINY, TINY_MODEL, run

SIZES = [*TINY_MODEL, "--train-size", "64", "--eval-sequences", "20", "--window", "4-12"]


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shared = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.shared, ignore_errors=True)
        cls.trained = cls.shared / "run"
        done = run("train", *TINY, "--out", cls.trained)
        assert done.returncode == 0, done.stderr

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def done(self, *words, code=0):
        done = run(*words)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def one_line(self, *words, code=2, holds=()):
        done = self.done(*words, code=code)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        for part in holds:
            self.assertIn(part, done.stderr)

    def rows(self, path):
        with open(path, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def check_search(self, rows, most):
        """The bracket is that of the lengths tried, and the positions are those of the longest strings."""
        tried = {int(row["low"]): row for row in rows if row["kind"] == "length"}
        self.assertEqual(len(tried), sum(row["kind"] == "length" for row in rows))
        result = rows[-1]
        self.assertEqual(result["kind"], "horizon")
        right = {length for length, row in tried.items()
                 if 100 * int(row["sequences_correct"]) >= 99 * int(row["sequences"])}
        low, high = int(result["low"]), result["high"]
        self.assertLessEqual(max(tried), most)
        if high:
            self.assertNotIn(int(high), right)
            self.assertLessEqual(int(high) - low, max(4, low / 20))
        else:
            self.assertEqual(right, set(tried))
        self.assertTrue(low == 0 or low in right)
        positions = [row for row in rows if row["kind"] == "positions"]
        longest = max(rows[:-1], key=lambda row: int(row["length_max"]))
        self.assertEqual([int(row["low"]) for row in positions][:4], [1, 2, 3, 5])
        self.assertEqual(positions[-1]["high"], longest["length_max"])
        for count in ("tokens", "tokens_correct"):
            self.assertEqual(sum(int(row[count]) for row in positions), int(longest[count]))
        return tried


class Horizon(Case):
    def test_every_length_is_a_row_and_the_last_row_is_the_result(self):
        done = self.done("eval", self.trained, "--horizon", "--max-length", "100")
        rows = self.rows(self.trained / "horizon.csv")
        tried = self.check_search(rows, 100)
        self.assertIn(12, tried)
        self.assertEqual({row["train_length"] for row in rows}, {"12"})
        self.assertEqual({row["sequences"] for row in rows if row["kind"] == "length" and int(row["low"]) > 6}, {"20"})
        self.assertRegex(done.stdout, r"^horizon \d+ symbols \(.*trained up to 12\)\n$")
        self.assertEqual(len(done.stderr.splitlines()), len(tried))
        # once more: the same bytes, and no second table behind the first
        before = (self.trained / "horizon.csv").read_bytes()
        self.done("eval", self.trained, "--horizon", "--max-length", "100", "--threads", "2")
        self.assertEqual((self.trained / "horizon.csv").read_bytes(), before)

    def test_the_counts_are_those_of_lengths(self):
        self.done("eval", self.trained, "--horizon", "--max-length", "48", "--csv", self.folder / "h.csv",
                  "--sequences", "9")
        first = self.rows(self.folder / "h.csv")[0]
        done = self.done("eval", self.trained, "--lengths", "12", "--sequences", "9")
        plain = next(csv.DictReader(done.stdout.splitlines()))
        for name in ("sequences", "sequences_correct", "tokens", "tokens_correct", "data_hash", "step", "parameters"):
            self.assertEqual(first[name], plain[name])

    def test_csv_on_stdout_is_nothing_but_csv(self):
        done = self.done("eval", self.trained / "best.safetensors", "--horizon", "--max-length", "20")
        rows = list(csv.DictReader(done.stdout.splitlines()))
        self.check_search(rows, 20)

    def test_a_task_of_known_lengths_is_searched_in_its_unit(self):
        for task, window, unit in (("anbn", "2-6", "symbols"), ("code_execution", "2-5", "statements"),
                                   ("listops", "1-2", "depth")):
            run_folder = self.folder / task
            self.done("train", "--task", task, *TINY_MODEL, "--train-size", "8", "--eval-sequences", "4", "--window",
                      window, "--rule", "paper", "--out", run_folder)
            self.done("eval", run_folder, "--horizon", "--max-length", "17", "--sequences", "3")
            rows = self.rows(run_folder / "horizon.csv")
            self.assertEqual({row["unit"] for row in rows}, {unit})
            if task == "anbn":  # a window of n: strings of 2 n symbols
                self.assertEqual({row["train_length"] for row in rows}, {"12"})
                self.assertTrue(all(int(row["low"]) % 2 == 0 for row in rows if row["kind"] == "length"))

    def test_attention_ends_where_its_past_no_longer_fits(self):
        run_folder = self.folder / "run"
        self.done("train", *TINY, "--cell", "transformer", "--out", run_folder)
        done = self.done("eval", run_folder, "--horizon", "--max-length", "1000000000", "--sequences", "2")
        self.assertIn("no longer are read", done.stderr.splitlines()[0])
        rows = self.rows(run_folder / "horizon.csv")
        self.assertLess(int(rows[-1]["max_length"]), 10**8)

    def test_what_does_not_apply_is_one_line(self):
        self.one_line("eval", self.trained, "--horizon", "--lengths", "5", holds=["--lengths"])
        self.one_line("eval", self.trained, "--horizon", "--bins", "1", holds=["--bins"])
        self.one_line("eval", self.trained, "--max-length", "5", holds=["--max-length"])
        self.one_line("eval", self.trained, "--horizon", "--max-length", "0", holds=["--max-length"])
        self.one_line("eval", self.trained, "--horizon", "--greedy", holds=["--greedy"])
        played = self.folder / "played"
        self.done("train", "--task", "echo", "--cell", "lstm", "--d-model", "8", "--layers", "1", "--steps", "1",
                  "--quiet", "--out", played)
        self.one_line("eval", played, "--horizon", holds=["--horizon", "environment"])
        text = self.folder / "text"
        text.write_text("abcd" * 100)
        self.done("train", "--task", "text", "--data", text, *TINY_MODEL, "--out", self.folder / "read")
        self.one_line("eval", self.folder / "read", "--horizon", holds=["--horizon", "as they are"])


class Tasks(Case):
    def test_word_problem(self):
        run_folder = self.folder / "run"
        self.done("train", "--task", "word_problem", "--task-option", "group=Z3,held_out=2", *SIZES, "--out", run_folder)
        self.done("eval", run_folder, "--horizon", "--max-length", "30")
        rows = self.rows(run_folder / "horizon.csv")
        self.check_search(rows, 30)
        self.assertEqual({row["options"] for row in rows}, {"group=Z3;held_out=2"})
        done = self.done("eval", run_folder, "--task-option", "held_out=0", "--lengths", "9", "--sequences", "4")
        self.assertEqual(next(csv.DictReader(done.stdout.splitlines()))["options"], "group=Z3;held_out=0")
        self.one_line("eval", run_folder, "--task-option", "group=S3", holds=["group=S3", "other symbols"])
        self.one_line("eval", run_folder, "--task-option", "group=Q8", holds=["group=Q8"])
        self.one_line("train", "--task", "word_problem", "--task-option", "group=S9", holds=["S9"])
        text = self.done("tasks", "word_problem").stdout
        for words in ("A4xZ5", "held_out", "generators", "2606.07254"):
            self.assertIn(words, text)
        sample = self.done("data", "--task", "word_problem", "--sequences", "1", "--lengths", "7").stdout.split()
        self.assertEqual(len(sample), 14)

    def test_flip_flop(self):
        run_folder = self.folder / "run"
        self.done("train", "--task", "flip_flop", *SIZES, "--out", run_folder)
        hashes = set()
        for ignore in ("0.98", "0.8", "0.1"):
            done = self.done("eval", run_folder, "--task-option", f"ignore={ignore}", "--lengths", "512",
                             "--sequences", "20")
            row = next(csv.DictReader(done.stdout.splitlines()))
            hashes.add(row["data_hash"])
            reads = 1 + 254 * (1 - float(ignore)) / 2
            self.assertAlmostEqual(int(row["tokens"]) / 20 / reads, 1, delta=0.3)
            self.assertEqual(row["options"], f"ignore={ignore}")
        self.assertEqual(len(hashes), 3)
        self.done("eval", run_folder, "--horizon", "--max-length", "60")
        self.assertTrue(all(int(row["low"]) % 2 == 0 for row in self.rows(run_folder / "horizon.csv")
                            if row["kind"] == "length"))
        self.assertIn("million", self.done("tasks", "flip_flop").stdout)
        self.one_line("train", "--task", "flip_flop", "--window", "2-3", holds=["[2, 3]"])


if __name__ == "__main__":
    unittest.main()

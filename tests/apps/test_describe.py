"""What the program says of cells, runs and tables."""
import csv
import pathlib
import shutil
import tempfile
import unittest

from rlt_program import ROOT, TINY, run


class Describe(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def lines(self, *arguments):
        done = run(*arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.splitlines()

    def train(self, *arguments):
        out = self.folder / "run"
        done = run("train", *TINY, *arguments, "--out", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        return out

    def test_a_cell_names_its_file_its_reference_and_the_pieces_of_its_state(self):
        for cell in [line.split()[0] for line in self.lines("cells")]:
            with self.subTest(cell=cell):
                facts = dict(line.split(maxsplit=1) for line in self.lines("cells", cell)[1:])
                self.assertTrue((ROOT / facts["file"]).is_file())
                self.assertTrue((ROOT / facts["reference"]).is_file())
                self.assertIn("results/", facts["results"])
                self.assertRegex(facts["pieces"], r"\w+ \(\d+")
        self.assertIn("  pieces     4 heads x (W (16, 16), y (16))", self.lines("cells", "rdn"))
        self.assertIn("  norm       layer", self.lines("cells", "rdn"))
        self.assertIn("  norm       rms", self.lines("cells", "block_recurrent"))
        self.assertFalse([line for line in self.lines("cells", "lstm") if line.startswith("  norm ")])

    def test_a_run_and_its_checkpoint_say_what_a_sequence_carries(self):
        out = self.train("--cell", "rdn", "--layers", "2", "--heads", "4", "--epochs", "1", "--positions",
                         "sinusoidal")
        for path in [out, out / "last.safetensors"]:
            lines = [line for line in self.lines("info", path) if line.startswith("  state,")]
            self.assertEqual([line.split(maxsplit=1)[1].split() for line in lines],
                             [text.split() for text in ["layer 0 4 heads x (W (4, 4), y (4))",
                                                        "layer 1 4 heads x (W (4, 4), y (4))",
                                                        "input position"]])

    def test_every_column_of_all_tables_is_explained(self):
        strings = self.train("--epochs", "1")
        acting = self.folder / "acting"
        done = run("train", "--task", "tmaze", "--cell", "gru", "--d-model", "4", "--rollout", "4", "--steps", "1",
                   "--eval-sequences", "1", "--quiet", "--out", acting)
        self.assertEqual(done.returncode, 0, done.stderr)
        numbers = self.folder / "numbers"
        done = run("train", "--task", "series", "--task-option", "steps=1200", "--cell", "gru", "--d-model", "4",
                   "--steps", "1", "--quiet", "--out", numbers)
        self.assertEqual(done.returncode, 0, done.stderr)
        done = run("eval", strings, "--horizon", "--max-length", "20", "--sequences", "2")
        self.assertEqual(done.returncode, 0, done.stderr)
        expected = []
        for path in [acting / "train.csv", strings / "eval.csv", numbers / "eval.csv", acting / "eval.csv",
                     strings / "horizon.csv"]:
            with open(path, newline="", encoding="utf-8") as file:
                expected += [path.name, *next(csv.reader(file))]
        lines = self.lines("info", "--columns")
        self.assertEqual([line.split()[0] for line in lines], expected)
        with open(strings / "train.csv", newline="", encoding="utf-8") as file:
            beginning = next(csv.reader(file))
        self.assertEqual(expected[1:len(beginning) + 1], beginning)
        for line in lines:
            if line.startswith(" "):
                self.assertEqual(len(line.split(maxsplit=1)), 2, line)

    def test_bench_times_one_token_at_batch_1_and_8(self):
        words = ["bench", "--step", "--cell", "deltanet", "--d-model", "16", "--repeats", "1", "--length", "3"]
        rows = list(csv.DictReader(run(*words, "--csv", "-").stdout.splitlines()))
        self.assertEqual([row["batch"] for row in rows], ["1", "8"])
        for row in rows:
            self.assertEqual(row["state_size"], str(2 * 4 * 4 * 4))  # layers, heads, W
            self.assertEqual(float(row["allocations_per_token"]), 0)
            self.assertGreater(float(row["token_us"]), 0)
            self.assertGreater(float(row["before_s"]), 0)
        shown = run(*words, "--batch", "3").stdout
        self.assertEqual(len(shown.splitlines()), 2)
        self.assertIn("batch 3", shown)

    def test_bench_times_every_combination_of_lists(self):
        words = ["bench", "--repeats", "3", "--length", "5", "--csv", "-"]
        done = run(*words, "--cell", "linear,gru", "--d-model", "8-32*2", "--batch", "2,3")
        rows = list(csv.DictReader(done.stdout.splitlines()))
        self.assertEqual([(row["cell"], row["d_model"], row["batch"]) for row in rows],
                         [(cell, width, batch) for cell in ("linear", "gru") for width in ("8", "16", "32")
                          for batch in ("2", "3")])
        for row in rows:
            words_in = ("cell", "options", "precision", "commit", "processor")
            number = {name: float(row[name]) for name in row if name not in words_in}
            operations = number["gflops"] * number["step_ms"]
            self.assertGreater(operations, 0)
            self.assertAlmostEqual(number["peak_fraction"] * number["peak_gflops"], number["gflops"])
            alone = number["floor_peak_fraction"] * number["peak_gflops"] * number["floor_ms"]
            self.assertAlmostEqual(alone / operations, 1)
            self.assertLessEqual(number["step_min_ms"], number["step_ms"])
            self.assertNotEqual(row["processor"], "")
        for wrong in ("8-32*1", "8,", "0"):
            failed = run(*words, "--d-model", wrong)
            self.assertEqual((failed.returncode, len(failed.stderr.splitlines())), (2, 1))

    def test_bench_names_what_it_timed(self):
        words = ["bench", "--cell", "deltanet", "--cell-option", "beta_max=2", "--d-model", "8", "--repeats", "1",
                 "--length", "3", "--precision", "double", "--csv", "-"]
        for form in ([], ["--step", "--batch", "1"]):
            row, = csv.DictReader(run(*words, *form).stdout.splitlines())
            self.assertEqual((row["options"], row["precision"]), ("beta_max=2", "double"))

    def test_lists_of_lengths_add_or_multiply(self):
        def lengths(text):
            lines = run("data", "--task", "parity", "--sequences", "1", "--lengths", text).stdout.splitlines()
            return [len(line.split()) for line in lines[::3]]

        self.assertEqual(lengths("3,4-8:2"), [3, 4, 6, 8])
        self.assertEqual(lengths("3-24*2,5-9*3"), [3, 6, 12, 24, 5])

    def test_info_needs_a_run_or_columns(self):
        for arguments in [[], [self.folder, "--columns"]]:
            done = run("info", *arguments)
            self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1))


if __name__ == "__main__":
    unittest.main()

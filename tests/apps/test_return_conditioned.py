"""Recorded episodes on the command line: made, learned from, acted for, and refused where they are wrong."""
import csv
import io
import shutil
import unittest

from rlt_program import run
from test_errors import Case

SMALL = ["--d-model", "8", "--heads", "2", "--layers", "1", "--ff", "1", "--batch", "8", "--lr", "0.01", "--warmup", "0",
         "--eval-every", "20", "--eval-sequences", "20", "--quiet"]


class ReturnConditioned(Case):
    def setUp(self):
        super().setUp()
        self.data = self.folder / "medium.csv"
        done = run("data", "--task", "cartpole_po", "--policy", "medium", "--sequences", "40", "--write-csv", self.data)
        self.assertEqual(done.returncode, 0, done.stderr)

    def arguments(self, *words, data=None):
        return ["train", "--task", "cartpole_po", "--learner", "return_conditioned", "--data", data or self.data, *SMALL,
                *words]

    def train(self, *words, out="run", code=0, data=None):
        done = run(*self.arguments(*words, data=data), "--out", self.folder / out)
        self.assertEqual(done.returncode, code, done.stderr)
        return self.folder / out

    def rows(self, text):
        return list(csv.DictReader(io.StringIO(text)))

    def test_data_prints_episodes_or_writes_them_and_replaces_no_file(self):
        printed = run("data", "--task", "cartpole_po", "--sequences", "3", "--seed", "4")
        rows = self.rows(printed.stdout)
        self.assertEqual(list(rows[0]), ["episode", "step", "observation_0", "observation_1", "action", "reward"])
        self.assertEqual([row["episode"] for row in rows if row["step"] == "0"], ["0", "1", "2"])
        self.assertIn("3 episodes of random in cartpole_po", printed.stderr)
        self.assertEqual(run("data", "--task", "cartpole_po", "--sequences", "3", "--seed", "4").stdout, printed.stdout)
        before = self.data.read_bytes()
        self.refused(1, ["--write-csv", str(self.data)], "data", "--task", "cartpole_po", "--write-csv", self.data)
        self.assertEqual(self.data.read_bytes(), before)
        for words, parts in [
                (["--task", "cartpole_po", "--policy", "exprt"], ["--policy exprt", "expert"]),
                (["--task", "concentration", "--policy", "expert"], ["--policy expert", "concentration"]),
                (["--task", "cartpole_po", "--write", "x"], ["--write", "cartpole_po"]),
                (["--task", "cartpole_po", "--bin", "1"], ["--bin", "cartpole_po"]),
                (["--task", "parity", "--policy", "random"], ["--policy", "parity"]),
                (["--task", "parity", "--write-csv", "x"], ["--write-csv", "parity"])]:
            with self.subTest(words=words):
                self.refused(2, parts, "data", *words)

    def test_a_policy_beats_its_data_and_eval_says_so(self):
        out = self.train("--cell", "gru", "--steps", "150")
        both = self.rows((out / "eval.csv").read_text())
        self.assertEqual([row["choice"] for row in both], ["sample", "greedy"])
        done = run("eval", out, "--greedy", "--sequences", "30")
        row = self.rows(done.stdout)[0]
        earned, random, expert = (float(row[name]) for name in ("return", "random_return", "expert_return"))
        self.assertEqual((row["episodes"], row["data_episodes"]), ("30", "40"))
        self.assertAlmostEqual(expert, 1, places=5)
        self.assertAlmostEqual(float(row["score"]), 100 * (earned - random) / (expert - random), places=6)
        data = self.rows(self.data.read_text())
        mean = sum(float(step["reward"]) for step in data) / 40
        self.assertAlmostEqual(float(row["data_return"]), mean, places=5)
        self.assertAlmostEqual(float(row["data_score"]), 100 * (mean - random) / (expert - random), places=4)
        self.assertAlmostEqual(float(row["target_return"]), float(row["data_best_return"]))
        self.assertGreaterEqual(float(row["score"]), float(row["data_score"]))
        self.assertIn("its data", done.stderr)
        less = self.rows(run("eval", out, "--target-return", "0.25", "--sequences", "30").stdout)[0]
        self.assertEqual(less["target_return"], "0.25")
        self.assertLess(float(less["return"]), earned)
        self.assertIn("reward", run("eval", out, "--show").stdout.splitlines()[0])
        self.assertIn("data_returns", run("info", out).stdout)

    def test_a_stopped_run_goes_on_in_the_same_bits_where_its_data_lie_now(self):
        whole = self.train("--cell", "aaren", "--steps", "40", "--threads", "1")
        self.train("--cell", "aaren", "--steps", "40", "--time-limit", "0.0001", out="parts", code=75)
        moved = shutil.move(self.data, self.folder / "moved.csv")
        parts = self.train("--cell", "aaren", "--steps", "40", "--threads", "2", "--resume", out="parts", data=moved)
        self.assertEqual((parts / "eval.csv").read_text(), (whole / "eval.csv").read_text())
        other = self.folder / "other.csv"
        run("data", "--task", "cartpole_po", "--policy", "replay", "--sequences", "40", "--write-csv", other)
        self.refused(1, ["train set is not that of the run", "--force"], *self.arguments(
            "--cell", "aaren", "--steps", "40", data=other), "--out", whole)

    def test_what_does_not_fit_is_one_line(self):
        learner = ["train", "--learner", "return_conditioned"]
        out = ["--out", self.folder / "none"]
        self.refused(2, ["--data", "rlt data"], *learner, "--task", "cartpole_po", *out)
        self.refused(2, ["return_conditioned", "parity"], *learner, "--task", "parity", *out)
        self.refused(2, ["--data", "return_conditioned"], "train", "--task", "cartpole_po", "--data", self.data, *out)
        self.refused(2, ["--segment", "cartpole_po"], "train", "--task", "cartpole_po", "--segment", "9", *out)
        self.refused(2, ["--rollout", "return_conditioned"], *self.arguments("--rollout", "9"), *out)
        self.refused(1, ["none.csv"], *self.arguments(data=self.folder / "none.csv"), *out)
        self.refused(1, [f"{self.data}:1", "column 'observation_2' is missing"], *learner, "--task", "echo", "--data", self.data, *out)
        lines = self.data.read_text().splitlines(keepends=True)
        spoiled = self.folder / "spoiled.csv"
        for line, text, parts in [(3, "0,1,nan,0,1,0.005\n", ["observation_0", "nan"]),
                                  (4, "0,7,0,0,1,0.005\n", ["step", "'7'"]),
                                  (2, "0,0,0,0,3,0.005\n", ["action", "'3'"])]:
            with self.subTest(text=text):
                spoiled.write_text("".join([*lines[:line - 1], text, *lines[line:]]))
                self.refused(1, [f"{spoiled}:{line}", *parts], *self.arguments(data=spoiled), *out)
        self.assertFalse((self.folder / "none").exists())

    def test_only_a_return_conditioned_policy_is_asked_for_a_return(self):
        out = self.folder / "a2c"
        done = run("train", "--task", "cartpole_po", "--cell", "gru", "--d-model", "4", "--rollout", "4", "--steps", "1",
                   "--eval-sequences", "1", "--quiet", "--out", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.rows((out / "eval.csv").read_text())[0]["score"], "")
        self.refused(2, ["--target-return", "a2c"], "eval", out, "--target-return", "1")

    def test_the_learner_and_the_expert_are_described(self):
        described = run("tasks", "cartpole_po").stdout
        for words in ("return_conditioned", "expert ", "--data "):
            self.assertIn(words, described)
        self.assertIn("return_conditioned", run("train", "--help").stdout)
        self.assertIn("medium_expert", run("data", "--help").stdout)
        shown = run(*self.arguments("--print-config")).stdout
        for line in ("segment = 200", 'optimizer = "adamw"', "clip = 0.25", "dropout = 0.1", "hidden = 0"):
            self.assertIn(line + "\n", shown)


if __name__ == "__main__":
    unittest.main()

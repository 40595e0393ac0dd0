"""Environments on the command line: learners that fit, settings that apply, episodes played and shown."""
import csv
import unittest

from rlt_program import run
from test_errors import Case

SMALL = ["--cell", "lstm", "--d-model", "8", "--hidden", "6", "--batch", "4", "--eval-sequences", "4",
         "--task-option", "corridor=4", "--quiet"]


class Acting(Case):
    def train(self, *words):
        done = run("train", "--task", "tmaze", *SMALL, *words, "--out", self.folder / "run")
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.folder / "run"

    def rows(self, path):
        with open(path, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def test_what_does_not_fit_is_one_line(self):
        for words, parts in [
                (["--task", "parity", "--learner", "a2c"], ["--learner a2c", "parity"]),
                (["--task", "tmaze", "--learner", "supervised"], ["--learner supervised", "tmaze"]),
                (["--task", "cartpole_po", "--learner", "imitate"], ["--learner imitate", "cartpole_po"]),
                (["--task", "tmaze", "--task-option", "corridor=257"], ["corridor", "257", "256"]),
                (["--task", "tmaze", "--task-option", "coridor=20"], ["coridor", "corridor"]),
                (["--task", "tmaze", "--learner", "ppo", "--batch", "6", "--minibatches", "4"], ["--minibatches 4", "--batch 6"]),
                (["--task", "tmaze", "--rollout", "0"], ["--rollout 0"]),
                (["--task", "tmaze", "--train-size", "5"], ["--train-size", "tmaze"]),
                (["--task", "tmaze", "--passes", "2"], ["--passes", "a2c"]),
                (["--task", "parity", "--gamma", "0.9"], ["--gamma", "parity"]),
                (["--task", "tmaze", "--cell", "deltanet", "--real-input", "direct"], ["--real-input direct", "deltanet"]),
                (["--task", "tmase"], ["tmase", "tmaze"])]:
            with self.subTest(words=words):
                done = run("train", *words, "--out", self.folder / "none")
                self.assertEqual(done.returncode, 2)
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
                for part in parts:
                    self.assertIn(part, done.stderr)
                self.assertFalse((self.folder / "none").exists())

    def test_the_published_settings_stand_for_what_is_not_chosen(self):
        shown = run("train", "--task", "tmaze", "--cell", "gru", "--lr", "0.25", "--print-config").stdout
        for line in ('learner = "a2c"', "d-model = 680", "entropy = 0.01", "lr = 0.25", "batch = 8", "rollout = 256",
                     "steps = 2442", "clip = 0.5"):
            self.assertIn(line + "\n", shown)
        (self.folder / "config.toml").write_text(shown)
        again = run("train", "--config", self.folder / "config.toml", "--print-config").stdout
        self.assertEqual(again, shown)
        # What a file says is chosen, also where it is what strings begin with.
        (self.folder / "config.toml").write_text('task = "tmaze"\nbatch = 32\n')
        self.assertIn("batch = 32\n", run("train", "--config", self.folder / "config.toml", "--print-config").stdout)

    def test_train_csv_counts_episodes_and_steps(self):
        out = self.train("--rollout", "8", "--steps", "6", "--log-every", "3")
        rows = self.rows(out / "train.csv")
        self.assertEqual([row["tokens"] for row in rows], ["96", "192"])
        self.assertGreater(sum(int(row["episodes"]) for row in rows), 0)
        for row in rows:
            self.assertAlmostEqual(float(row["loss"]), float(row["policy_loss"]) + 0.5 * float(row["value_loss"])
                                   - 0.001 * float(row["entropy"]), places=5)
        self.assertEqual([row["choice"] for row in self.rows(out / "eval.csv")], ["sample", "greedy"])

    def test_eval_plays_corridors_and_shows_an_episode(self):
        out = self.train("--learner", "imitate", "--steps", "2")
        done = run("eval", out, "--lengths", "3,5-7:2", "--sequences", "9", "--greedy", "--csv", self.folder / "e.csv")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = self.rows(self.folder / "e.csv")
        self.assertEqual([row["size"] for row in rows], ["3", "5", "7"])
        self.assertEqual([(row["episodes"], row["choice"]) for row in rows], [("9", "greedy")] * 3)
        self.assertEqual([round(float(row["best_return"]), 6) for row in rows], [3.8, 3.6, 3.4])
        self.assertEqual([round(float(row["memoryless_return"]), 6) for row in rows], [1.3, 1.1, 0.9])
        film = run("eval", out, "--show", "--lengths", "3").stdout.splitlines()
        self.assertRegex(film[0], r"^ +0 (up  |down) @\.Y ")
        for words in (["--bins", "0"], ["--lengths", "1"], ["--lengths", "3,4", "--show"], ["--data", "x"],
                      ["--show", "--sequences", "9"], ["--show", "--batch", "2"], ["--show", "--csv", "film.csv"]):
            with self.subTest(words=words):
                self.assertEqual(run("eval", out, *words).returncode, 2)
        self.assertIn("state, layer 0   h (8), c (8)", run("info", out).stdout)

    def test_a_folder_of_another_environment_is_left_alone(self):
        out = self.train("--rollout", "8", "--steps", "1")
        before = (out / "last.safetensors").read_bytes()
        done = run("train", "--task", "echo", "--cell", "gru", "--steps", "1", "--resume", "--out", out)
        self.assertEqual(done.returncode, 2)
        self.assertIn("task", done.stderr)
        self.assertEqual((out / "last.safetensors").read_bytes(), before)

    def test_environments_are_listed_described_and_timed(self):
        self.assertIn("tmaze", run("tasks").stdout)
        self.assertIn("corridor", run("tasks", "tmaze").stdout)
        timed = run("bench", "--task", "tmaze", "--repeats", "1", "--batch", "4", "--csv", "-").stdout
        self.assertGreater(float(list(csv.DictReader(timed.splitlines()))[0]["steps_per_s"]), 0)
        self.assertEqual(run("bench", "--task", "parity").returncode, 2)


if __name__ == "__main__":
    unittest.main()

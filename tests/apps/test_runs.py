"""What the commands promise: reproducible, resumable, readable runs."""
import csv
import json
import pathlib
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import unittest

from rlt_program import PROGRAM, TINY, TINY_MODEL, run


def tensors(path):
    """Name -> (dtype, shape, bytes) of a safetensors file, and its metadata, by the format's rules."""
    data = pathlib.Path(path).read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    metadata = header.pop("__metadata__")
    body = data[8 + size:]
    return {name: (entry["dtype"], entry["shape"], body[slice(*entry["data_offsets"])])
            for name, entry in header.items()}, metadata


def without_times(path):
    """Rows of a CSV without the column that no run repeats."""
    with open(path, newline="") as file:
        return [{key: value for key, value in row.items() if key != "wall_s"}
                for row in csv.DictReader(file)]


class Runs(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def train(self, name, *arguments, code=0, env=None, tiny=TINY):
        out = self.folder / name
        done = run("train", *tiny, "--out", out, *arguments, env=env)
        self.assertEqual(done.returncode, code, done.stderr)
        return out

    def same(self, one, other):
        for file in ["last.safetensors", "best.safetensors"]:
            self.assertEqual(tensors(one / file)[0], tensors(other / file)[0], file)
        self.assertEqual((one / "eval.csv").read_bytes(), (other / "eval.csv").read_bytes())
        self.assertEqual(without_times(one / "train.csv"), without_times(other / "train.csv"))

    def test_the_same_seed_gives_the_same_bits_for_1_and_2_threads(self):
        for cell in [line.split()[0] for line in run("cells").stdout.splitlines()]:
            with self.subTest(cell=cell):
                big = ["--cell", cell, "--d-model", "32", "--heads", "2", "--dropout", "0.1"]
                one = self.train(cell + "1", *big, "--threads", "1")
                two = self.train(cell + "2", *big, "--threads", "2")
                self.same(one, two)

    def test_another_seed_gives_other_weights(self):
        one = self.train("one")
        two = self.train("two", "--seed", "2")
        self.assertNotEqual(tensors(one / "last.safetensors")[0], tensors(two / "last.safetensors")[0])

    def test_a_stopped_run_goes_on_bit_for_bit(self):
        long = ["--epochs", "60", "--patience", "0", "--log-every", "7", "--dropout", "0.1"]
        whole = self.train("whole", *long)
        parts = self.folder / "parts"
        # Stop at every chance: the limit is over before the first step ends.
        stops = 0
        while True:
            done = run("train", *TINY, *long, "--out", parts, "--resume", "--time-limit",
                       "0.05s" if stops < 4 else "1h")
            if done.returncode == 0:
                break
            self.assertEqual(done.returncode, 75, done.stderr)
            self.assertFalse((parts / "DONE").exists())
            stops += 1
        self.assertGreaterEqual(stops, 1)
        self.same(whole, parts)

    def text(self):
        """Three documents, 1500 characters of a language with some order."""
        folder = self.folder / "text"
        folder.mkdir(exist_ok=True)
        for name, word in [("one", "abc "), ("two", "b\u00e9ta, "), ("three", "acca\n")]:
            (folder / name).write_text(word * (500 // len(word)), encoding="utf-8")
        return ["--task", "text", "--data", folder, "--segment", "9", "--batch", "3"]

    def test_documents_are_learned_and_scored_in_bits(self):
        done = run("train", *TINY_MODEL[:-1], *self.text(), "--cell", "lstm", "--lr", "0.01", "--epochs",
                   "8", "--out", self.folder / "run")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("bits a token", done.stderr)
        rows = without_times(self.folder / "run" / "eval.csv")
        self.assertEqual([row["split"] for row in rows], ["valid", "test"])
        for row in rows:
            self.assertLess(float(row["bits"]), 0.8 * float(row["class_bits"]))

    def test_a_stopped_run_over_documents_goes_on_with_the_carried_state(self):
        for cell in ["rdn", "transformer"]:
            with self.subTest(cell=cell):
                long = [*self.text(), "--cell", cell, "--epochs", "12", "--patience", "0", "--log-every", "7"]
                whole = self.train(f"whole-{cell}", *long, tiny=TINY_MODEL)
                parts = self.folder / f"parts-{cell}"
                stops = 0
                while run("train", *TINY_MODEL, *long, "--out", parts, "--resume", "--time-limit",
                          "0.05s" if stops < 4 else "1h").returncode == 75:
                    stops += 1
                self.assertGreaterEqual(stops, 1)
                self.same(whole, parts)
                carried = "carried.state" in tensors(parts / "last.safetensors")[0]
                self.assertEqual(carried, cell == "rdn")  # attention starts every segment anew

    def signalled(self, number, code):
        out = self.folder / f"signal-{number}"
        arguments = [*TINY, "--epochs", "100000", "--patience", "0", "--out", out]
        process = subprocess.Popen([PROGRAM, "train", *map(str, arguments)], stderr=subprocess.PIPE)
        limit = time.monotonic() + 60
        while not (out / "last.safetensors").exists() and time.monotonic() < limit:
            time.sleep(0.05)
        process.send_signal(number)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, code)
        self.assertEqual(json.loads((out / "meta.json").read_text())["exit"], code)
        self.assertGreater(int(tensors(out / "last.safetensors")[1]["step"]), 0)

    def test_signals_leave_a_checkpoint_and_their_exit_code(self):
        self.signalled(signal.SIGTERM, 75)
        self.signalled(signal.SIGUSR1, 75)
        self.signalled(signal.SIGINT, 130)

    def test_the_resolved_config_repeats_the_run(self):
        one = self.train("one", "--cell-option", "beta_max=2", "--seed", "5")
        two = self.folder / "two"
        done = run("train", "--config", one / "config.toml", "--out", two, "--quiet")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.same(one, two)
        self.assertEqual((one / "config.toml").read_bytes(), (two / "config.toml").read_bytes())

    def test_flag_beats_environment_beats_file_beats_default(self):
        config = self.folder / "some.toml"
        config.write_text("d-model = 24\nheads = 3\nbatch = 8\n")
        done = run("train", "--config", config, "--d-model", "48", "--print-config",
                   env={"RLT_D_MODEL": "96", "RLT_HEADS": "6"})
        self.assertEqual(done.returncode, 0, done.stderr)
        settings = dict(line.split(" = ") for line in done.stdout.splitlines() if " = " in line)
        self.assertEqual((settings["d-model"], settings["heads"], settings["batch"], settings["ff"]),
                         ("48", "6", "8", "4"))

    def test_divergence_is_named_and_keeps_the_last_good_checkpoint(self):
        out = self.folder / "wild"
        done = run("train", *TINY, "--lr", "1e6", "--optimizer", "sgd", "--epochs", "50", "--eval-every",
                   "1", "--patience", "0", "--out", out)
        self.assertEqual(done.returncode, 3, done.stderr)
        for word in ["step", "loss", "gradient", "last finite loss"]:
            self.assertIn(word, done.stderr)
        self.assertEqual(json.loads((out / "meta.json").read_text())["exit"], 3)

    def test_require_decides_the_exit_code(self):
        self.train("bad", "--require", "1", "--epochs", "1", code=4)
        self.train("good", "--require", "0", "--epochs", "1")

    def test_eval_reads_pieces_of_any_size_alike(self):
        out = self.train("run", "--epochs", "20")
        rows = []
        for piece in ["1", "7", "1000"]:
            done = run("eval", out, "--lengths", "5,31", "--sequences", "13", "--piece", piece)
            self.assertEqual(done.returncode, 0, done.stderr)
            rows.append([(row["sequences_correct"], row["tokens_correct"], row["data_hash"])
                         for row in csv.DictReader(done.stdout.splitlines())])
        self.assertEqual(rows[0], rows[1])
        self.assertEqual(rows[0], rows[2])
        self.assertEqual(len(rows[0]), 2)

    def test_evaluation_sets_do_not_depend_on_the_training_seed(self):
        hashes = []
        for seed in ["1", "2"]:
            out = self.train("seed" + seed, "--seed", seed)
            with open(out / "eval.csv", newline="") as file:
                hashes.append([row["data_hash"] for row in csv.DictReader(file)])
        self.assertEqual(hashes[0], hashes[1])

    def test_own_data_written_by_rlt_data_trains(self):
        data = self.folder / "data"
        done = run("data", "--task", "dyck1", "--train-size", "50", "--eval-sequences", "10", "--write",
                   data)
        self.assertEqual(done.returncode, 0, done.stderr)
        out = self.folder / "run"
        done = run("train", "--task", "file", "--data", data, "--d-model", "16", "--epochs", "1",
                   "--cell", "linear", "--quiet", "--out", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(out / "eval.csv", newline="") as file:
            self.assertEqual([row["split"] for row in csv.DictReader(file)], ["valid", "test"])

    def test_fresh_samples_at_every_step(self):
        out = self.train("fresh", "--train-size", "0", "--steps", "12", "--eval-every", "6")
        with open(out / "train.csv", newline="") as file:
            self.assertEqual([row["step"] for row in csv.DictReader(file)], ["12"])


class Gradcheck(unittest.TestCase):
    def test_every_cell_passes(self):
        done = run("gradcheck", "--all", "--entries", "12", timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout)
        rows = list(csv.DictReader(done.stdout.splitlines()))
        self.assertTrue(all(float(row["worst_relative_error"]) < 1e-6 for row in rows))

    def test_a_wrong_gradient_is_found(self):
        done = run("gradcheck", "--cell", "rdn", "--entries", "3", "--spoil", "block.1.cell.recurrent")
        self.assertEqual(done.returncode, 4)
        self.assertIn("block.1.cell.recurrent", [line.split(",")[1] for line in done.stdout.splitlines()
                                                 if line.endswith("WRONG")])


if __name__ == "__main__":
    unittest.main()

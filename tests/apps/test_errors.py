"""Bad input gets one clear line and the right exit code; nothing is lost or half-written."""
import json
import os
import pathlib
import shutil
import struct
import tempfile
import unittest

from rlt_program import TINY, run


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def refused(self, code, words, *arguments, **options):
        """The program ends with `code` and one line on stderr that holds every one of `words`."""
        done = run(*arguments, **options)
        self.assertEqual(done.returncode, code, done.stderr)
        lines = done.stderr.strip().splitlines()
        self.assertEqual(len(lines), 1, done.stderr)
        for word in words:
            self.assertIn(word, lines[0])
        return done

    def train(self, name, *arguments):
        run_folder = self.folder / name
        done = run("train", *TINY, "--out", run_folder, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return run_folder


class Usage(Case):
    def test_unknown_names_come_with_the_nearest(self):
        for arguments, near in [
                (["train", "--cell", "delta_net"], "deltanet"),
                (["train", "--task", "paritty"], "parity"),
                (["train", "--hedas", "4"], "--heads"),
                (["trian"], "train"),
                (["train", "--optimizer", "adm"], "adam"),
                (["train", "--rule", "honst"], "honest"),
                (["train", "--protocol", "papr"], "paper"),
                (["train", "--positions", "rotry"], "rotary"),
                (["cells", "rdm"], "rdn"),
                (["tasks", "dyck2"], "dyck1"),
        ]:
            with self.subTest(arguments=arguments):
                self.refused(2, [near], *arguments)

    def test_unknown_config_key_comes_with_the_nearest(self):
        config = self.folder / "a.toml"
        config.write_text("d-modle = 32\n")
        self.refused(2, ["d-modle", "d-model", "a.toml"], "train", "--config", config)

    def test_missing_or_broken_config_file(self):
        self.refused(2, ["nowhere.toml"], "train", "--config", self.folder / "nowhere.toml")

    def test_sizes_that_do_not_fit(self):
        for arguments, words in [
                (["--heads", "5"], ["--heads 5", "64"]),
                (["--heads", "0"], ["--heads 0"]),
                (["--d-model", "-8"], ["--d-model"]),
                (["--d-model", "0"], ["--d-model 0"]),
                (["--batch", "0"], ["--batch 0"]),
                (["--layers", "-1"], ["--layers -1"]),
                (["--ff", "0"], ["--ff 0"]),
                (["--dropout", "1"], ["--dropout 1"]),
                (["--lr", "fast"], ["--lr fast", "number"]),
                (["--d-model", "12.5"], ["--d-model 12.5", "whole number"]),
                (["--window", "50-2"], ["50"]),
                (["--window", "0-0"], ["0"]),
                (["--window", "short"], ["--window short", "2-50"]),
                (["--train-size", "0"], ["--steps"]),
                (["--cell-option", "beta_max=9"], ["beta_max=9", "0.001"]),
                (["--cell-option", "beta_mx=1"], ["beta_mx", "beta_max"]),
                (["--cell-option", "beta_max"], ["NAME=VALUE"]),
                (["--cell-option", "dpfp_nu=1.5"], ["dpfp_nu=1.5", "whole number from 1 to 4"]),
                (["--d-model", "512", "--heads", "2", "--cell-option", "feature_map=dpfp",
                  "--cell-option", "dpfp_nu=4"], ["feature_map=dpfp", "2048", "1024"]),
                (["--positions", "rotary"], ["rotary", "deltanet"]),
                (["--time-limit", "soon"], ["--time-limit soon", "15m"]),
        ]:
            with self.subTest(arguments=arguments):
                self.refused(2, words, "train", "--cell", "deltanet", "--out", self.folder / "run",
                             *arguments)
                self.assertFalse((self.folder / "run").exists(), "nothing half-written")

    def test_a_length_that_no_string_has(self):
        folder = self.train("run", "--task", "dyck1")
        self.refused(2, ["--lengths 1", "dyck1"], "eval", folder, "--lengths", "1")
        self.refused(2, ["--lengths 5-"], "eval", folder, "--lengths", "5-")
        self.refused(2, ["--positions", "dyck1 has no documents"], "eval", folder, "--positions")


class Runs(Case):
    def test_a_finished_run_is_skipped_and_kept(self):
        folder = self.train("run")
        before = {p.name: p.read_bytes() for p in folder.iterdir()}
        done = run("train", *TINY, "--out", folder)
        self.assertEqual(done.returncode, 0)
        self.assertIn("finished", done.stderr)
        self.assertEqual(before, {p.name: p.read_bytes() for p in folder.iterdir()})

    def test_a_run_with_other_settings_is_refused(self):
        folder = self.train("run")
        self.refused(2, ["other settings", "d-model = 16", "d-model = 32", "--force"], "train", *TINY,
                     "--d-model", "32", "--out", folder)

    def test_an_interrupted_run_needs_resume_or_force(self):
        folder = self.train("run")
        (folder / "DONE").unlink()
        self.refused(2, ["--resume", "--force"], "train", *TINY, "--out", folder)

    def test_an_unwritable_folder(self):
        blocker = self.folder / "file"
        blocker.write_text("")
        self.refused(1, [str(blocker)], "train", *TINY, "--out", blocker / "run")

    def test_a_full_disk(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        folder = self.train("run")
        self.refused(1, ["/dev/full"], "eval", folder, "--bins", "0", "--csv", "/dev/full")


class Checkpoints(Case):
    def setUp(self):
        super().setUp()
        self.run_folder = self.train("run")
        self.best = self.run_folder / "best.safetensors"
        self.good = self.best.read_bytes()

    def damaged(self, data, words):
        self.best.write_bytes(data)
        self.refused(1, ["best.safetensors", *words], "eval", self.run_folder, "--bins", "0")

    def test_wrong_magic(self):
        self.damaged(b"PK\x03\x04" + self.good[4:], [])

    def test_short_file(self):
        self.damaged(self.good[:-100], [])
        self.damaged(self.good[:5], [])
        self.damaged(b"", [])

    def test_huge_header(self):
        self.damaged(struct.pack("<Q", 1 << 40) + self.good[8:], [])

    def test_nan_inside(self):
        first = 8 + struct.unpack("<Q", self.good[:8])[0]
        self.damaged(self.good[:first] + struct.pack("<f", float("nan")) + self.good[first + 4:],
                     ["damaged", "checksum"])

    def test_a_foreign_file(self):
        header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
        self.damaged(struct.pack("<Q", len(header)) + header + bytes(4), [])

    def test_a_vocabulary_that_does_not_fit(self):
        size = struct.unpack("<Q", self.good[:8])[0]
        header = json.loads(self.good[8:8 + size])
        header["__metadata__"] |= {"task": "shuffle2", "version": "1"}  # without a checksum
        del header["__metadata__"]["xxh3"]
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        self.best.write_bytes(struct.pack("<Q", len(text)) + text + self.good[8 + size:])
        self.refused(1, ["best.safetensors", "embedding.weight"], "eval", self.best, "--bins", "0")
        self.refused(1, ["best.safetensors", "shuffle2", "config.toml"], "eval", self.run_folder, "--bins", "0")

    def test_a_flipped_bit(self):
        for place in [3, 200, len(self.good) // 2, len(self.good) - 1]:
            flipped = bytearray(self.good)
            flipped[place] ^= 4
            self.damaged(bytes(flipped), [])

    def test_a_missing_run(self):
        self.refused(1, ["nowhere"], "eval", self.folder / "nowhere")
        self.refused(1, ["no run folder"], "info", self.folder)


class Data(Case):
    def write(self, **files):
        for name, text in files.items():
            (self.folder / name.replace("_", ".")).write_text(text)

    def test_unreadable_data_names_file_and_line(self):
        self.write(train_src="a b\na\n", train_tgt="0 1\n0\n", valid_src="a\na b\n", valid_tgt="0\n0\n")
        self.refused(1, ["valid", "2"], "train", "--task", "file", "--data", self.folder, "--out",
                     self.folder / "run")

    def test_unknown_token_in_the_validation_set(self):
        self.write(train_src="a b\na\n", train_tgt="0 1\n0\n", valid_src="a\nc\n", valid_tgt="0\n0\n")
        self.refused(1, ["valid.src", "2", "c"], "train", "--task", "file", "--data", self.folder,
                     "--out", self.folder / "run")

    def test_a_missing_folder(self):
        self.refused(1, ["nowhere"], "train", "--task", "file", "--data", self.folder / "nowhere",
                     "--out", self.folder / "run")


if __name__ == "__main__":
    unittest.main()

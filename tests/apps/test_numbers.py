"""Numbers: decimal and complete wherever they come from, and sizes that fit or are refused in one line."""
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import tempfile
import unittest

from rlt_program import PROGRAM, TINY, run

COMMANDS = ["train", "eval", "gradcheck", "bench", "data", "cells", "tasks", "info"]
# Of no flag a value.
NONE = ["", "-1", "010", "0x10", "+5", "5 ", "nan", "1e400", "99999999999999999999"]
TOO_LARGE = ["9223372036854775807", "4611686018427387904", "576460752303423489"]
# In the form of their own.
LISTS = {"--window": NONE[1:] + ["2-" + n for n in NONE + TOO_LARGE] + [n + "-50" for n in NONE],
         "--lengths": NONE + TOO_LARGE + ["5-" + n for n in NONE + TOO_LARGE] + ["1-9:0", "1-9:-1", "5,", ","],
         "--bins": NONE + TOO_LARGE + ["0-" + n for n in TOO_LARGE]}
TIMES = [n for n in NONE if n != "5 "] + ["0", "0s", "-5s", "1e400h", "5 s", "m", "3h50x", "inf", "1e10"]


def numeric_flags(command):
    """Flag -> (low, high), as the help says."""
    flags = {}
    for entry in re.split(r"\n  (?=-)", run(command, "--help").stdout):
        found = re.search(r"\(from (\S+) to (\S+)\)", " ".join(entry.split()))
        if found:
            flags[re.search(r"--[a-z0-9-]+", entry)[0]] = found.groups()
    return flags


def without(flag, words):
    at = words.index(flag)
    return words[:at] + words[at + 2:]


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)

    def small(self, *arguments, env=None, gigabytes=4):
        """Runs with little address space, so that a mistake cannot take the machine down."""
        limit = gigabytes * 10**9
        return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, cwd=self.folder,
                              env={**os.environ, **(env or {})}, timeout=60, check=False,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))

    def refused(self, code, words, *arguments, **options):
        done = self.small(*arguments, **options)
        self.assertEqual(done.returncode, code, done)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done)
        if code == 2:
            self.assertEqual(done.stdout, "", done)
        self.assertNotIn("internal error", done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def start(self, command):
        """Words after which a flag of the command would have its effect."""
        return {"train": ["train", *TINY, "--out", "run"], "eval": ["eval", "nowhere"],
                "gradcheck": ["gradcheck", "--cell", "elstm"], "info": ["info", "nowhere"]}.get(
                    command, [command])


class Flags(Case):
    def test_no_flag_of_any_command_takes_what_is_no_number_of_its_range(self):
        seen = 0
        for command in COMMANDS:
            flags = numeric_flags(command)
            self.assertIn("--threads", flags)
            for flag, (low, high) in flags.items():
                for value in ["", "-1", "010", "0x10", "nan", TOO_LARGE[0]]:
                    if value[-1:] in set("123456789") and float(low) <= float(value) <= float(high):
                        continue  # seeds and --clip reach far, returns below 0
                    seen += 1
                    with self.subTest(command=command, flag=flag, value=value):
                        self.refused(2, [flag, value or "''"], *self.start(command), flag, value)
        self.assertGreater(seen, 300)
        self.assertFalse((self.folder / "run").exists())

    def test_every_flag_with_a_number_shows_its_range(self):
        for command, some in [
                ("train", ["--d-model", "--layers", "--heads", "--ff", "--batch", "--segment", "--bucket",
                           "--lr", "--seed", "--eval-seed", "--eval-sequences", "--require", "--dropout"]),
                ("eval", ["--sequences", "--batch", "--piece", "--eval-seed"]),
                ("bench", ["--length", "--repeats", "--d-model", "--seed"]),
                ("gradcheck", ["--entries", "--tolerance"]),
                ("data", ["--bin", "--sequences", "--eval-seed", "--seed", "--train-size"])]:
            self.assertLessEqual(set(some), set(numeric_flags(command)), command)

    def test_lists_windows_and_times_are_as_strict(self):
        for command, flag in [("train", "--window"), ("data", "--lengths")]:
            for value in LISTS[flag]:
                with self.subTest(command=command, flag=flag, value=value):
                    self.refused(2, [flag], *self.start(command), flag, value)
        for value in TIMES:
            with self.subTest(flag="--time-limit", value=value):
                self.refused(2, ["--time-limit", "15m"], *self.start("train"), "--time-limit", value)

    def test_options_of_cells_and_tasks_are_as_strict(self):
        for cell, name, bad in [("delta_mlp", "depth", ["0", "5", "01", "1.0", "+1", "", "0x1"]),
                                ("linear", "favor_features", ["257", "-1", "1e1", TOO_LARGE[0]]),
                                ("lstm", "forget_bias", ["nan", "11", "010", "-11", "1e400"]),
                                ("deltanet", "beta_max", ["0", "2.1", "inf", "00.5"])]:
            for value in bad:
                with self.subTest(cell=cell, name=name, value=value):
                    self.refused(2, [f"{name}={value}", "from"], *self.start("train"), "--cell", cell,
                                 "--cell-option", f"{name}={value}")
        for value in ["4", "03", "", "30", "3.0"]:
            self.refused(2, [f"variables={value}"], "data", "--task", "code_execution", "--task-option",
                         f"variables={value}")

    def test_the_environment_and_files_are_as_strict(self):
        for value in NONE + TOO_LARGE[:1]:
            with self.subTest(value=value):
                self.refused(2, ["RLT_BATCH", value or "''"], *self.start("train"),
                             env={"RLT_BATCH": value})
                self.refused(2, ["RLT_THREADS", value or "''"], "cells", env={"RLT_THREADS": value})
        for value in ["010", "+5", "0x10", "nan", "-1", TOO_LARGE[0], '"5 "', '""']:
            with self.subTest(value=value):
                (self.folder / "some.toml").write_text(f"batch = {value}\n")
                self.refused(2, ["some.toml: batch"], *self.start("train"), "--config", "some.toml")

    def test_a_flag_without_its_value_takes_no_other_flag_for_it(self):
        for command, words, name in [
                ("train", ["--out", "--force"], "--out"), ("train", ["--out"], "--out"),
                ("train", ["--lr=", "--quiet"], "--lr"), ("train", ["--lr", "--quiet"], "--lr"),
                ("train", ["--out="], "--out"), ("train", ["--config", "--out"], "--config"),
                ("train", ["--cell-option", "--quiet"], "--cell-option"), ("train", ["--seed", "-h"], "--seed"),
                ("eval", ["--csv", "--bins", "0"], "--csv"), ("eval", ["--csv", ""], "--csv"),
                ("bench", ["--csv", "--quiet"], "--csv"), ("data", ["--write", "--task"], "--write"),
                ("gradcheck", ["--export", "--entries"], "--export"),
                ("cells", ["--threads", "--help"], "--threads")]:
            with self.subTest(command=command, words=words):
                self.refused(2, [name], *self.start(command), *words)
        self.assertEqual(list(self.folder.glob("--*")), [])

    def test_a_value_that_begins_with_dashes_is_written_with_an_equals_sign(self):
        done = self.small(*self.start("train"), "--out=--odd")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue((self.folder / "--odd" / "DONE").exists())

    def test_the_last_of_two_flags_counts(self):
        done = self.small("train", "--batch", "8", "--seed", "3", "--batch=16", "--seed", "4", "--print-config")
        self.assertIn("batch = 16\n", done.stdout)
        self.assertIn("seed = 4\n", done.stdout)


class Seeds(Case):
    def test_the_largest_seed_repeats_its_run(self):
        seed = str(2**64 - 1)
        done = self.small("train", *TINY, "--seed", seed, "--eval-seed", seed, "--out", "run")
        self.assertEqual(done.returncode, 0, done.stderr)
        run_folder = self.folder / "run"
        for name in ["train.csv", "eval.csv"]:
            self.assertIn(f",{seed},", (run_folder / name).read_text().splitlines()[1])
        self.assertEqual(json.loads((run_folder / "meta.json").read_text())["seed"], int(seed))
        self.assertIn(seed.encode(), (run_folder / "best.safetensors").read_bytes())
        done = self.small("train", "--config", "run/config.toml", "--quiet", "--out", "again")
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in ["config.toml", "eval.csv"]:
            self.assertEqual((run_folder / name).read_bytes(), (self.folder / "again" / name).read_bytes())
        again = self.small("train", *TINY, "--seed", seed, "--eval-seed", seed, "--out", "run")
        self.assertIn("is finished", again.stderr)

    def test_neighbouring_seeds_of_64_bits_differ(self):
        found = set()
        for seed in [2**63 - 1, 2**63, 2**64 - 2, 2**64 - 1, 0, 1]:
            done = self.small("data", "--task", "parity", "--eval-seed", seed)
            self.assertEqual(done.returncode, 0, done.stderr)
            found.add(done.stdout)
        self.assertEqual(len(found), 6)

    def test_other_seeds_are_refused_with_the_range(self):
        for command, flag in [("train", "--seed"), ("train", "--eval-seed"), ("eval", "--eval-seed"),
                              ("data", "--eval-seed"), ("bench", "--seed")]:
            for seed in ["-1", "18446744073709551616", "1e3", "1.0"]:
                with self.subTest(command=command, flag=flag, seed=seed):
                    self.refused(2, [flag, seed, "18446744073709551615"], *self.start(command), flag, seed)


class Memory(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        done = run("train", *TINY, "--cell", "lstm", "--out", cls.folder / "good")
        assert done.returncode == 0, done.stderr

    def too_large(self, words, *arguments):
        with self.subTest(arguments=arguments[:1] + arguments[-4:]):
            self.refused(1, ["GiB of memory needed", "left", "ulimit -v", *words], *arguments)

    def test_sizes_that_this_machine_cannot_hold_say_so_before_they_are_taken(self):
        train = ["train", *TINY, "--force", "--out", "run"]
        for flags, word in [
                (["--d-model", "20000", "--cell", "lstm"], "--d-model"),
                (["--d-model", "65536", "--heads", "256", "--ff", "1024", "--layers", "1000"], "--layers"),
                (["--d-model", "65536", "--heads", "256", "--cell-option", "feature_map=favor"], "--d-model"),
                (["--batch", "1000000"], "--batch"),
                (["--cell", "delta_mlp", "--cell-option", "depth=4", "--batch", "100000"], "--batch"),
                (["--window", "2-1000000000"], "--window"),
                (["--task", "listops", "--window", "1-100000000"], "--window"),
                (["--train-size", "1000000000"], "--train-size"),
                (["--optimizer", "adam", "--cell", "lstm", "--d-model", "9000"], "--d-model")]:
            self.too_large([word], *train, *flags)
            meta = self.folder / "run" / "meta.json"
            self.assertEqual(json.loads(meta.read_text())["exit"], 1)
        for flags, word in [(["--piece", "1000000000"], "--piece"), (["--batch", "1000000"], "--batch"),
                            (["--lengths", "1000000000"], "--lengths"), (["--bins", "9999999"], "--bins"),
                            (["--lengths", "1000", "--sequences", "10000000"], "--sequences")]:
            self.too_large([word], "eval", "good", *flags)
        for flags, word in [(["--length", "1000000000"], "--length"), (["--batch", "1000000"], "--batch"),
                            (["--cell", "transformer", "--length", "1000000"], "--length")]:
            self.too_large([word], "bench", *flags)
        for flags, word in [(["--lengths", "1000000000"], "--lengths"), (["--bin", "9999999"], "--bins"),
                            (["--lengths", "1000", "--sequences", "10000000"], "--sequences"),
                            (["--write", "w", "--train-size", "1000000000"], "--train-size")]:
            self.too_large([word], "data", *flags)

    def test_a_small_language_may_be_asked_for_many_long_strings(self):
        done = self.small("data", "--task", "aa_star", "--lengths", "1000000", "--sequences", "100000")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("1 distinct strings", done.stderr)

    def test_the_largest_lists_end(self):
        self.refused(2, ["--lengths 1-1000000000", "1000000 numbers"], "eval", "good", "--lengths",
                     "1-1000000000")
        self.refused(2, ["--lengths"], "eval", "good", "--lengths", ",".join(["1-900000"] * 3))
        for value in LISTS["--lengths"]:
            with self.subTest(value=value):
                self.refused(2, ["--lengths"], "eval", "good", "--lengths", value)
        for value in LISTS["--bins"]:
            with self.subTest(value=value):
                self.refused(2, ["--bins"], "eval", "good", "--bins", value)
        self.refused(2, ["bin 100000000"], "eval", "good", "--bins", "100000000")


class WithoutEffect(Case):
    def notes(self, *arguments, env=None):
        done = self.small(*arguments, env=env)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [line for line in done.stderr.splitlines() if "changes nothing" in line]

    def test_a_setting_without_effect_says_so_in_a_line(self):
        for number, (flags, name) in enumerate([
                (["--momentum", "0.9"], "momentum"), (["--weight-decay", "0.1"], "weight-decay"),
                (["--optimizer", "sgd", "--beta1", "0.8"], "beta1"),
                (["--optimizer", "adamw", "--momentum", "0.5"], "momentum"),
                (["--steps", "3", "--epochs", "5"], "epochs"),
                (["--steps", "3", "--train-size", "0", "--bucket", "4"], "bucket"),
                (["--cell", "lstm", "--norm", "rms"], "norm"),
                (["--cell-option", "dpfp_nu=2"], "cell-option")]):
            with self.subTest(flags=flags):
                words = without("--epochs", TINY) if "--train-size" in flags else TINY
                found = self.notes("train", *words, *flags, "--out", f"idle{number}")
                self.assertEqual(len(found), 1, found)
                self.assertIn(f"--{name} ", found[0])

    def test_it_says_so_wherever_it_was_chosen_and_in_every_command(self):
        train = ["train", *TINY, "--out"]
        self.assertEqual(len(self.notes(*train, "env", env={"RLT_MOMENTUM": "0.9"})), 1)
        (self.folder / "some.toml").write_text("momentum = 0.9\nweight-decay = 0.0\n")
        self.assertEqual(len(self.notes(*train, "file", "--config", "some.toml")), 1)
        self.assertEqual(len(self.notes("bench", "--momentum", "0.9", "--d-model", "16", "--repeats", "1")), 1)
        self.assertEqual(len(self.notes("train", "--momentum", "0.9", "--print-config")), 1)
        self.assertEqual(len(self.notes("data", "--seed", "3")), 1)

    def test_what_has_an_effect_or_was_not_chosen_is_not_noted(self):
        for number, flags in enumerate([
                [], ["--optimizer", "sgd", "--momentum", "0.9"],
                ["--optimizer", "adamw", "--weight-decay", "0.1"], ["--bucket", "2"],
                ["--cell-option", "dpfp_nu=2", "--cell-option", "feature_map=dpfp"], ["--config", "busy0/config.toml"]]):
            with self.subTest(flags=flags):
                self.assertEqual(self.notes("train", *TINY, *flags, "--out", f"busy{number}"), [])

    def test_flags_that_cannot_go_together_are_refused(self):
        for words in [["data", "--lengths", "5", "--bin", "1"], ["data", "--write", "w", "--sequences", "5"],
                      ["gradcheck", "--cell", "rdn", "--export", "x", "--entries", "3"],
                      ["gradcheck", "--cell", "rdn", "--float"],
                      ["train", *TINY, "--resume", "--force"], ["bench", "--epochs", "3"],
                      ["data", "--patience", "3"]]:
            with self.subTest(words=words):
                self.refused(2, [], *words)

    def test_every_command_reads_the_config_of_a_run(self):
        done = self.small("train", *TINY, "--out", "known")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.notes("bench", "--config", "known/config.toml", "--repeats", "1")
        self.notes("data", "--config", "known/config.toml")


if __name__ == "__main__":
    unittest.main()

"""One run a folder: locked while in use, never paired with other settings, told what is missing."""
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import time
import unittest

from rlt_program import PROGRAM, TINY, run
from test_errors import Case
from test_runs import tensors, without_times

ENDLESS = ["--epochs", "100000", "--patience", "0", "--eval-every", "100000", "--log-every", "100000"]
REMOVED_IN_ORDER = ["DONE", "last.safetensors", "best.safetensors", "train.csv", "eval.csv",
                    "lengths.csv", "meta.json", "config.toml"]


def wait_for(condition):
    limit = time.monotonic() + 60
    while not condition() and time.monotonic() < limit:
        time.sleep(0.02)


def spoil(path, name, value):
    """Fills a tensor of a checkpoint with one value; the file becomes one of version 1, without a checksum."""
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header, body = json.loads(data[8:8 + size]), bytearray(data[8 + size:])
    header["__metadata__"]["version"] = "1"
    del header["__metadata__"]["xxh3"]
    begin, end = header[name]["data_offsets"]
    body[begin:end] = struct.pack("<f", value) * ((end - begin) // 4)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


class Folder(Case):
    def start(self, name, *arguments, **options):
        """A run that goes on until the test ends it; it has begun when this returns."""
        folder = self.folder / name
        process = subprocess.Popen([PROGRAM, "train", *TINY, *ENDLESS, "--threads", "1", "--out", folder,
                                    *map(str, arguments)], stderr=subprocess.PIPE, text=True, **options)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        wait_for((folder / "train.csv").exists)
        return process, folder

    def meta(self, folder):
        return json.loads((folder / "meta.json").read_text())

    def same(self, one, other):
        for file in ["last.safetensors", "best.safetensors"]:
            self.assertEqual(tensors(one / file)[0], tensors(other / file)[0], file)
        self.assertEqual((one / "eval.csv").read_bytes(), (other / "eval.csv").read_bytes())
        self.assertEqual(without_times(one / "train.csv"), without_times(other / "train.csv"))


class InUse(Folder):
    def test_a_folder_where_a_run_goes_on_is_refused_to_all_others(self):
        process, folder = self.start("run")
        finished = self.train("finished")
        before = {file.name: file.read_bytes() for file in folder.iterdir()}
        words = [str(folder), "in use", f"process {process.pid} "]
        self.refused(1, words, "train", *TINY, *ENDLESS, "--out", folder)
        self.refused(1, words, "train", *TINY, *ENDLESS, "--out", folder, "--resume")
        self.refused(1, words, "train", *TINY, *ENDLESS, "--out", folder, "--force")
        self.refused(1, words, "eval", finished, "--lengths", "3", "--csv", folder / "lengths.csv")
        self.assertEqual(before, {file.name: file.read_bytes() for file in folder.iterdir()})
        self.assertEqual((self.meta(folder)["pid"], self.meta(folder)["exit"]), (process.pid, None))
        process.kill()  # nothing of the lock is left
        process.wait()
        done = run("train", *TINY, *ENDLESS, "--out", folder, "--resume", "--time-limit", "0.5")
        self.assertEqual(done.returncode, 75, done.stderr)

    def test_of_runs_that_race_for_a_new_folder_one_wins(self):
        out = self.folder / "deep" / "run"
        racers = [subprocess.Popen([PROGRAM, "train", *TINY, "--threads", "1", "--epochs", "40", "--patience", "0",
                                    "--lr", rate, "--resume", "--out", out], stderr=subprocess.PIPE, text=True)
                  for rate in ["0.001", "0.002", "0.003"]]
        ends = [(racer.communicate(timeout=60)[1], racer.returncode) for racer in racers]
        self.assertEqual([code for _, code in ends].count(0), 1, ends)
        winner = racers[[code for _, code in ends].index(0)]
        for error, code in ends:
            if code != 0:  # at the same time, or after the end of the other
                self.assertRegex(error, "in use by process|holds a run with other settings")
        rate = winner.args[winner.args.index("--lr") + 1]
        self.assertIn(f"lr = {rate}\n", (out / "config.toml").read_text())
        self.assertEqual(tensors(out / "best.safetensors")[1]["lr"], rate)

    def test_several_evaluations_may_append_at_once_and_no_run_begins_beside_them(self):
        folder = self.train("run")
        evaluations = []
        for name in ["one.csv", "two.csv"]:
            longer_than_any_test = ["--lengths", "100-100000:100", "--csv", folder / name]
            process = subprocess.Popen([PROGRAM, "eval", folder, "--threads", "1", *longer_than_any_test],
                                       stderr=subprocess.DEVNULL)
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
            evaluations.append(process)
            wait_for((folder / name).exists)
        self.refused(1, ["in use by process"], "train", *TINY, "--out", folder, "--force")
        self.assertEqual([process.poll() for process in evaluations], [None, None])


class StartingOver(Folder):
    def test_force_leaves_nothing_of_the_old_run(self):
        folder = self.train("run")
        lengths = ["eval", folder, "--lengths", "3,4", "--sequences", "2", "--csv", folder / "lengths.csv"]
        run(*lengths)
        (folder / "last.safetensors.99.partial").write_text("half")
        (folder / "notes.txt").write_text("mine")
        fresh = self.train("fresh", "--seed", "2")
        self.train("run", "--seed", "2", "--force")
        self.same(folder, fresh)
        self.assertEqual({file.name for file in folder.iterdir()} - {file.name for file in fresh.iterdir()},
                         {"notes.txt"})

    def test_killed_at_any_moment_of_force_the_old_weights_never_meet_new_settings(self):
        old = self.train("old")
        run("eval", old, "--lengths", "3", "--sequences", "2", "--csv", old / "lengths.csv")
        new = self.train("new", "--seed", "2")
        for gone in range(1, len(REMOVED_IN_ORDER) + 1):
            with self.subTest(gone=gone):
                killed = self.folder / f"killed-{gone}"
                shutil.copytree(old, killed)
                for name in REMOVED_IN_ORDER[:gone]:
                    (killed / name).rename(killed / f"{name}.4321.partial")
                again = self.folder / f"again-{gone}"
                shutil.copytree(killed, again)
                # The settings that are there go on or begin anew, to the same end.
                done = run("train", *TINY, "--resume", "--out", again)
                if gone == 2:  # the best weights are there, but not the last
                    self.assertEqual(done.returncode, 1)
                    self.assertIn("last.safetensors", done.stderr)
                else:
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.same(again, old)
                    self.assertEqual(list(again.glob("*.partial")), [])
                # Others are refused as long as the old ones have weights.
                done = run("train", *TINY, "--seed", "2", "--resume", "--out", killed)
                if gone <= 2:
                    self.assertEqual(done.returncode, 2)
                    self.assertIn("other settings", done.stderr)
                    done = run("train", *TINY, "--seed", "2", "--force", "--out", killed)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.same(killed, new)
                self.assertEqual(list(killed.glob("*.partial")), [])

    def test_force_that_cannot_remove_a_file_says_so_and_keeps_all(self):
        folder = self.train("run")
        (folder / "train.csv").unlink()
        (folder / "train.csv" / "inside").mkdir(parents=True)
        before = {file.name for file in folder.iterdir()}
        settings = (folder / "config.toml").read_text()
        self.refused(1, ["cannot remove", "train.csv"], "train", *TINY, "--seed", "2", "--out", folder, "--force")
        self.assertEqual({file.name for file in folder.iterdir()}, before)
        self.assertEqual((folder / "config.toml").read_text(), settings)

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_force_on_a_folder_that_is_read_only_says_so(self):
        folder = self.train("run")
        folder.chmod(0o555)
        self.addCleanup(folder.chmod, 0o755)
        self.refused(1, [str(folder), "Permission denied"], "train", *TINY, "--out", folder, "--force")

    def test_a_run_that_cannot_begin_leaves_the_old_one(self):
        folder = self.train("run")
        before = {file.name: file.read_bytes() for file in folder.iterdir()}
        self.refused(2, ["distinct training strings"], "train", *TINY, "--train-size", "9999", "--out", folder,
                     "--force")
        self.assertEqual(before, {file.name: file.read_bytes() for file in folder.iterdir()})


class Foreign(Folder):
    def test_a_file_is_no_folder(self):
        file = self.folder / "file"
        file.write_text("mine")
        for more in [[], ["--resume"], ["--force"]]:
            self.refused(1, [str(file)], "train", *TINY, "--out", file, *more)
        self.assertEqual(file.read_text(), "mine")

    def test_files_of_the_user_are_never_overwritten(self):
        for name in REMOVED_IN_ORDER:
            if name == "lengths.csv":
                continue
            for more in [[], ["--resume"], ["--force"]]:
                with self.subTest(name=name, more=more):
                    folder = self.folder / "own"
                    folder.mkdir(exist_ok=True)
                    (folder / name).write_text("epoch,loss\n1,0.5\n")
                    self.refused(1, [name, "not written by rlt"], "train", *TINY, "--out", folder, *more)
                    self.assertEqual([file.name for file in folder.iterdir()], [name])
                    self.assertEqual((folder / name).read_text(), "epoch,loss\n1,0.5\n")
                    (folder / name).unlink()

    def test_other_files_may_lie_beside_a_run(self):
        folder = self.folder / "run"
        folder.mkdir()
        (folder / "notes.txt").write_text("mine")
        self.train("run")
        self.assertEqual((folder / "notes.txt").read_text(), "mine")


class NothingBehind(Folder):
    def test_a_usage_error_that_shows_late_leaves_no_folder(self):
        out = self.folder / "runs" / "deep"
        self.refused(2, ["distinct training strings"], "train", *TINY, "--train-size", "9999", "--out", out)
        self.assertFalse((self.folder / "runs").exists())
        done = run("train", *TINY, "--out", out)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_what_was_only_begun_keeps_no_other_settings_out(self):
        folder = self.folder / "run"
        folder.mkdir()
        for name in ["config.toml", "meta.json"]:
            shutil.copy(self.train("other", "--seed", "9", "--force") / name, folder)
        self.train("run")
        self.same(folder, self.train("fresh"))


class Missing(Folder):
    def setUp(self):
        super().setUp()
        # The first of the evaluations stays the best.
        self.settings = [*TINY, "--lr", "0", "--epochs", "3", "--log-every", "2"]
        self.finished = self.folder / "finished"
        done = run("train", *self.settings, "--out", self.finished)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.interrupted = self.folder / "interrupted"
        shutil.copytree(self.finished, self.interrupted)
        (self.interrupted / "DONE").unlink()

    def resumed(self):
        return ["train", *self.settings, "--resume", "--out", self.interrupted]

    def test_a_missing_file_is_named_when_a_run_goes_on(self):
        for name in ["best.safetensors", "last.safetensors", "train.csv", "config.toml"]:
            with self.subTest(name=name):
                content = (self.interrupted / name).read_bytes()
                (self.interrupted / name).unlink()
                self.refused(1, [str(self.interrupted / name), "missing"], *self.resumed())
                self.assertFalse((self.interrupted / "DONE").exists())
                (self.interrupted / name).write_bytes(content)
        self.assertEqual(run(*self.resumed()).returncode, 0)

    def test_a_cut_file_is_named_when_a_run_goes_on(self):
        for name in ["best.safetensors", "last.safetensors", "train.csv", "config.toml"]:
            with self.subTest(name=name):
                content = (self.interrupted / name).read_bytes()
                lines = content.splitlines(keepends=True)
                cut = content[:-40] if name.endswith("safetensors") else b"".join(lines[:-1])
                (self.interrupted / name).write_bytes(cut)
                self.refused(1, [str(self.interrupted / name)], *self.resumed())
                (self.interrupted / name).write_bytes(content)
        self.assertEqual(run(*self.resumed()).returncode, 0)

    def test_meta_json_is_named_and_written_anew(self):
        for text in [None, "{\n  \"task\": "]:
            (self.interrupted / "meta.json").unlink()
            if text is not None:
                (self.interrupted / "meta.json").write_text(text)
            (self.interrupted / "DONE").unlink(missing_ok=True)
            done = run(*self.resumed())
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("meta.json", done.stderr)
            self.assertEqual(self.meta(self.interrupted)["exit"], 0)

    def test_a_finished_run_without_its_results_says_so(self):
        for name in ["best.safetensors", "eval.csv", "config.toml"]:
            with self.subTest(name=name):
                content = (self.finished / name).read_bytes()
                (self.finished / name).unlink()
                self.refused(1, [name, "missing"], "train", *self.settings, "--out", self.finished)
                (self.finished / name).write_bytes(content)

    def test_eval_names_what_is_missing_or_of_another_run(self):
        other = self.train("other", "--seed", "8")
        for name in ["best.safetensors", "config.toml"]:
            content = (self.finished / name).read_bytes()
            (self.finished / name).unlink()
            self.refused(1, [name, "missing"], "eval", self.finished, "--lengths", "3")
            (self.finished / name).write_bytes((other / name).read_bytes())
            self.refused(1, ["best.safetensors", "another run", "config.toml"], "eval", self.finished,
                         "--lengths", "3")
            (self.finished / name).write_bytes(content)
        self.assertEqual(run("eval", self.finished, "--lengths", "3").returncode, 0)


class Ends(Folder):
    def test_a_finished_run_asked_again_ends_as_its_best_accuracy_says(self):
        folder = self.train("run")
        accuracy = json.loads(tensors(folder / "best.safetensors")[1]["state"])["best_metric"]
        self.assertLess(accuracy, 1)
        for required, code in [(1, 4), (accuracy, 0), (0, 0)]:
            done = run("train", *TINY, "--out", folder, "--require", required)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1)
        self.assertEqual(self.meta(folder)["exit"], 0)

    def test_a_run_below_require_says_so_at_its_end_and_ever_after(self):
        for _ in range(2):
            self.refused(4, ["validation accuracy", "--require 1"], "train", *TINY, "--require", "1", "--out",
                         self.folder / "run")
        self.assertEqual(self.meta(self.folder / "run")["exit"], 4)

    def test_the_record_names_kernels_that_suit_the_processor_or_those_that_the_user_chose(self):
        flags = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
        if " avx2 " not in flags:
            self.skipTest("no AVX2")
        kernels = {}
        for chosen in (None, "HASWELL"):
            others = {} if chosen is None else {"OPENBLAS_CORETYPE": chosen}
            out = self.folder / str(chosen)
            environment = {key: value for key, value in os.environ.items() if key != "OPENBLAS_CORETYPE"}
            done = subprocess.run([PROGRAM, "train", *TINY, "--out", out], capture_output=True, check=False,
                                  env=environment | others)
            self.assertEqual(done.returncode, 0, done.stderr)
            kernels[chosen] = json.loads((out / "meta.json").read_text())["blas"]
        self.assertIn(kernels[None].split()[1], ["Haswell", "Zen", "SkylakeX", "Cooperlake", "SapphireRapids"])
        self.assertEqual(kernels["HASWELL"], "OpenBLAS Haswell")

    def test_one_thread_means_one(self):
        process, _ = self.start("run")
        self.assertEqual(len(list(pathlib.Path(f"/proc/{process.pid}/task").iterdir())), 1)

    def test_a_lost_session_and_a_used_up_processor_time_stop_a_run_with_a_checkpoint(self):
        for number in [signal.SIGHUP, signal.SIGXCPU]:
            with self.subTest(signal=number):
                process, folder = self.start(f"run-{number}")
                process.send_signal(number)
                self.assertEqual(process.wait(timeout=60), 75)
                self.assertTrue((folder / "last.safetensors").exists())
                self.assertEqual(self.meta(folder)["exit"], 75)

    def test_what_nohup_and_background_jobs_ignore_stays_ignored(self):
        def ignore():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        process, _ = self.start("run", preexec_fn=ignore)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(process.wait(timeout=60), 75)  # not 130

    def test_a_stop_while_sets_are_drawn_is_no_step_and_the_run_begins_later(self):
        folder = self.folder / "run"
        settings = [*TINY, "--window", "2-50", "--train-size", "30000000", "--out", folder]
        process = subprocess.Popen([PROGRAM, "train", *settings], stderr=subprocess.PIPE, text=True)
        wait_for(folder.exists)
        self.addCleanup(process.kill)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 75)
        self.assertFalse((folder / "last.safetensors").exists())
        self.assertEqual(self.meta(folder)["exit"], 75)
        shutil.rmtree(folder)

    def test_memory_that_is_not_there_is_in_meta_json_too(self):
        done = subprocess.run(
            ["sh", "-c", 'ulimit -v 2000000; exec "$@"', "sh", PROGRAM, "train", *TINY, "--threads", "1",
             "--cell", "lstm", "--d-model", "20000", "--heads", "1", "--out", self.folder / "run"],
            capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(self.meta(self.folder / "run")["exit"], 1)
        self.train("run")  # nothing was lost, so that other settings may begin


class Select(Folder):
    def test_the_column_select_says_what_was_measured(self):
        folder = self.train("run")
        shutil.copy(folder / "best.safetensors", self.folder / "epoch-7.st")
        for arguments, select in [([folder], "best"), ([folder, "--select", "last"], "last"),
                                  ([folder / "last.safetensors"], "last"),
                                  ([folder / "best.safetensors"], "best"),
                                  ([self.folder / "epoch-7.st"], "epoch-7.st")]:
            done = run("eval", *arguments, "--lengths", "5", "--sequences", "3")
            self.assertEqual([line.split(",")[9] for line in done.stdout.splitlines()], ["select", select])
        self.refused(2, ["--select last", "epoch-7.st"], "eval", self.folder / "epoch-7.st", "--select", "last")


class Numbers(Folder):
    def test_a_run_that_diverges_at_its_first_step_is_not_told_to_lower_its_rate(self):
        process, folder = self.start("run")
        process.terminate()
        process.wait()
        spoil(folder / "last.safetensors", "model.block.0.ff.up.weight", 3e38)
        done = self.refused(3, ["the output of block.0 (largest parameter up to there: block.0.ff.up.weight"],
                            "train", *TINY, *ENDLESS, "--resume", "--out", folder)
        self.assertNotIn("smaller --lr", done.stderr)
        self.assertEqual(self.meta(folder)["exit"], 3)

    def test_epsilon_must_not_vanish_in_adam(self):
        for optimizer, epsilon, code in [("adam", "0", 2), ("adamw", "0", 2), ("adam", "1e-60", 2),
                                         ("sgd", "0", 0), ("adam", "1e-30", 0)]:
            done = run("train", *TINY, "--optimizer", optimizer, "--epsilon", epsilon, "--print-config")
            self.assertEqual(done.returncode, code, (optimizer, epsilon, done.stderr))
            if code == 2:
                self.assertIn(f"--epsilon {float(epsilon):.0e}".replace("0e+00", "0"), done.stderr)


if __name__ == "__main__":
    unittest.main()

"""Standard streams, shared files, odd files: results arrive or the program says so, nothing else is harmed."""
import csv
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import unittest

from rlt_program import PROGRAM, TINY, run

NOBODY = 65534
RESULTS = [["cells"], ["cells", "rdn"], ["tasks"], ["tasks", "parity"], ["data"], ["--help"], ["--version"],
           ["train", "--help"], ["train", "--print-config"], ["gradcheck", "--cell", "lstm", "--entries", "1"],
           ["bench", "--d-model", "8", "--repeats", "1", "--length", "5"]]


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shared = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.shared, ignore_errors=True)
        cls.trained = cls.shared / "run"
        done = run("train", *TINY, "--out", cls.trained)
        assert done.returncode == 0, done.stderr
        cls.program = cls.shared / "rlt"
        shutil.copy(PROGRAM, cls.program)
        for path in [cls.shared, *cls.shared.rglob("*")]:
            path.chmod(0o755)  # for `as_nobody`

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def eval(self, *arguments):
        return ["eval", self.trained, "--lengths", "5", "--sequences", "3", *arguments]

    def through_shell(self, redirections, *arguments, program=PROGRAM, **options):
        """Like `run`, under the shell's redirections, such as >&-."""
        return subprocess.run(["sh", "-c", f'exec "$0" "$@" {redirections}', program, *map(str, arguments)],
                              capture_output=True, timeout=120, check=False, **options)

    def as_nobody(self, redirections, *arguments):
        """Likewise, as a user without rights where the tests run as root."""
        identity = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
        try:
            return self.through_shell(redirections, *arguments, program=self.program, cwd=self.shared,
                                      **identity)
        except PermissionError:
            return self.skipTest("cannot become nobody")

    def bounded(self, *arguments):
        """Likewise, so that a program that reads without end only harms itself."""
        done = self.through_shell("", "-c", 'ulimit -v 4000000; exec "$0" "$@"', PROGRAM, *arguments,
                                  program="sh")
        self.assertEqual(done.stdout, b"")
        return done

    def one_line(self, done, code, *words):
        self.assertEqual(done.returncode, code, done.stderr)
        text = done.stderr if isinstance(done.stderr, str) else done.stderr.decode()
        lines = text.splitlines()
        self.assertEqual(len(lines), 1, text)
        for word in [*words, "rlt: "]:
            self.assertIn(word, lines[0])
        self.assertNotIn("internal error", text)


class Results(Case):
    def results(self):
        return [*RESULTS, ["info", self.trained], self.eval(), self.eval("--csv", "-"),
                ["bench", "--d-model", "8", "--repeats", "1", "--length", "5", "--csv", "-"]]

    def last_line(self, done, words):
        self.assertEqual(done.returncode, 1, done.stderr)
        last = done.stderr.decode().splitlines()[-1]
        self.assertTrue(last.startswith("rlt: "), last)
        self.assertIn(words, last)

    def test_a_full_disk_is_told_by_every_command(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        for arguments in self.results():
            with self.subTest(arguments=arguments):
                self.last_line(self.through_shell(">/dev/full", *arguments), "No space left")

    def test_a_reader_that_went_away_is_told_by_every_command(self):
        for arguments in self.results():
            with self.subTest(arguments=arguments):
                read, write = os.pipe()
                os.close(read)
                done = subprocess.run([PROGRAM, *map(str, arguments)], stdout=write, stderr=subprocess.PIPE,
                                      timeout=120, check=False)
                os.close(write)
                self.last_line(done, "Broken pipe")

    def test_a_closed_stdout_is_told_by_every_command(self):
        # A program that opened /dev/stdout by name could, as root, replace it for the whole machine.
        for arguments in [*self.results(), self.eval("--csv", "/dev/stdout"), self.eval("--csv", "/dev/fd/1")]:
            with self.subTest(arguments=arguments):
                self.last_line(self.as_nobody(">&-", *arguments), "stdout is closed")

    def test_a_limit_of_file_sizes_is_an_error_and_no_kill(self):
        done = self.through_shell("", "-c", f'ulimit -f 0; exec "{PROGRAM}" cells > "{self.folder}/out"',
                                  program="sh")
        self.last_line(done, "File too large")
        done = self.through_shell("", "-c", 'ulimit -f 8; exec "$0" "$@"', PROGRAM, "train", *TINY, "--out",
                                  self.folder / "run", program="sh")
        self.last_line(done, "File too large")

    def test_commands_without_results_need_no_stdout(self):
        done = self.through_shell(">&-", "train", *TINY, "--out", self.folder / "run")
        self.assertEqual(done.returncode, 0, done.stderr)
        done = self.through_shell(">&-", *self.eval("--csv", self.folder / "lengths.csv"))
        self.assertEqual(done.returncode, 0, done.stderr)
        done = self.through_shell(">&-", *self.eval("--csv", "/dev/null"))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_results_are_appended_to_what_stdout_goes_to(self):
        out = self.folder / "out.csv"
        for name in [[], ["--csv", "-"], ["--csv", "/dev/stdout"], ["--csv", "/dev/fd/1"]]:
            with self.subTest(name=name):
                out.write_text("")
                for _ in range(2):
                    with open(out, "a", encoding="utf-8") as file:
                        file.write("before\n")
                        file.flush()
                        done = subprocess.run([PROGRAM, *map(str, self.eval(*name))], stdout=file,
                                              stderr=subprocess.PIPE, cwd=self.folder, timeout=120, check=False)
                        self.assertEqual(done.returncode, 0, done.stderr)
                lines = out.read_text().splitlines()
                self.assertEqual([line.split(",")[0] for line in lines],
                                 ["before", "task", "parity", "before", "task", "parity"])
                self.assertEqual(os.listdir(self.folder), ["out.csv"])


class Messages(Case):
    def test_a_run_goes_on_when_nobody_reads_its_messages(self):
        loud = [word for word in TINY if word != "--quiet"]
        whole = self.folder / "whole"
        self.assertEqual(run("train", *loud, "--out", whole).returncode, 0)
        for name, redirection in [("closed", "2>&-"), ("both", ">&- 2>&-"), ("all", "<&- >&- 2>&-"),
                                  ("full", "2>/dev/full")]:
            with self.subTest(name=name):
                done = self.through_shell(redirection, "train", *loud, "--out", self.folder / name)
                self.assertEqual(done.returncode, 0)
                self.compare(whole, self.folder / name)
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run([PROGRAM, "train", *loud, "--out", str(self.folder / "gone")], stdout=write,
                              stderr=write, timeout=120, check=False)
        os.close(write)
        self.assertEqual(done.returncode, 0)
        self.compare(whole, self.folder / "gone")

    def compare(self, one, other):
        """The same run, but for the times in it."""
        self.assertEqual((one / "eval.csv").read_bytes(), (other / "eval.csv").read_bytes())
        rows = []
        for folder in [one, other]:
            with open(folder / "train.csv", newline="", encoding="utf-8") as file:
                rows.append([row[:6] + row[7:] for row in csv.reader(file)])
        self.assertEqual(*rows)

    def test_other_commands_too(self):
        for arguments in [self.eval(), ["data"], ["train", *TINY, "--out", self.trained]]:
            for redirection in ["2>&-", "2>/dev/full"]:
                with self.subTest(arguments=arguments, redirection=redirection):
                    done = self.through_shell(redirection, *arguments)
                    self.assertEqual(done.returncode, 0)
                    self.assertEqual(done.stdout, self.through_shell("", *arguments).stdout)
        self.assertEqual(self.through_shell("2>/dev/full", "cells", "none").returncode, 2)


class SharedFiles(Case):
    def test_several_processes_append_to_one_new_file(self):
        path = self.folder / "all.csv"
        processes = [subprocess.Popen(
            [PROGRAM, "eval", self.trained, "--lengths", "3,4,5,6", "--eval-seed", str(seed), "--sequences",
             "3", "--threads", "1", "--csv", path], stderr=subprocess.DEVNULL) for seed in range(8)]
        for process in processes:
            self.assertEqual(process.wait(timeout=120), 0)
        lines = path.read_text().splitlines()
        self.assertEqual(len(lines), 33)
        self.assertEqual(sum(line.startswith("task,") for line in lines), 1)
        self.assertEqual(sorted(line.count(",") for line in lines), [lines[0].count(",")] * 33)

    def test_a_file_without_final_newline_keeps_its_last_row(self):
        path = self.folder / "kept.csv"
        for length in ["5", "6"]:
            done = run("eval", self.trained, "--lengths", length, "--sequences", "3", "--csv", path)
            self.assertEqual(done.returncode, 0, done.stderr)
            path.write_text(path.read_text().rstrip("\n"))
        with open(path, newline="", encoding="utf-8") as file:
            self.assertEqual([row["length_min"] for row in csv.DictReader(file)], ["5", "6"])

    def test_a_link_to_a_file_of_later_stays_a_link(self):
        (self.folder / "link.csv").symlink_to("later.csv")
        done = run(*self.eval("--csv", self.folder / "link.csv"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue((self.folder / "link.csv").is_symlink())
        self.assertEqual(len((self.folder / "later.csv").read_text().splitlines()), 2)


class OddFiles(Case):
    def odd(self):
        """Path -> what it is, for files that are no checkpoint and no table."""
        os.mkfifo(self.folder / "pipe")
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(str(self.folder / "socket"))
        with open(self.folder / "sparse", "wb") as file:
            file.truncate(100_000_000_000)
        (self.folder / "a").symlink_to("b")
        (self.folder / "b").symlink_to("a")
        return {"/dev/zero": "device", self.folder / "pipe": "pipe", self.folder / "socket": "socket",
                self.folder / "sparse": "not a safetensors file", self.folder / "a": "symbolic links",
                self.folder / ("x" * 300): "File name too long"}

    def bytes_run(self, *arguments):
        """Like `run`, with any bytes in the arguments and in the output."""
        return subprocess.run([PROGRAM, *arguments], capture_output=True, timeout=120, check=False)

    def test_info_and_eval_name_what_is_no_checkpoint(self):
        for path, words in self.odd().items():
            for command in ["info", "eval"]:
                with self.subTest(path=path, command=command):
                    self.one_line(self.bounded(command, path), 1, words)

    def test_a_settings_file_has_an_end(self):
        self.odd()
        for path, words in [("/dev/zero", "1048576 bytes"), (self.folder / "pipe", "nobody writes"),
                            (self.folder / "sparse", "1048576 bytes"), (self.folder / "a", "symbolic links"),
                            (self.folder, "directory")]:
            with self.subTest(path=path):
                self.one_line(self.bounded("train", "--config", path, "--print-config"), 2, "--config", words)
        done = self.through_shell("", "-c", f'echo "d-model = 48" | "{PROGRAM}" train --config /dev/stdin '
                                            "--print-config", program="sh")
        self.assertIn(b"d-model = 48", done.stdout)

    def test_a_table_has_an_end(self):
        self.odd()
        for name, words in [("sparse", "no table"), ("a", "symbolic links"), ("socket", "socket"),
                            ("x" * 300, "too long")]:
            with self.subTest(name=name):
                self.one_line(self.bounded(*self.eval("--csv", self.folder / name)), 1, words)

    def test_run_folders_have_any_name(self):
        name = os.fsencode(self.folder) + b"/r\xff\n\x1b[2J"
        done = self.bytes_run("train", *TINY, "--out", name)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        meta = json.loads(pathlib.Path(os.fsdecode(name), "meta.json").read_bytes())
        self.assertIn("r\\xff\\n\\u001b[2J", meta["command"])
        done = self.bytes_run("info", name)
        self.assertEqual(done.returncode, 0)
        self.assertIn(b"r\\xff\\n\\u001b[2J", done.stdout)
        self.assertNotIn(b"\x1b", done.stdout)
        self.one_line(self.bytes_run("eval", name + b"/none"), 1, "r\\xff\\n\\u001b[2J/none")

    def test_own_data_have_any_name(self):
        data = os.fsencode(self.folder) + b"/d\xff"
        done = self.bytes_run("data", "--task", "dyck1", "--train-size", "20", "--eval-sequences", "5",
                              "--write", data)
        self.assertEqual(done.returncode, 0, done.stderr)
        out = self.folder / "run"
        done = self.bytes_run("train", "--task", "file", "--data", data, "--cell", "linear", "--d-model", "8",
                              "--heads", "2", "--epochs", "1", "--quiet", "--out", out)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        (out / "config.toml").read_text(encoding="utf-8")
        for arguments in [["eval", out], ["train", "--config", out / "config.toml", "--out", self.folder / "again"]]:
            done = run(*arguments)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((out / "eval.csv").read_bytes(), (self.folder / "again" / "eval.csv").read_bytes())

    def test_a_run_folder_that_cannot_be(self):
        self.odd()
        for name, words in [("a", "symbolic links"), ("x" * 300, "too long"), ("pipe", "Not a directory"),
                            ("a/below", "symbolic links")]:
            with self.subTest(name=name):
                self.one_line(run("train", *TINY, "--out", self.folder / name), 1, words)

    def test_a_folder_without_access_is_no_internal_error(self):
        self.folder.chmod(0)
        self.addCleanup(self.folder.chmod, 0o700)
        for arguments in [["info", self.folder / "run"], ["eval", self.folder / "run"],
                          ["train", *TINY, "--out", self.folder / "run"],
                          ["train", "--task", "file", "--data", self.folder / "data"],
                          ["train", "--task", "text", "--data", self.folder / "data"],
                          self.eval("--csv", self.folder / "a.csv")]:
            with self.subTest(arguments=arguments):
                self.one_line(self.as_nobody("", *arguments), 1, "Permission denied")


if __name__ == "__main__":
    unittest.main()

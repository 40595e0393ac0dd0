"""What scripts write: whole or not at all, never over an input, and errors in one line."""

import contextlib
import errno
import io
import os
import subprocess
import sys
import unittest
from pathlib import Path
from unittest import mock

from support import EXPERIMENTS, ROOT, Folder, eval_row

import files
import plot
import program
import report
import scaling
import speed

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Files(Folder):
    script = report

    def setUp(self):
        super().setUp()
        self.run_folder("one", [eval_row(1, split) for split in ("bin0", "bin1")], train=[],
                        lengths=[eval_row(1, "length")])
        self.table = self.stdout("merge", "runs")

    def merge(self, out):
        self.assertEqual(self.stdout("merge", "runs", "--out", str(out)), "")

    def test_a_full_disk_leaves_what_was_there(self):
        out = self.folder / "out.csv"
        out.write_text("before")
        with mock.patch.object(files.os, "fsync", side_effect=FULL):
            self.assert_fails(1, "out.csv: no space left on device", "merge", "runs", "--out",
                              "out.csv")
            self.assert_fails(1, "a.svg: no space left on device", "length", "--out", "a.svg",
                              "runs/one/lengths.csv", script=plot)
        self.assertEqual(out.read_text(), "before")
        self.assertEqual({path.name for path in self.folder.iterdir()}, {"out.csv", "runs"})

    def test_devices_and_pipes_are_written_to_and_links_stay_links(self):
        self.assert_fails(1, "/dev/full: no space left on device", "merge", "runs", "--out",
                          "/dev/full")
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        reader = subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE, text=True)
        self.merge("pipe")
        self.assertEqual(reader.communicate()[0], self.table)
        self.assertTrue(pipe.is_fifo())
        (self.folder / "far").mkdir()
        (self.folder / "far" / "out.csv").write_text("before")
        (self.folder / "link.csv").symlink_to("far/out.csv")
        self.merge("link.csv")
        self.assertTrue((self.folder / "link.csv").is_symlink())
        self.assertEqual((self.folder / "far" / "out.csv").read_text(), self.table)
        (self.folder / "gone.csv").symlink_to("nowhere")
        self.assert_fails(1, "gone.csv: a link to nothing: nowhere", "merge", "runs", "--out",
                          "gone.csv")

    def test_permissions_of_a_file_that_is_written_anew_stay(self):
        out = self.folder / "out.csv"
        out.write_text("before")
        out.chmod(0o600)
        self.merge("out.csv")
        self.assertEqual((out.stat().st_mode & 0o777, out.read_text()), (0o600, self.table))

    def test_names_that_no_file_can_have(self):
        for name, part in (("", "--out ''"), ("new/", "--out 'new/'"), (".", ".: is a directory"),
                           ("..", "..: is a directory"), ("/", "--out '/'"),
                           ("no/a.csv", "no/a.csv: no such file"),
                           ("x" * 256, "file name too long"),
                           ("runs/one/DONE/a", "DONE/a: not a directory")):
            self.assert_fails(1, part, "merge", "runs", "--out", name)
        self.merge("x" * 255)

    def test_no_script_writes_over_what_it_reads(self):
        (self.folder / "kept.csv").write_text((self.folder / "runs/one/lengths.csv").read_text())
        (self.folder / "same.svg").symlink_to("kept.csv")
        (self.folder / "table.md").write_bytes((ROOT / "results/scaling/bench.csv").read_bytes())
        before = {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}
        read = "is read by this very command: choose another name"
        self.assert_fails(1, read, "merge", "runs", "--out", "runs/one/eval.csv")
        self.assert_fails(1, read, "length", "--out", "same.svg", "kept.csv", script=plot)
        self.assert_fails(1, read, "best", "--settings", "step", "--out", "runs/one/eval.csv",
                          "runs/one/eval.csv")
        self.assert_fails(1, read, "table.md", "--out", ".", script=scaling)
        for name in ("train.csv", "config.toml", "DONE"):
            self.assert_fails(1, "belongs to the run", "merge", "runs", "--out", f"runs/one/{name}")
        self.assertEqual(before, {path: path.read_bytes() for path in self.folder.rglob("*")
                                  if path.is_file()})


class Programs(Folder):
    script = report

    def command(self, line):
        """A shell command in which $report is report.py."""
        return subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False,
                              cwd=self.folder, env={**os.environ, "report": (
                                  f"{sys.executable} {EXPERIMENTS / 'report.py'}")})

    def test_a_full_stdout_is_told(self):
        err = io.StringIO()
        for words in (["literature"], ["--help"]):
            with open("/dev/full", "w", encoding="utf-8") as full, \
                    contextlib.redirect_stdout(full), contextlib.redirect_stderr(err), \
                    mock.patch.object(sys, "argv", ["report.py", *words]):
                self.assertEqual(program.run_main(report.main), 1)
        self.assertEqual(err.getvalue(), 2 * "report.py: stdout: no space left on device\n")

    def test_a_reader_that_went_away_is_no_error(self):
        done = self.command("($report literature; echo $? >code) | true")
        self.assertEqual((done.stderr, (self.folder / "code").read_text()), ("", "0\n"))

    def test_messages_for_a_closed_stderr_are_not_among_the_results(self):
        done = self.command("$report table none.csv 2>&-; echo $?")
        self.assertEqual(done.stdout, "1\n")
        done = self.command("$report literature >&-; echo $?")
        self.assertEqual((done.stdout, done.stderr), ("0\n", ""))

    def test_out_that_is_stdout_adds_to_it(self):
        self.run_folder("one", [eval_row(1)])
        done = self.command("echo first >o; $report merge runs --out /dev/stdout >>o;"
                            " echo last >>o")
        lines = (self.folder / "o").read_text().splitlines()
        self.assertEqual((done.stderr, lines[0], lines[-1], len(lines)), ("", "first", "last", 4))

    def test_missing_packages_are_told_in_one_line(self):
        for name in ("report", "plot", "scaling", "speed"):
            done = subprocess.run([sys.executable, "-S", EXPERIMENTS / f"{name}.py"],
                                  capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (1, "", 1))
            self.assertIn("has no matplotlib, numpy, pandas: experiments/setup.sh figures",
                          done.stderr)

    def test_no_result_is_printed_of_a_command_that_fails_half_way(self):
        rows = [eval_row(1, protocol="honest"), eval_row(1), eval_row(1, seed=2, data_hash="x")]
        self.assert_fails(1, "different strings", "table", "--splits", "bin1", self.csv(rows))

    def test_an_interrupted_or_hungry_script_ends_in_one_line(self):
        for error, code, line in ((KeyboardInterrupt, 130, "interrupted"),
                                  (MemoryError, 1, "out of memory")):
            with mock.patch.object(report, "literature", side_effect=error):
                self.assert_fails(code, line, "literature")

    def test_lists_of_names_are_complete(self):
        path = self.csv([eval_row(1, "length")])
        for words in (["table", "--splits", "", path], ["scores", "--metrics", "bits,,loss", path],
                      ["best", "--settings", "", path], ["merge", "--settings", "lr,", "x"],
                      ["merge", "--splits", "", "x"]):
            self.assert_fails(2, "give names separated by commas", *words)
        self.assert_fails(2, "give names separated by commas", "length", "--out", "a.svg",
                          "--cells", ",", path, script=plot)

    def test_whole_numbers_are_decimal(self):
        for number in ("0", "-1", "010", "1_0", "\N{SUPERSCRIPT TWO}", "9" * 20, "1.5", ""):
            for flag in ("--columns", "--train-length"):
                self.assert_fails(2, f"{flag} {number}: give a whole number from 1", "length",
                                  "--out", "a.svg", f"{flag}={number}", "x.csv", script=plot)


class Timing(Folder):
    """scaling.py and speed.py."""

    script = scaling
    HEADER = ["cell", "d_model", "layers", "heads", "batch", "length", "step_ms", "peak_mib"]

    def bench(self, *rows):
        return self.csv([dict(zip(self.HEADER, row)) for row in rows], "bench.csv", self.HEADER)

    def test_a_length_that_a_cell_lacks_is_a_dash(self):
        path = self.bench(("rdn", 64, 2, 4, 10, 100, 1, 20), ("lstm", 64, 2, 4, 10, 100, 2, 30),
                          ("lstm", 64, 2, 4, 10, 200, 8, 40))
        self.assertEqual(self.stdout(path, "--out", "."), "table.md\n")
        table = (self.folder / "table.md").read_text()
        self.assertIn("| lstm | 2.00 / 30 | 4.00 / 40 |\n| rdn | 1.00 / 20 | - |\n", table)

    def test_rows_that_one_table_cannot_hold_are_named(self):
        row = ("rdn", 64, 2, 4, 10, 100, 1, 20)
        for rows, part in (
                ([row, row], "bench.csv: line 3: rdn at length 100 once more"),
                ([row, ("lstm", 32, *row[2:])], "bench.csv: rows of d_model 32 and 64"),
                ([("rdn", 64, 2, 4, 0, 100, 1, 20)], "line 2: batch is 0.0: it must be above 0"),
                ([("rdn", 64, 2, 4, 1, 100, "", 20)], "line 2: step_ms is nan"),
                ([("rdn", 64, 2, 4, 1, 100, "x", 20)], "line 2: step_ms `x` is not a number"),
                ([], "a header, but no rows")):
            self.assert_fails(1, part, self.bench(*rows), "--out", ".")
        self.assert_fails(1, "none/table.md: no such file", self.bench(row), "--out", "none")
        self.assertEqual({path.name for path in self.folder.iterdir()}, {"bench.csv"})

    def test_the_same_rows_give_the_same_figure(self):
        figures = []
        for _ in range(2):
            self.stdout(self.bench(("rdn", 64, 2, 4, 10, 100, 1, 20)), "--out", ".")
            figures.append((self.folder / "scaling.svg").read_bytes())
        self.assertEqual(*figures)

    def assert_refuses(self, code, part, *words):
        with mock.patch.object(speed, "stay_on"), mock.patch.object(speed, "peer_there"):
            self.assert_fails(code, part, *words, "--out", "out", script=speed)

    def program(self, body):
        path = self.folder / "program"
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return str(path)

    def test_speed_refuses_what_it_cannot_time(self):
        rlt = self.program("echo lstm the cell")
        self.assert_refuses(1, "none: no such file or directory", "--rlt", "none")
        self.assert_refuses(1, "program has no cell 'rdn'", "--rlt", rlt, "--cells", "rdn")
        for flag in ("--rounds", "--repeats", "--peer-repeats"):
            self.assert_refuses(2, f"{flag} 0: give a whole number from 1", "--rlt", rlt, flag, "0")
        self.assert_refuses(2, "--cases '': choose from", "--rlt", rlt, "--cases", "")
        (self.folder / "out").touch()
        self.assert_refuses(1, "out: file exists", "--rlt", rlt)
        (self.folder / "out").unlink()
        (self.folder / "out").mkdir()
        for content in ("a,b\n1,2\n", "", '"', ",".join(speed.COLUMNS) + "\nx" + "," * 19 + "\n"):
            (self.folder / "out" / "bench.csv").write_text(content)
            self.assert_refuses(1, "bench.csv: not a file of this script", "--rlt", rlt)
        self.assert_refuses(1, "program has no cell ''", "--rlt", self.program("exit 0"))

    def test_speed_names_a_program_that_is_not_rlt(self):
        for body in ("echo lstm", "echo step_ms,forward_ms,floor_ms,step_over_floor; echo 1,2,3",
                     "echo lstm; echo 1"):
            with mock.patch.object(speed, "stay_on"), \
                    mock.patch.object(speed, "peer_there", return_value=False):
                code, out, err = self.run_script("--rlt", self.program(
                    f'[ "$1" = cells ] && echo lstm || {{ {body}; }}'), "--out", "out",
                    script=speed)
            self.assertEqual((code, out), (1, ""))
            self.assertIn("program bench did not print a CSV with step_ms", err.splitlines()[-1])

    def test_speed_goes_on_without_a_peer_that_needs_more_memory_than_there_is(self):
        peer = Path(self.folder / "peer.py")
        peer.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
        rlt = self.program('[ "$1" = cells ] && echo lstm && exit\n'
                           "echo step_ms,forward_ms,floor_ms,step_over_floor; echo 4,1,2,2")
        with mock.patch.object(speed, "stay_on"), mock.patch.object(speed, "peer_there", return_value=True), \
                mock.patch.object(speed, "PEER", peer):
            code, _, err = self.run_script("--rlt", rlt, "--cases", "32", "--rounds", "2", "--out", "out",
                                           script=speed)
        self.assertEqual(code, 0)
        self.assertEqual(err.count("was killed, as a program is that needs more memory"), 1)
        rows = speed.measured_before(Path(self.folder / "out" / "bench.csv"), speed.processor())
        self.assertEqual(list(rows["rlt_step_ms"]), [4, 4])
        self.assertTrue(rows["peer_step_ms"].isna().all())

    def test_numbers_measured_before_keep_every_digit(self):
        path = Path(self.folder / "bench.csv")
        row = {name: "1" for name in speed.COLUMNS} | {
            "case": "64", "cell": "lstm", "processor": "P", "rlt_step_ms": "0.30000000000000004",
            "floor_ms": "41.87522199936211", "step_over_floor": "1.3673983071903288",
            "peer_over_rlt": "13.255759299910356"}
        self.csv([row], "bench.csv", speed.COLUMNS)
        self.assertEqual(speed.measured_before(path, "P").to_csv(index=False), path.read_text())


if __name__ == "__main__":
    unittest.main()

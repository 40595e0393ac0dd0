"""report.py merge: many run folders, one CSV. Run: python3 -m unittest discover -s HERE"""

import csv
import fcntl
import io
import json
import os
import shutil
import unittest
from unittest import mock

from support import HEADER, Folder, eval_row, text

import report
from columns import LATER, RUN, TRAIN

OLD_HEADER = [name for name in HEADER if name not in LATER]


def lock(test, folder):
    """As `rlt train` does while it works in a folder."""
    number = os.open(folder, os.O_RDONLY)
    test.addCleanup(os.close, number)
    fcntl.flock(number, fcntl.LOCK_EX)


class Merge(Folder):
    script = report

    def bins(self, accuracy):
        return [eval_row(accuracy, split) for split in ("bin1", "bin0")]

    def merged(self, *words):
        self.assertEqual(self.stdout("merge", *words, "--out", "merged.csv"), "")
        return (self.folder / "merged.csv").read_text()

    def rows(self, *words):
        lines = [line.split(",") for line in self.merged(*words).splitlines()]
        return [dict(zip(lines[0], line)) for line in lines[1:]]

    def test_bytes_depend_on_the_runs_alone(self):
        for name, seed in (("z", 10), ("a", 9), ("m", 2)):
            self.run_folder(name, self.bins(0.1 + 0.2), seed=seed)
        self.run_folder("d", None, code=3, seed=11)
        first = self.merged("runs")
        shutil.move(self.folder / "runs" / "a", self.folder / "runs" / "zz")
        self.assertEqual(first, self.merged("runs/zz", "runs/m", "runs/d", "runs/z"))
        self.assertEqual(first, self.stdout("merge", "runs"))

    def test_rows_are_sorted_by_value_and_copied_as_text(self):
        for seed in (10, 9):
            self.run_folder(f"s{seed}", self.bins("0.30000000000000004"), seed=seed)
        rows = self.rows("runs")
        self.assertEqual([(row["seed"], row["split"]) for row in rows],
                         [("9", "bin0"), ("9", "bin1"), ("10", "bin0"), ("10", "bin1")])
        self.assertEqual({row["sequence_accuracy"] for row in rows}, {"0.30000000000000004"})

    def test_rows_merged_before_stay_but_for_the_runs_that_are_merged_anew(self):
        before = self.csv([eval_row(0.25, split, cell="lstm") for split in ("bin0", "bin1")]
                          + [eval_row(0.5, "bin0", seed=2), eval_row(0.5, "bin0", seed=3, select="last")],
                          "before.csv", OLD_HEADER)
        self.run_folder("again", [eval_row(1, "bin0")], seed=2)
        rows = self.rows("runs", "--add-to", before)
        self.assertEqual([(row["cell"], row["seed"], row["split"], row["sequence_accuracy"], row["select"]) for row in rows],
                         [("lstm", "1", "bin0", "0.25", "best"), ("lstm", "1", "bin1", "0.25", "best"),
                          ("rdn", "2", "bin0", "1", "best"), ("rdn", "3", "bin0", "0.5", "last")])
        # into the file itself, and a second time
        once = self.merged("runs", "--add-to", "merged.csv")
        self.assertEqual(once, self.merged("runs", "--add-to", "merged.csv"))

    def test_settings_tell_runs_merged_before_apart(self):
        before = self.csv([eval_row(0.5, "bin0", window=window) for window in ("1-3", "4-5")], "before.csv",
                          HEADER + ["window"])
        self.run_folder("a", [eval_row(1, "bin0")], config={"window": '"4-5"'})
        rows = self.rows("runs", "--settings", "window", "--add-to", before)
        self.assertEqual([(row["window"], row["sequence_accuracy"]) for row in rows], [("1-3", "0.5"), ("4-5", "1")])
        self.assert_fails(1, "before.csv: other columns than those of the runs: window", "merge", "runs", "--add-to", before)

    def test_diverged_and_timed_out_runs_become_failed_rows(self):
        self.run_folder("good", self.bins(1) + [eval_row(1, "length")])
        self.run_folder("other_rule", [eval_row(1, "bin2")], rule="honest")
        self.run_folder("diverged", None, code=3, done=False, seed=2)
        self.run_folder("late", [eval_row(0.75, "bin0")], code=75, done=False, seed=3)
        rows = [row for row in self.rows("runs") if row["select"] == "failed"]
        self.assertEqual([(row["seed"], row["split"], row["length_max"]) for row in rows],
                         [(seed, *window) for seed in "23" for window in
                          (("bin0", "50"), ("bin1", "100"), ("length", "70"))])
        for row in rows:
            self.assertEqual((row["sequence_accuracy"], row["token_accuracy"],
                              row["sequences_correct"]), ("0", "0", "0"))
            self.assertEqual((row["sequences"], row["parameters"], row["loss"]), ("40", "321", ""))
            self.assertEqual(row["data_hash"], f"h-{row['split']}")

    def test_a_failed_run_without_others_has_both_bins(self):
        self.run_folder("good", self.bins(1), task="dyck1")
        self.run_folder("diverged", None, code=3, seed=2)
        rows = [row for row in self.rows("runs") if row["select"] == "failed"]
        self.assertEqual([(row["task"], row["split"], row["sequence_accuracy"]) for row in rows],
                         [("parity", "bin0", "0"), ("parity", "bin1", "0")])

    def test_a_merged_csv_makes_a_table_that_counts_the_failure(self):
        self.run_folder("good", self.bins(1))
        self.run_folder("diverged", None, code=3, seed=2)
        self.merged("runs")
        out = self.stdout("table", "merged.csv")
        self.assertEqual(self.entries(out, "rdn")["parity"], "50.0 / 50.0 (1/2)")

    def test_training_curves_are_told_apart_by_options(self):
        step = dict.fromkeys(TRAIN, 1) | {"task": "parity", "cell": "rdn"}
        for options in ("beta_max=2", ""):
            self.run_folder(f"o{options}", self.bins(1), options=options,
                            train=[step | {"step": count} for count in (100, 20)])
        rows = self.rows("runs", "--which", "train")
        self.assertEqual(list(rows[0])[:7], RUN + ["step"])
        self.assertEqual([(row["options"], row["step"]) for row in rows],
                         [("", "20"), ("", "100"), ("beta_max=2", "20"), ("beta_max=2", "100")])

    def test_unfinished_runs_stop_the_merge_unless_allowed(self):
        self.run_folder("good", self.bins(1))
        lock(self, self.run_folder("going_on", None, code=None, seed=2))
        self.assert_fails(1, "runs/going_on: not finished (1 of 2 runs)", "merge", "runs")
        code, out, err = self.run_script("merge", "--allow-unfinished", "runs")
        self.assertEqual((code, out.count("\n")), (0, 3))
        self.assertEqual(err, "report.py: left out 1 unfinished of 2 runs\n")

    def test_errors(self):
        self.assert_fails(1, "none: no such folder", "merge", "none")
        (self.folder / "empty").mkdir()
        self.assert_fails(1, "empty: no run folder in it", "merge", "empty")
        one = self.run_folder("one", self.bins(1))
        self.run_folder("two", self.bins(1))
        self.assert_fails(1, "runs/one and runs/two are the same run", "merge", "runs")
        two = self.run_folder("three", self.bins(1), seed=2)
        (two / "eval.csv").write_text(text(HEADER + ["extra"], [eval_row(1, extra=1)]))
        self.assert_fails(1, "other columns than the runs before: extra", "merge", str(one),
                          str(two))
        (two / "eval.csv").unlink()
        self.assert_fails(1, "runs/three/eval.csv: no such file", "merge", str(one), str(two))
        (two / "meta.json").write_text("{")
        self.assert_fails(1, "runs/three/meta.json: not JSON", "merge", str(two))
        for content in ("{}", "[]", "7", "null"):
            (two / "meta.json").write_text(content)
            self.assert_fails(1, "meta.json: missing task, rule", "merge", str(two))
        (two / "meta.json").write_text("[" * 100_000)
        self.assert_fails(1, "meta.json: not JSON", "merge", str(two))
        meta = json.loads((one / "meta.json").read_text())
        for changes, part in (({"exit": []}, "exit [] is not an exit code"),
                              ({"exit": "3"}, "exit '3' is not an exit code"),
                              ({"task": "a\nb"}, "task 'a\\nb' is not a name")):
            (two / "meta.json").write_text(json.dumps(meta | changes))
            self.assert_fails(1, f"runs/three/meta.json: {part}", "merge", str(two))
        (one / "config.toml").write_text("lr = \n")
        self.assert_fails(1, "runs/one/config.toml: not TOML", "merge", str(one))
        (self.folder / "file").touch()
        self.assert_fails(1, "file: a file, not a folder", "merge", "file")
        self.assert_fails(1, "'': no such folder", "merge", "")

    def test_columns_that_came_later_are_empty_in_older_runs(self):
        self.run_folder("new", self.bins(1))
        self.run_folder("old", self.bins(1), header=OLD_HEADER, seed=2)
        self.run_folder("diverged", None, code=3, seed=3)
        rows = self.rows("runs")
        self.assertEqual(list(rows[0]), HEADER)
        self.assertEqual([(row["seed"], row["split"], row["size_max"], row["bits"])
                          for row in rows],
                         [("1", "bin0", "50", "0.375"), ("1", "bin1", "100", "0.375"),
                          ("2", "bin0", "", ""), ("2", "bin1", "", ""),
                          ("3", "bin0", "50", ""), ("3", "bin1", "100", "")])

    def test_older_runs_may_lack_different_columns(self):
        for number, name in enumerate(("bits", "size_min")):
            self.run_folder(f"r{number}", self.bins(1), seed=number,
                            header=[one for one in HEADER if one != name])
        rows = self.rows("runs")
        self.assertEqual(set(rows[0]), set(HEADER))
        self.assertEqual([(row["bits"], row["size_min"]) for row in rows],
                         [("", "2"), ("", "51"), ("0.375", ""), ("0.375", "")])

    def test_given_data_have_splits_of_their_own(self):
        sets = [eval_row(0.5, split, size_min="", size_max="") for split in ("test", "valid")]
        self.run_folder("good", sets)
        self.run_folder("diverged", None, code=3, seed=2)
        self.assertEqual([(row["seed"], row["select"], row["split"], row["size_max"])
                          for row in self.rows("runs")],
                         [("1", "best", "test", ""), ("1", "best", "valid", ""),
                          ("2", "failed", "test", ""), ("2", "failed", "valid", "")])

    def lengths(self, accuracy=1, sizes=(9, 10, 20)):
        return [eval_row(accuracy, "length", size_min=size, size_max=size, length_max=200 - size,
                         data_hash=f"h{size}", blank_accuracy=0.5) for size in reversed(sizes)]

    def test_lengths_are_merged_in_the_order_of_their_sizes_with_failed_runs(self):
        self.run_folder("good", self.bins(1), lengths=self.lengths())
        self.run_folder("diverged", None, code=3, seed=2)
        self.run_folder("other_task", self.bins(1), task="dyck1")  # not measured: none of its kind
        rows = self.rows("runs", "--which", "lengths")
        self.assertEqual([(row["task"], row["seed"], row["select"], row["size_max"],
                           row["sequence_accuracy"], row["blank_accuracy"]) for row in rows],
                         [("parity", "1", "best", size, "1", "0.5") for size in ("9", "10", "20")]
                         + [("parity", "2", "failed", size, "0", "0")
                            for size in ("9", "10", "20")])

    def test_a_run_without_lengths_among_others_with_them_stops_the_merge(self):
        self.run_folder("good", self.bins(1), lengths=self.lengths())
        self.run_folder("missed", self.bins(1), seed=2)
        self.assert_fails(1, "runs/missed: no lengths.csv, but other runs", "merge", "--which",
                          "lengths", "runs")
        shutil.rmtree(self.folder / "runs" / "good")
        self.assert_fails(1, "no lengths.csv in any of the runs", "merge", "--which", "lengths",
                          "runs")

    def test_settings_become_columns_that_tell_runs_apart(self):
        for number, (lr, window) in enumerate((("1e-2", "1-9"), ("0.001", "1-9"),
                                               ("0.001", "10-10"))):
            self.run_folder(f"r{number}", self.bins(1),
                            config={"lr": lr, "d-model": 8, "window": f'"{window}"'})
        self.assert_fails(1, "are the same run (parity paper paper rdn 1): merge one of them, or",
                          "merge", "runs")
        self.assert_fails(1, "are the same run", "merge", "--settings", "window", "runs")
        rows = self.rows("--settings", "lr,window", "--splits", "bin0", "runs")
        self.assertEqual([(row["lr"], row["window"], row["split"]) for row in rows],
                         [("0.001", "1-9", "bin0"), ("0.001", "10-10", "bin0"),
                          ("1e-2", "1-9", "bin0")])
        self.assert_fails(2, "runs/r0/config.toml: has no setting depth", "merge", "--settings",
                          "lr,depth", "runs")
        self.assert_fails(2, "--settings seed: is a column of its own already", "merge",
                          "--settings", "lr,seed", "runs")

    def test_a_failed_run_has_the_sets_of_its_own_data_alone(self):
        for variables, size in ((3, 40), (5, 70)):
            config = {"task-option": f'"variables={variables}"'}
            options = f"variables={variables}"
            self.run_folder(f"good{variables}", [eval_row(1, "bin0", size_max=size)],
                            options=options, config=config)
            self.run_folder(f"failed{variables}", None, code=3, seed=2, options=options,
                            config=config)
        self.assertEqual([(row["options"], row["size_max"]) for row in self.rows("runs")
                          if row["select"] == "failed"],
                         [("variables=3", "40"), ("variables=5", "70")])

    def test_splits_that_no_run_has(self):
        self.run_folder("good", self.bins(1), train=[])
        self.assert_fails(1, "no rows of split valid or test: found bin0, bin1", "merge",
                          "--splits", "valid,test", "runs")
        self.assertEqual({row["split"] for row in self.rows("--splits", "valid,bin0", "runs")},
                         {"bin0"})
        self.assert_fails(2, "--splits: train.csv has no splits", "merge", "--which", "train",
                          "--splits", "bin0", "runs")


class Failures(Folder):
    """Runs that got nowhere are rows, not gaps."""

    script = report

    def merged(self, *words):
        return list(csv.DictReader(io.StringIO(self.stdout("merge", *words))))

    def test_runs_that_all_failed_have_both_bins(self):
        for seed, code in enumerate((3, 75, 130, 1)):
            self.run_folder(f"s{seed}", None, code=code, seed=seed, train=[])
        rows = self.merged("runs")
        self.assertEqual([(row["seed"], row["select"], row["split"], row["sequence_accuracy"])
                          for row in rows], [(str(seed), "failed", split, "0")
                                             for seed in range(4) for split in ("bin0", "bin1")])
        self.assertEqual(list(rows[0]), HEADER)

    def test_a_run_that_was_killed_has_failed_and_is_named(self):
        self.run_folder("good", [eval_row(1, "bin0")])
        self.run_folder("killed", None, code=None, seed=2)
        code, out, err = self.run_script("merge", "runs")
        self.assertEqual([(row["seed"], row["select"]) for row in csv.DictReader(io.StringIO(out))],
                         [("1", "best"), ("2", "failed")])
        self.assertEqual((code, err), (0, "report.py: runs/killed: killed (meta.json has no exit,"
                                          " and no program is at work there): counts as failed\n"))

    def test_tables_of_runs_that_all_failed_say_so(self):
        for seed in (1, 2):
            self.run_folder(f"s{seed}", None, code=3, seed=seed, config={"lr": "1e6"})
        self.stdout("merge", "runs", "--settings", "lr", "--out", "m.csv")
        self.assertEqual(self.entries(self.stdout("table", "m.csv"), "rdn")["parity"],
                         "0 / 0 (0/2)")
        self.assertEqual(self.entries(self.stdout("scores", "m.csv"), "rdn")["bin0 sequence"],
                         "0 (failed, failed)")
        row = self.entries(self.stdout("best", "--settings", "lr", "m.csv"), "parity", "paper")
        self.assertEqual((row["lr"], row["sequence"], row["loss"], row["parameters"]),
                         ("1000000", "0", "failed", ""))

    def test_a_cell_of_which_every_seed_failed_stands_beside_the_others(self):
        self.run_folder("good", [eval_row(1, "bin0", cell="lstm")], cell="lstm")
        for seed in (1, 2):
            self.run_folder(f"s{seed}", None, code=3, seed=seed)
        self.assertEqual([(row["cell"], row["seed"], row["select"], row["split"], row["sequences"],
                           row["parameters"]) for row in self.merged("runs")],
                         [("lstm", "1", "best", "bin0", "40", "321"),
                          ("rdn", "1", "failed", "bin0", "40", ""),
                          ("rdn", "2", "failed", "bin0", "40", "")])

    def test_a_run_that_ended_below_what_was_required_has_not_failed(self):
        self.run_folder("low", [eval_row(0.5, "bin0")], code=4)
        self.assertEqual([row["sequence_accuracy"] for row in self.merged("runs")], ["0.5"])

    def test_nothing_measured_and_nothing_finished_is_said(self):
        self.run_folder("failed", None, code=3, train=[])
        self.assert_fails(1, "no lengths.csv in any of the runs", "merge", "--which", "lengths",
                          "runs")
        code, out, err = self.run_script("merge", "--which", "train", "runs")
        self.assertEqual((code, out, err.splitlines()), (1, "", [
            "report.py: runs/failed: ended before the first row of train.csv",
            "report.py: no rows in train.csv of any of the runs"]))
        shutil.rmtree(self.folder / "runs")
        lock(self, self.run_folder("going_on", None, code=None))
        self.assert_fails(1, "none of the 1 runs is finished", "merge", "--allow-unfinished",
                          "runs")


class Links(Folder):
    """A run counts once, however it is reached."""

    script = report

    def setUp(self):
        super().setUp()
        for seed in (1, 2, 3):
            self.run_folder(f"s{seed}", [eval_row(1, "bin0", seed=seed)], seed=seed)
        (self.folder / "runs").rename(self.folder / "scratch")
        self.runs = self.folder / "runs"
        self.runs.mkdir()

    def seeds(self, *places):
        rows = csv.DictReader(io.StringIO(self.stdout("merge", *places)))
        return [row["seed"] for row in rows]

    def test_a_link_to_a_run_is_a_run(self):
        (self.folder / "scratch/s1").rename(self.runs / "s1")
        for name in ("s2", "s3"):
            (self.runs / name).symlink_to(f"../scratch/{name}")
        self.assertEqual(self.seeds("runs"), ["1", "2", "3"])
        self.assertEqual(self.seeds("runs/s2"), ["2"])

    def test_a_link_to_a_folder_of_runs_holds_them(self):
        (self.runs / "all").symlink_to("../scratch")
        self.assertEqual(self.seeds("runs"), ["1", "2", "3"])
        (self.folder / "link").symlink_to("runs")
        self.assertEqual(self.seeds("link"), ["1", "2", "3"])

    def test_a_run_that_is_reached_twice_counts_once(self):
        (self.runs / "all").symlink_to("../scratch")
        (self.runs / "one").symlink_to("../scratch/s1")
        self.assertEqual(self.seeds("runs"), ["1", "2", "3"])
        self.assertEqual(self.seeds("runs", "scratch", "scratch/s2", "runs"), ["1", "2", "3"])
        shutil.copytree(self.folder / "scratch/s1", self.folder / "scratch/copy")
        self.assert_fails(1, "scratch/copy and scratch/s1 are the same run", "merge", "scratch")

    def test_links_may_go_round(self):
        for name, target in (("self", "."), ("up", ".."), ("round", "../scratch")):
            (self.runs / name).symlink_to(target)
        (self.folder / "scratch/back").symlink_to("../runs")
        (self.folder / "scratch/s1/inside").symlink_to("..")
        self.assertEqual(self.seeds("runs"), ["1", "2", "3"])
        self.assertEqual(self.seeds("scratch"), ["1", "2", "3"])

    def test_what_lies_above_a_link_is_no_part_of_its_folder(self):
        (self.runs / "s1").symlink_to("../scratch/s1")
        (self.runs / "up").symlink_to("..")
        self.assertEqual(self.seeds("runs"), ["1"])

    def test_a_linked_file_is_read(self):
        path = self.folder / "scratch/s1/eval.csv"
        path.rename(self.folder / "elsewhere.csv")
        path.symlink_to("../../elsewhere.csv")
        self.assertEqual(self.seeds("scratch"), ["1", "2", "3"])

    def test_links_to_nothing_are_missing_runs(self):
        (self.runs / "s1").symlink_to("../scratch/s1")
        (self.runs / "s9").symlink_to("../scratch/s9")
        self.assert_fails(1, "runs/s9: a link to nothing: ../scratch/s9", "merge", "runs")
        (self.runs / "s9").unlink()
        (self.runs / "other").mkdir()
        (self.runs / "other" / "gone").symlink_to("nowhere")  # no run stands beside it
        self.assertEqual(self.seeds("runs"), ["1"])
        (self.runs / "loop").symlink_to("loop")
        self.assert_fails(1, "runs/loop: a link to nothing: loop", "merge", "runs")
        (self.runs / "loop").unlink()
        for name in ("eval", "lengths", "train"):
            (self.folder / f"scratch/s1/{name}.csv").unlink(missing_ok=True)
            (self.folder / f"scratch/s1/{name}.csv").symlink_to("nowhere")
            self.assert_fails(1, f"runs/s1/{name}.csv: no such file", "merge", "--which", name,
                              "runs")

    def test_a_folder_that_cannot_be_listed_is_named(self):
        def scandir(path, list_folder=os.scandir):
            if str(path).endswith("s2"):
                raise PermissionError(13, "Permission denied", str(path))
            return list_folder(path)
        with mock.patch.object(os, "scandir", scandir):
            self.assert_fails(1, "scratch/s2: permission denied", "merge", "scratch")


class Rows(Folder):
    """What stands in a run's folder is of that run, and of the model that is there."""

    script = report

    def test_rows_of_another_run_are_named(self):
        self.run_folder("one", [eval_row(1, "bin0")])
        two = self.run_folder("two", [eval_row(1, "bin0")], seed=2)
        (two / "eval.csv").unlink()
        (two / "eval.csv").symlink_to("../one/eval.csv")
        self.assert_fails(1, "runs/two/eval.csv: line 2: seed '1', but the run has '2'", "merge",
                          "runs")
        (two / "train.csv").write_text(text(TRAIN, [dict.fromkeys(TRAIN, 1) | {
            "task": "parity", "cell": "lstm", "seed": 2}]))
        self.assert_fails(1, "train.csv: line 2: cell 'lstm', but the run has 'rdn'", "merge",
                          "--which", "train", str(two))

    def test_rows_of_the_model_that_was_there_before_are_named(self):
        old, new = ([eval_row(1, "length", step=step, length_min=length, length_max=length)
                     for length in lengths] for step, lengths in ((2, (3, 4)), (6, (5, 6))))
        evaluated = [eval_row(1, "bin0", step=6)]
        folder = self.run_folder("run", evaluated, lengths=old + new)
        words = "merge", "--which", "lengths", "runs"
        part = "runs/run/lengths.csv: rows of two models, step {} and {} of select 'best'"
        self.assert_fails(1, part.format(6, 2), *words)
        (folder / "lengths.csv").write_text(text(HEADER, old))
        self.assert_fails(1, part.format(6, 2), *words)
        (folder / "eval.csv").unlink()
        self.assertEqual(self.stdout(*words).count("\n"), 3)
        (folder / "lengths.csv").write_text(text(HEADER, old + new))
        self.assert_fails(1, part.format(2, 6), *words)
        (folder / "eval.csv").write_text(text(HEADER, evaluated))
        (folder / "lengths.csv").write_text(text(HEADER, new))
        self.assertEqual(self.stdout(*words).count("\n"), 3)

    def test_two_checkpoints_of_one_run_are_both_merged(self):
        self.run_folder("run", [eval_row(1, "bin0", step=6), eval_row(1, "bin0", step=8,
                                                                      select="last")])
        rows = csv.DictReader(io.StringIO(self.stdout("merge", "runs")))
        self.assertEqual([(row["select"], row["step"]) for row in rows],
                         [("best", "6"), ("last", "8")])

    def test_a_set_that_was_measured_twice_is_named(self):
        self.run_folder("run", [eval_row(1, "bin0"), eval_row(1, "bin1"), eval_row(0.5, "bin1")])
        self.assert_fails(1, "runs/run/eval.csv: two rows of bin1 51-100, select 'best': measure"
                          " the run anew", "merge", "runs")


if __name__ == "__main__":
    unittest.main()

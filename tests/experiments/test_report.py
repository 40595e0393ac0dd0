"""report.py: statistics, tables, merged runs, the literature. Run: python3 -m unittest discover"""

import contextlib
import io
import json
import re
import shutil
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
sys.path.insert(0, str(EXPERIMENTS))

import merge  # noqa: E402
import printing  # noqa: E402
import report  # noqa: E402
import runs  # noqa: E402

HEADER = ("task,rule,protocol,cell,options,parameters,state_size,seed,step,select,split,size_min,"
          "size_max,length_min,length_max,sequences,sequences_correct,tokens,tokens_correct,"
          "answers,answers_correct,token_accuracy,sequence_accuracy,answer_accuracy,"
          "blank_accuracy,loss,bits,chance,best_constant,position_majority,chance_sequence,"
          "best_constant_sequence,position_majority_sequence,answer_constant,class_bits,"
          "data_hash").split(",")
OLD_HEADER = [name for name in HEADER if name not in merge.LATER]
TRAIN = ("task,cell,seed,step,sequences,tokens,wall_s,learning_rate,loss,token_accuracy,"
         "sequence_accuracy,gradient_norm").split(",")
WINDOWS = {"bin0": (2, 50), "bin1": (51, 100)}


def eval_row(accuracy, split="bin1", **changes):
    low, high = WINDOWS.get(split, (70, 70))
    row = dict(task="parity", rule="paper", protocol="paper", cell="rdn", options="",
               parameters=321, state_size=64, seed=1, step=500, select="best", split=split,
               size_min=low, size_max=high, length_min=low, length_max=high, sequences=40,
               sequences_correct=7, tokens=900, tokens_correct=800, answers=900,
               answers_correct=800, token_accuracy=0.875, sequence_accuracy=accuracy,
               answer_accuracy=0.75, blank_accuracy="", loss=0.25, bits=0.375, chance=0.5,
               best_constant=0.5, position_majority=0.625, chance_sequence=0.125,
               best_constant_sequence=0, position_majority_sequence=0.25, answer_constant=0.3125,
               class_bits=1.5, data_hash=f"h-{split}")
    row.update(changes)
    return row


def text(header, rows):
    lines = [header] + [[str(row[name]) for name in header] for row in rows]
    return "".join(",".join(line) + "\n" for line in lines)


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def csv(self, rows, name="eval.csv", header=None):
        path = self.folder / name
        path.write_text(text(header or HEADER, rows), encoding="utf-8")
        return str(path)

    def run_folder(self, name, rows, code=0, done=True, train=(), lengths=None, config=None,
                   header=None, **identity):
        folder = self.folder / "runs" / name
        folder.mkdir(parents=True)
        meta = {key: eval_row(0)[key] for key in runs.RUN} | identity | {"exit": code}
        (folder / "meta.json").write_text(json.dumps(meta))
        (folder / "config.toml").write_text("".join(
            f"{key} = {value}\n" for key, value in (config or {"lr": "1e-3"}).items()))
        for name, found in (("eval.csv", rows), ("lengths.csv", lengths)):
            if found is not None:
                found = [{**row, **identity} for row in found]
                (folder / name).write_text(text(header or HEADER, found))
        if train:
            (folder / "train.csv").write_text(text(TRAIN, train))
        if done:
            (folder / "DONE").touch()
        return folder

    def report(self, *words):
        """(code, stdout, stderr) of report.py, run inside this process."""
        out, err = io.StringIO(), io.StringIO()
        with mock.patch.object(sys, "argv", ["report.py", *words]), \
                contextlib.chdir(self.folder), contextlib.redirect_stdout(out), \
                contextlib.redirect_stderr(err):
            try:
                code = runs.run_main(report.main)
            except SystemExit as stop:  # --help
                code = stop.code
        return code, out.getvalue(), err.getvalue()

    def stdout(self, *words):
        code, out, err = self.report(*words)
        self.assertEqual((code, err), (0, ""))
        return out

    def entries(self, out, *start):
        """The one Markdown table row that starts with these entries, by column name."""
        header, found = None, []
        lines = [line.strip("|").split("|") for line in out.splitlines() if line.startswith("|")]
        for line in ([entry.strip() for entry in line] for line in lines):
            if line[0] in ("task", "cell"):
                header = line
            if line[:len(start)] == list(start):
                found.append(dict(zip(header, line)))
        self.assertEqual(len(found), 1, out)
        return found[0]

    def assert_fails(self, code, part, *words):
        found, out, err = self.report(*words)
        self.assertEqual((found, out), (code, ""), err)
        self.assertEqual(err.count("\n"), 1, err)
        self.assertTrue(err.startswith("report.py: "), err)
        self.assertIn(part, err)


class Statistics(unittest.TestCase):
    def test_wilson_gives_the_known_intervals(self):
        for successes, count, low, high in ((5, 5, 0.57, 1.0), (10, 10, 0.72, 1.0),
                                            (0, 5, 0.0, 0.43), (3, 3, 0.44, 1.0),
                                            (1, 4, 0.05, 0.70)):
            found = report.wilson(successes, count)
            self.assertEqual(tuple(round(end, 2) for end in found), (low, high))

    def test_wilson_ends_are_exact(self):
        self.assertEqual(report.wilson(0, 7)[0], 0.0)
        self.assertEqual(report.wilson(7, 7)[1], 1.0)

    def test_bootstrap_agrees_with_all_resamples_of_two_seeds(self):
        # The means of all 4 resamples of (0, 1) are 0, 1/2, 1/2, 1: a quarter at either end.
        self.assertEqual(report.bootstrap([0.0, 1.0]), (0.0, 1.0))

    def test_bootstrap_is_narrower_than_the_range_and_holds_the_mean(self):
        scores = [0.1, 0.2, 0.4, 0.5, 0.6, 0.9]
        low, high = report.bootstrap(scores)
        self.assertTrue(0.1 < low < sum(scores) / 6 < high < 0.9, (low, high))
        # Normal approximation: 1.96 * standard deviation / sqrt(6) = 0.206 either way.
        self.assertAlmostEqual(high - low, 0.41, delta=0.03)

    def test_bootstrap_repeats_itself(self):
        scores = [0.1234, 0.2917, 0.3171, 0.5833, 0.6411, 0.7219, 0.8123, 0.9771]
        self.assertEqual(report.bootstrap(scores), report.bootstrap(scores))

    def test_summary_counts_solved_at_99_percent(self):
        facts = report.summary([0.99, 1.0, 0.9899, 0.2, 0.0])
        self.assertEqual((facts["solved"], facts["n"]), (2, 5))
        self.assertEqual((facts["max"], facts["median"], facts["min"]), (1.0, 0.9899, 0.0))
        self.assertAlmostEqual(facts["mean"], 0.63598)

    def test_one_seed_has_no_bootstrap_interval(self):
        self.assertIsNone(report.summary([0.5])["interval"])

    def test_percent_never_rounds_up_to_all(self):
        shares = {1.0: "100", 0.9999: "99.9", 0.9995: "99.9", 0.5: "50.0", 0.98764: "98.8",
                  0.0: "0", 0.0001: "0.0", -0.25: "-25.0", float("nan"): "-"}
        for share, printed in shares.items():
            self.assertEqual(printing.percent(share), printed)

    def test_scaled_score(self):
        self.assertEqual(report.scaled(1.0, 0.25), "100")
        self.assertEqual(report.scaled(0.25, 0.25), "0")
        self.assertEqual(report.scaled(0.625, 0.25), "50.0")
        self.assertEqual(report.scaled(1.0, 1.0), "-")


class Table(Folder):
    def test_median_and_solved_seeds(self):
        path = self.csv([eval_row(accuracy, split, seed=seed)
                         for split, scores in (("bin0", (1, 1, 0.9)), ("bin1", (1, 0.5, 0.25)))
                         for seed, accuracy in enumerate(scores)])
        out = self.stdout("table", path)
        self.assertEqual(self.entries(out, "rdn")["parity"], "100 / 50.0 (1/3)")
        self.assertEqual(self.entries(out, "best trivial baseline")["parity"], "25.0 / 25.0")
        self.assertEqual(self.entries(out, "distinct strings")["parity"], "40 / 40")

    def test_full_table_of_one_split(self):
        path = self.csv([eval_row(accuracy, seed=seed) for seed, accuracy in
                         enumerate((1, 1, 1, 1, 1))])
        row = self.entries(self.stdout("table", "--splits", "bin1", path), "parity", "rdn")
        self.assertEqual(row, {
            "task": "parity", "cell": "rdn", "parameters": "321", "state": "64", "strings": "40",
            "baseline": "25.0", "seeds": "5", "solved": "5/5", "rate, 95 %": "56.6 to 100",
            "max": "100", "median": "100", "mean": "100", "min": "100",
            "mean, 95 %": "100 to 100", "scaled median": "100"})

    def test_a_failed_run_counts_as_zero(self):
        path = self.csv([eval_row(1, seed=1), eval_row(1, seed=2),
                         eval_row(0, seed=3, select="failed", step="")])
        out = self.stdout("table", "--splits", "bin1", "--by-seed", path)
        self.assertIn("| parity | rdn | 100 | 100 | failed |", out)
        row = [line for line in out.splitlines() if line.startswith("| parity | rdn | 321 ")][0]
        self.assertIn("| 3 | 2/3 | 20.8 to 93.9 | 100 | 100 | 66.7 | 0 |", row)

    def test_checkpoints_are_not_mixed(self):
        path = self.csv([eval_row(1), eval_row(0.5, select="last")])
        for select, expected in (("best", "100 (1/1)"), ("last", "50.0 (0/1)")):
            out = self.stdout("table", "--splits", "bin1", "--select", select, path)
            self.assertEqual(self.entries(out, "rdn")["parity"], expected)

    def test_rules_and_protocols_stand_apart(self):
        path = self.csv([eval_row(1), eval_row(0.5, protocol="honest")])
        out = self.stdout("table", "--splits", "bin1", path)
        headings = [line for line in out.splitlines() if line.startswith("##")]
        self.assertEqual(headings, ["## Rule paper, protocol honest, checkpoint best",
                                    "## Rule paper, protocol paper, checkpoint best"])
        self.assertIn("| rdn | 50.0 (0/1) |", out)
        self.assertIn("| rdn | 100 (1/1) |", out)

    def test_cells_and_tasks_stand_in_their_order(self):
        rows = [eval_row(1, cell=cell, task=task, data_hash=task, options=options)
                for cell, options in (("srwm", ""), ("zeta", ""), ("lstm", ""), ("rdn", "a=1"),
                                      ("rdn", ""), ("alpha", ""), ("delta_mlp", ""))
                for task in ("other", "dyck1", "parity")]
        out = self.stdout("table", "--splits", "bin1", self.csv(rows))
        compact = out.split("\n\n")[2].splitlines()
        self.assertEqual(compact[0], "| cell | parity | dyck1 | other |")
        self.assertEqual([line.split(" | ")[0] for line in compact[2:-2]],
                         ["| lstm", "| delta_mlp", "| rdn", "| rdn (a=1)", "| srwm", "| alpha",
                          "| zeta"])

    def test_a_task_that_a_cell_did_not_run_is_a_dash(self):
        path = self.csv([eval_row(1), eval_row(1, cell="lstm", task="dyck1", data_hash="d")])
        out = self.stdout("table", "--splits", "bin1", path)
        self.assertEqual(self.entries(out, "rdn"),
                         {"cell": "rdn", "parity": "100 (1/1)", "dyck1": "-"})

    def test_latex_is_escaped(self):
        path = self.csv([eval_row(1, cell="delta_rnn", task="reset_dyck1", options=options)
                         for options in ("", "beta_max=2")])
        out = self.stdout("table", "--splits", "bin1", "--format", "latex", path)
        self.assertIn(r"cell & reset\_dyck1 \\", out)
        self.assertIn(r"delta\_rnn (beta\_max=2) & 100 (1/1) \\", out)
        self.assertIn(r"rate, 95 \% &", out)
        self.assertEqual(out.count(r"\begin{tabular}"), 2)
        self.assertNotRegex(out, r"(?<!\\)_")
        self.assertEqual(printing.latex_text("a_b\\{~^}%&#$"),
                         r"a\_b\textbackslash{}\{\textasciitilde{}\textasciicircum{}\}\%\&\#\$")

    def test_errors(self):
        path = self.csv([eval_row(1)])
        self.assert_fails(1, "eval.csv and other.csv: give each run once", "table", "--splits",
                          "bin1", "eval.csv", Path(self.csv([eval_row(1)], "other.csv")).name)
        self.assert_fails(1, "different strings", "table", "--splits", "bin1",
                          self.csv([eval_row(1), eval_row(1, seed=2, data_hash="x")], "b.csv"))
        self.assert_fails(1, "no rows with split 'bin0': found 'bin1'", "table", path)
        self.assert_fails(1, "must be from 0 to 1", "table", "--splits", "bin1",
                          self.csv([eval_row("")], "c.csv"))
        self.assert_fails(1, "must be from 0 to 1", "table", "--splits", "bin1",
                          self.csv([eval_row(97.5)], "d.csv"))
        self.assert_fails(2, "--splits length", "table", "--splits", "length", path)
        self.assert_fails(2, "COMMAND")
        self.assert_fails(2, "'html'", "table", "--format", "html", path)
        (self.folder / "e.csv").write_text("task,cell\nparity,rdn\n")
        self.assert_fails(1, "e.csv: missing columns rule, protocol", "table", "e.csv")


class Merge(Folder):
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
        self.assertEqual(list(rows[0])[:7], runs.RUN + ["step"])
        self.assertEqual([(row["options"], row["step"]) for row in rows],
                         [("", "20"), ("", "100"), ("beta_max=2", "20"), ("beta_max=2", "100")])

    def test_unfinished_runs_stop_the_merge_unless_allowed(self):
        self.run_folder("good", self.bins(1))
        self.run_folder("going_on", None, code=None, done=False, seed=2)
        self.assert_fails(1, "runs/going_on: not finished (1 of 2 runs)", "merge", "runs")
        code, out, err = self.report("merge", "--allow-unfinished", "runs")
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
        (two / "meta.json").write_text("{}")
        self.assert_fails(1, "meta.json: missing task, rule", "merge", str(two))


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


class Scores(Folder):
    def test_median_every_seed_and_baselines(self):
        path = self.csv([eval_row(accuracy, "bin0", seed=seed, answer_accuracy=answer, **changes)
                         for seed, accuracy, answer, changes in (
                             (1, 0.5, 0.875, {}), (2, 1, 1, {}),
                             (3, 0, 0, {"select": "failed", "bits": ""}))]
                        + [eval_row(0.25, "bin0", cell="lstm", parameters=123)])
        metrics = "sequence_accuracy,answer_accuracy,blank_accuracy,bits"
        out = self.stdout("scores", "--metrics", metrics, path)
        self.assertIn("## parity, rule paper, protocol paper, checkpoint best\n", out)
        self.assertEqual(self.entries(out, "rdn"), {
            "cell": "rdn", "parameters": "321", "state": "64",
            "bin0 sequence": "50.0 (50.0, 100, failed)",
            "bin0 answer": "87.5 (87.5, 100, failed)", "bin0 blank": "- (-, -, failed)",
            "bin0 bits": "0.375 (0.375, 0.375, failed)"})
        self.assertEqual(self.entries(out, "lstm")["bin0 sequence"], "25.0 (25.0, -, -)")
        self.assertEqual([self.entries(out, name)["bin0 sequence"] for name in (
            "chance", "best constant", "position majority", "class frequencies")],
            ["12.5", "0", "25.0", "-"])
        self.assertEqual(self.entries(out, "best constant")["bin0 answer"], "31.2")
        self.assertEqual(self.entries(out, "class frequencies")["bin0 bits"], "1.500")

    def test_most_seeds_failed_means_no_bits(self):
        path = self.csv([eval_row(1, "valid"),
                         eval_row(0, "valid", seed=2, select="failed", bits=""),
                         eval_row(0, "valid", seed=3, select="failed", bits="")])
        out = self.stdout("scores", "--metrics", "bits", "--splits", "valid", path)
        self.assertEqual(self.entries(out, "rdn")["valid bits"], "failed (0.375, failed, failed)")

    def test_splits_stand_side_by_side_and_one_seed_alone(self):
        path = self.csv([eval_row(0.5, split, size_max="", bits=bits)
                         for split, bits in (("valid", 2), ("test", 2.25), ("train", 1))])
        out = self.stdout("scores", "--splits", "valid,test", "--metrics", "bits,token_accuracy",
                          path)
        row = self.entries(out, "rdn")
        self.assertEqual((row["valid bits"], row["test bits"], row["test token"]),
                         ("2.000", "2.250", "87.5"))
        self.assertIn("\nSeed 1; accuracies in percent.\n", out)
        self.assertNotIn("train", out)

    def test_options_that_all_share_stand_in_the_heading_alone(self):
        rows = [eval_row(1, "bin0", options=options, cell=cell, data_hash=options[-1])
                for cell, options in (("rdn", "variables=3"), ("rdn", "beta_max=2;variables=3"),
                                      ("rdn", "variables=5"))]
        path = self.csv(rows)
        self.assert_fails(1, "different strings (data_hash): choose with --where", "scores", path)
        out = self.stdout("scores", "--where", "variables=3", path)
        self.assertIn("checkpoint best, variables=3\n", out)
        self.assertEqual(re.findall(r"(?m)^\| (rdn.*?) \|", out), ["rdn", "rdn (beta_max=2)"])

    def test_latex(self):
        out = self.stdout("scores", "--format", "latex", self.csv([eval_row(1, "bin0")]))
        self.assertIn("cell & parameters & state & bin0 sequence " + r"\\", out)
        self.assertIn("rdn & 321 & 64 & 100 " + r"\\", out)

    def test_errors(self):
        path = self.csv([eval_row(1, "bin0")])
        self.assert_fails(2, "--metrics accuracy: must be of sequence_accuracy, ", "scores",
                          "--metrics", "accuracy", path)
        self.assert_fails(2, "--splits length", "scores", "--splits", "length", path)
        self.assert_fails(1, "no rows with split 'bin1': found 'bin0'", "scores", "--splits",
                          "bin0,bin1", path)
        self.assert_fails(1, "bits, class_bits", "scores", "--metrics", "bits",
                          self.csv([], "old.csv", OLD_HEADER))


class Best(Folder):
    def sweep(self, *rows):
        return self.csv(rows, "sweep.csv", HEADER + ["lr", "d-model"])

    @staticmethod
    def row(lr, split, accuracy, loss, size=8, **changes):
        return eval_row(accuracy, split, loss=loss, **{"lr": lr, "d-model": size}, **changes)

    def chosen(self, *rows):
        """Rows of best.csv; the printed table must name the same settings."""
        out = self.stdout("best", "--settings", "lr,d-model", "--out", "best.csv",
                          self.sweep(*rows))
        lines = [line.split(",") for line in
                 (self.folder / "best.csv").read_text().splitlines()]
        found = [dict(zip(lines[0], line)) for line in lines[1:]]
        for row in found:
            self.assertIn(f"| {row['lr']} | {row['d-model']} | {row['tried']} |", out)
        return found

    def settings(self, *rows):
        return [(row["lr"], row["d-model"]) for row in self.chosen(*rows)]

    def test_test_data_have_no_say(self):
        # Whoever looks at bin1, bin2, test or length picks lr 0.01.
        for validation, tests in (("bin0", ("bin1", "bin2", "length")), ("valid", ("test",))):
            rows = [self.row("0.001", validation, 0.75, 0.5),
                    self.row("0.01", validation, 0.5, 0.75)]
            for split in tests:
                rows += [self.row("0.001", split, 0, 9), self.row("0.01", split, 1, 0)]
            for order in (rows, rows[::-1]):
                self.assertEqual(self.settings(*order), [("0.001", "8")])
                self.assertNotRegex((self.folder / "best.csv").read_text(), "bin1|bin2|test|length")
        path = self.sweep(self.row("0.01", "bin1", 1, 0), self.row("0.01", "test", 1, 0))
        self.assert_fails(1, "no rows of split valid or bin0", "best", "--settings", "lr", path)
        self.assert_fails(2, "--splits", "best", "--settings", "lr", "--splits", "bin1", path)

    def test_ties_are_broken_by_loss(self):
        self.assertEqual(self.settings(self.row("0.001", "bin0", 1, 0.25),
                                       self.row("0.001", "bin0", 1, 0.125, size=16),
                                       self.row("0.01", "bin0", 0.5, 0, size=16)),
                         [("0.001", "16")])

    def test_documents_are_compared_by_loss(self):
        self.assertEqual(self.settings(self.row("0.001", "valid", 0.5, 2, task="text"),
                                       self.row("0.01", "valid", 0, 1.5, task="text")),
                         [("0.01", "8")])

    def test_seeds_count_by_their_median_and_failures_as_nothing(self):
        found = self.chosen(*(self.row("0.001", "bin0", 0.75, 1, seed=seed) for seed in (1, 2, 3)),
                            self.row("0.01", "bin0", 1, 1, seed=1),
                            *(self.row("0.01", "bin0", 0, "", seed=seed, select="failed")
                              for seed in (2, 3)))
        self.assertEqual([(row["lr"], row["seeds"], row["tried"], row["sequence_accuracy"])
                          for row in found], [("0.001", "3", "2", "0.75")])

    def test_a_cell_of_which_every_run_failed_is_shown_as_such(self):
        found = self.chosen(self.row("0.001", "bin0", 1, 1), self.row(
            "0.001", "bin0", 0, "", cell="lstm", select="failed", parameters="", state_size=""))
        self.assertEqual([(row["cell"], row["sequence_accuracy"], row["loss"], row["parameters"])
                          for row in found], [("lstm", "0", "", ""), ("rdn", "1", "1", "321")])

    def test_each_cell_and_option_has_its_own_best(self):
        rows = [self.row(lr, "bin0", accuracy, 1, cell=cell, options=options)
                for cell, options, shares in (("rdn", "", (0, 1)), ("rdn", "beta_max=2", (1, 0)),
                                              ("lstm", "", (0.5, 0.25)))
                for lr, accuracy in zip(("0.001", "0.01"), shares)]
        self.assertEqual([(row["cell"], row["options"], row["lr"]) for row in self.chosen(*rows)],
                         [("lstm", "", "0.001"), ("rdn", "", "0.01"),
                          ("rdn", "beta_max=2", "0.001")])

    def test_errors(self):
        path = self.sweep(self.row("0.001", "bin0", 1, 1), self.row("0.001", "bin0", 0.5, 1))
        self.assert_fails(1, "two rows for", "best", "--settings", "lr,d-model", path)
        path = self.sweep(self.row("0.001", "bin0", 1, 1),
                          self.row("0.01", "bin0", 0.5, 1, data_hash="x"))
        self.assert_fails(1, "different strings", "best", "--settings", "lr,d-model", path)
        self.assert_fails(1, "missing column heads", "best", "--settings", "heads", path)


class Literature(Folder):
    def claims(self, *rows):
        path = self.folder / "claims.csv"
        path.write_text("cell,task,split,value,confidence,source\n" + "\n".join(rows) + "\n")
        return ["--literature", str(path)]

    def test_every_claim_of_the_repository_has_a_printable_tag(self):
        claims = report.read_literature(report.LITERATURE)
        self.assertEqual(len(claims), 26)
        self.assertEqual({claim["confidence"] for claim in claims}, {"secondary"})
        failed = {(claim["cell"], claim["task"], claim["split"]): claim["value"]
                  for claim in claims if claim["value"] != 100}
        self.assertEqual(failed, {("transformer", "parity", "bin0"): 46.4,
                                  ("transformer", "parity", "bin1"): 0})
        self.assertFalse({claim["task"] for claim in claims} - set(runs.TASKS))

    def test_verdicts(self):
        words = self.claims("rdn,parity,bin1,100,paper,here", "lstm,parity,bin1,46.4,paper,here",
                            "srwm,parity,bin1,100,paper,here", "gru,parity,bin1,100,paper,here")
        path = self.csv([eval_row(1, cell="rdn"), eval_row(0.5, cell="lstm"),
                         eval_row(0.98, cell="srwm"), eval_row(1, cell="gru", rule="honest"),
                         eval_row(1, cell="gru", protocol="honest"),
                         eval_row(1, cell="gru", options="a=1")])
        out = self.stdout("literature", *words, "--ours", path)
        found = {cell: self.entries(out, cell) for cell in ("rdn", "lstm", "srwm", "gru")}
        self.assertEqual({cell: (row["literature"], row["ours (paper protocol)"], row["verdict"])
                          for cell, row in found.items()},
                         {"rdn": ("100", "100 (1/1)", "agrees"),
                          "lstm": ("46.4", "50.0 (0/1)", "agrees"),
                          "srwm": ("100", "98.0 (0/1)", "differs"),
                          "gru": ("100", "-", "not comparable")})
        out = self.stdout("literature", *words, "--ours", path, "--protocol", "honest")
        self.assertEqual(self.entries(out, "gru")["verdict"], "agrees")
        self.assertEqual(self.entries(out, "rdn")["verdict"], "not comparable")

    def test_a_claim_may_have_conditions_on_ours(self):
        self.folder.joinpath("claims.csv").write_text(
            "cell,task,where,split,value,confidence,source\n"
            "rdn,parity,variables=3;window=2-50,bin1,100,secondary,here\n")
        rows = [eval_row(accuracy, options=options, window=window) for accuracy, options, window in (
            (1, "variables=3", "2-50"), (0.125, "variables=3", "2-9"), (0.25, "", "2-50"),
            (0.5, "beta_max=2;variables=3", "2-50"))]
        out = self.stdout("literature", "--literature", "claims.csv", "--ours",
                          self.csv(rows, header=HEADER + ["window"]))
        row = self.entries(out, "rdn", "parity (variables=3, window=2-50)")
        self.assertEqual((row["ours (paper protocol)"], row["verdict"]), ("100 (1/1)", "agrees"))
        out = self.stdout("literature", "--literature", "claims.csv", "--ours", self.csv(rows))
        self.assertEqual(self.entries(out, "rdn")["verdict"], "not comparable")

    def test_given_data_and_lengths_beside_do_no_harm(self):
        words = self.claims("rdn,parity,test,100,paper,here")
        path = self.csv([eval_row(0.75, "test", size_max="")] + [
            eval_row(1, "length", size_max=size) for size in (10, 20)])
        row = self.entries(self.stdout("literature", *words, "--ours", path), "rdn")
        self.assertEqual(row["ours (paper protocol)"], "75.0 (0/1)")

    def test_claims_of_other_experiments_have_printable_tags_too(self):
        for name, cells in (("code_execution", {"lstm", "linear", "deltanet", "delta_rnn"}),
                            ("listops", {"lstm", "rdn"})):
            claims = report.read_literature(report.LITERATURE.parents[1] / name / "literature.csv")
            self.assertEqual({claim["cell"] for claim in claims}, cells)
            self.assertEqual({(claim["task"], claim["split"], claim["confidence"])
                              for claim in claims}, {(name, "bin0", "secondary")})
            self.assertTrue(all("window=" in claim["where"] for claim in claims))

    def test_a_failed_run_of_ours_counts(self):
        words = self.claims("rdn,parity,bin1,100,paper,here")
        path = self.csv([eval_row(1), eval_row(0, seed=2, select="failed")])
        row = self.entries(self.stdout("literature", *words, "--ours", path), "rdn")
        self.assertEqual((row["ours (paper protocol)"], row["verdict"]), ("50.0 (1/2)", "differs"))

    def test_no_number_without_a_printable_tag(self):
        for tag in ("unconfirmed", "", "sure"):
            words = self.claims(f"rdn,parity,bin1,100,{tag},here")
            self.assert_fails(1, f"row 2: confidence `{tag}`", "literature", *words)
        self.assert_fails(1, "row 2: value", "literature",
                          *self.claims("rdn,parity,bin1,,paper,here"))


if __name__ == "__main__":
    unittest.main()

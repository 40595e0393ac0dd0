"""report.py table and literature: statistics, tables, claims of others beside ours."""

import unittest
from pathlib import Path

from support import HEADER, Folder, eval_row

import names
import printing
import report


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
    script = report

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


class Literature(Folder):
    script = report

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
        self.assertFalse({claim["task"] for claim in claims} - set(names.listed("task")))

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
            self.assert_fails(1, f"line 2: confidence `{tag}`", "literature", *words)
        self.assert_fails(1, "line 2: value", "literature",
                          *self.claims("rdn,parity,bin1,,paper,here"))


if __name__ == "__main__":
    unittest.main()

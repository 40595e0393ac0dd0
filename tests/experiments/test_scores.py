"""report.py scores and best: small tables, the choice among runs of a sweep."""

import re
import unittest

from support import HEADER, Folder, eval_row

import report
from columns import LATER

OLD_HEADER = [name for name in HEADER if name not in LATER]


class Scores(Folder):
    script = report

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
    script = report

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


if __name__ == "__main__":
    unittest.main()

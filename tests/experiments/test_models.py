"""What must not fall together: models, checkpoints, seeds. Tables and figures name it instead."""

import csv
import io
import unittest
import warnings
from unittest import mock

from support import HEADER, Folder, eval_row

import columns
import plot
import report

BIG = 2**64 - 1


def length_row(length, accuracy=1, **changes):
    sizes = dict.fromkeys(["size_min", "size_max", "length_min", "length_max"], length)
    return eval_row(accuracy, "length", **{**sizes, "data_hash": f"h{length}", **changes})


def train_row(seed, step, **changes):
    return dict.fromkeys(columns.TRAIN, 1) | {"task": "parity", "cell": "rdn", "seed": seed,
                                              "step": step} | changes


class Drawn(Folder):
    script = report

    def drawn(self, command, *words):
        """What a figure shows: the (number of seeds, median by x) of every curve, and stderr."""
        curves = []
        with mock.patch.object(plot.FIGURES[command], "draw_series", side_effect=lambda axes, values, *rest:
                               curves.append((values.shape[1], values.median(axis=1).to_dict()))):
            code, out, err = self.run_script(command, "--out", "a.svg", *words, script=plot)
        self.assertEqual((code, out), (0, ""), err)
        return curves, err


class Models(Drawn):
    def test_rows_of_two_steps_are_not_drawn_as_one_model(self):
        for lengths in ((3, 4), (5, 6)):  # the same lengths as the other model's, or others
            path = self.csv([length_row(length, step=500) for length in (3, 4)]
                            + [length_row(length, step=600) for length in lengths], "l.csv")
            self.assert_fails(1, "", "length", "--out", "a.svg", path, script=plot)
            err = self.run_script("length", "--out", "a.svg", path, script=plot)[2]
            self.assertRegex(err, r"two (rows|models) (for|of) parity paper/paper rdn seed 1.* step"
                             r" \(?500, 600.* in \S*/l.csv: ")
        self.assertFalse((self.folder / "a.svg").exists())

    def test_splits_of_two_models_do_not_stand_in_one_table(self):
        for changes, part in (({"step": 600}, "step 500, 600"),
                              ({"parameters": 322}, "parameters 321, 322")):
            path = self.csv([eval_row(1, "bin0"), eval_row(1, "bin1", **changes)])
            for words in (["table"], ["scores", "--splits", "bin0,bin1"]):
                self.assert_fails(1, f"two models of parity paper/paper rdn seed 1, with {part},"
                                  f" in {path}: choose with --where", *words, path)

    def test_seeds_of_two_sizes_are_not_averaged(self):
        path = self.csv([length_row(3), length_row(3, seed=2, parameters=999)])
        part = "two models of parity paper/paper rdn, with parameters 321, 999"
        self.assert_fails(1, part, "length", "--out", "a.svg", path, script=plot)
        path = self.csv([eval_row(1), eval_row(1, seed=2, parameters=999)])
        self.assert_fails(1, part, "table", "--splits", "bin1", path)
        self.assert_fails(1, part, "scores", "--splits", "bin1", path)
        path = self.csv([eval_row(1, seed=parameters, parameters=parameters, cell="lstm")
                         for parameters in (321, 999)])
        self.assert_fails(1, part.replace("rdn", "lstm"), "literature", "--ours", path)

    def test_settings_that_became_columns_tell_models_apart(self):
        for values, part in (((1e-2, 1e-3), "with lr 0.01, 0.001"), ((1e-3, 1e-3), None)):
            path = self.csv([eval_row(1, seed=seed, lr=lr) for seed, lr in enumerate(values)],
                            header=HEADER + ["lr"])
            words = "table", "--splits", "bin1", path
            if part:
                self.assert_fails(1, part, *words)
                self.assertIn("100 (1/1)", self.stdout(*words, "--where", "lr=1e-2"))
            else:
                self.assertIn("100 (2/2)", self.stdout(*words))

    def test_two_rows_of_one_set_say_what_tells_them_apart(self):
        path = self.csv([eval_row(1), eval_row(1, step=600, parameters=9)])
        self.assert_fails(1, "two rows for parity paper/paper rdn seed 1 bin1 that differ in"
                          " parameters (321, 9), step (500, 600), in", "table", "--splits", "bin1",
                          path)
        path = self.csv([eval_row(1), eval_row(0.5)])
        self.assert_fails(1, "two rows for parity paper/paper rdn seed 1 bin1, in", "table",
                          "--splits", "bin1", path)

    def test_training_curves_of_two_models_are_not_one_curve(self):
        one = self.csv([train_row(1, step) for step in (10, 20)], "one.csv", columns.TRAIN)
        two = self.csv([train_row(1, step) for step in (15, 25)], "two.csv", columns.TRAIN)
        self.assert_fails(1, "one.csv and", "train", "--out", "a.svg", one, two, script=plot)
        both = self.csv([train_row(1, step, lr=lr) for step, lr in ((10, 0.1), (15, 0.2))],
                        "both.csv", columns.TRAIN + ["lr"])
        self.assert_fails(1, "with lr 0.1, 0.2", "train", "--out", "a.svg", both, script=plot)

    def test_a_score_that_no_axis_holds_is_named(self):
        path = self.csv([length_row(3, 97.5)])
        self.assert_fails(1, "sequence_accuracy of parity paper/paper rdn seed 1 length 3 is 97.5:"
                          " it must be from 0 to 1", "length", "--out", "a.svg", path, script=plot)

    def test_a_choice_of_settings_is_among_models_that_differ_in_these_alone(self):
        rows = [eval_row(1, "bin0", lr=lr, heads=heads, seed=seed)
                for lr, heads, seed in ((0.1, 2, 1), (0.1, 4, 2))]
        path = self.csv(rows, header=HEADER + ["lr", "heads"])
        self.assert_fails(1, "with heads 2, 4", "best", "--settings", "lr", path)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            out = self.stdout("best", "--settings", "lr", "--where", "heads=4", path)
        self.assertIn("| parity | paper | rdn | 0.1 | 1 | 1 | bin0 | 100 |", out)


class Checkpoints(Drawn):
    def test_only_the_chosen_checkpoint_is_shown(self):
        rows = [length_row(3, accuracy, select=select, step=step) for select, step, accuracy in
                (("best", 500, 1), ("last", 600, 0.5), ("old.safetensors", 100, 0.25))]
        path = self.csv(rows)
        bins = self.csv([{**row, "split": "bin0"} for row in rows], "bins.csv")
        for select, median in (("best", 100), ("last", 50), ("old.safetensors", 25)):
            words = () if select == "best" else ("--select", select)
            self.assertEqual(self.drawn("length", *words, path), ([(1, {3: median})], ""))
            self.assertIn(f"bin0 sequence |\n| :-- | --: | --: | --: |\n| rdn | 321 | 64 |"
                          f" {median}", self.stdout("scores", *words, bins))
        self.assert_fails(1, "no rows with select 'first': found 'best', 'last', 'old.safetensors'",
                          "scores", "--select", "first", bins)

    def test_a_run_without_the_chosen_checkpoint_is_named(self):
        rows = [eval_row(1, "bin0"), eval_row(0.5, "bin0", seed=2, select="last"),
                eval_row(0, "bin0", seed=3, select="failed", step="")]
        path = self.csv(rows)
        said = "left out parity paper/paper rdn seed 2: measured with select 'last', not 'best'\n"
        for command in (["scores"], ["table", "--splits", "bin0"], ["best", "--settings", "step"]):
            code, out, err = self.run_script(*command, path)
            self.assertEqual((code, err), (0, f"report.py: {said}"))
            self.assertNotIn("50.0, ", out)
        curves, err = self.drawn("length", self.csv([{**row, "split": "length"} for row in rows],
                                                    "l.csv"))
        self.assertEqual((curves[0][0], err), (2, f"plot.py: {said}"))


class Seeds(Drawn):
    def test_seeds_of_64_bits_stay_apart_and_are_printed_whole(self):
        seeds = (BIG, BIG - 1, 20231234, 9)
        path = self.csv([eval_row(accuracy, "bin0", seed=seed)
                         for seed, accuracy in zip(seeds, (1, 0.5, 0.25, 0))])
        out = self.stdout("table", "--splits", "bin0", "--by-seed", path)
        self.assertIn(f"| task | cell | seed 9 | seed 20231234 | seed {BIG - 1} | seed {BIG} |",
                      out)
        self.assertIn("| parity | rdn | 0 | 25.0 | 50.0 | 100 |", out)
        out = self.stdout("scores", path)
        self.assertIn(f"(seeds 9, 20231234, {BIG - 1}, {BIG} one by one)", out)
        self.assertIn("37.5 (0, 25.0, 50.0, 100)", out)
        out = self.stdout("scores", "--where", f"seed={BIG}", path)
        self.assertIn(f"Seed {BIG};", out)
        self.assert_fails(1, "no rows with seed=1.8446744073709552e19: found", "scores", "--where",
                          "seed=1.8446744073709552e19", path)

    def test_two_large_seeds_are_two_curves(self):
        path = self.csv([length_row(3, seed=BIG), length_row(3, 0, seed=BIG - 1)])
        self.assertEqual(self.drawn("length", path), ([(2, {3: 50})], ""))
        path = self.csv([train_row(seed, 10, loss=loss) for seed, loss in ((BIG, 1), (BIG - 1, 3))],
                        "train.csv", columns.TRAIN)
        self.assertEqual(self.drawn("train", path), ([(2, {10: 2})], ""))

    def test_a_message_holds_the_whole_seed(self):
        path = self.csv([eval_row(1, seed=BIG), eval_row(1, seed=20231234, data_hash="x")])
        code, _, err = self.run_script("table", "--splits", "bin1", path)
        self.assertEqual(code, 1)
        self.assertIn(f"seed {BIG} of rdn", err)
        self.assertIn("seed 20231234 of rdn", err)

    def test_merged_rows_keep_and_sort_large_seeds(self):
        for seed in (BIG, BIG - 1, 9):
            self.run_folder(f"s{seed}", [eval_row(1, "bin0", seed=seed)], seed=seed)
        self.run_folder("failed", None, code=3, seed=BIG - 2)
        rows = list(csv.DictReader(io.StringIO(self.stdout("merge", "runs"))))
        self.assertEqual([row["seed"] for row in rows],
                         ["9", str(BIG - 2), str(BIG - 1), str(BIG)])

    def test_what_is_no_seed_is_named(self):
        for seed in ("1.84467E+19", "2.02E+07", "-1", str(2**64), "1.5", "", "nan", "0x10", "1_0",
                     "\N{ARABIC-INDIC DIGIT THREE}"):
            path = self.csv([eval_row(1, seed=seed)])
            self.assert_fails(1, f"line 2: seed `{seed}` is not a whole number from 0 to 2^64 - 1",
                              "table", "--splits", "bin1", path)
        self.assertIn("seed 7 |", self.stdout("table", "--splits", "bin1", "--by-seed", self.csv(
            [eval_row(1, seed="7.0")])))

    def test_a_run_without_a_seed_is_named(self):
        for seed in (None, "", 1.5, -1, BIG + 1, "x", 1.8446744073709552e19):
            folder = self.run_folder(f"s{seed}", [eval_row(1)], seed=seed)
            self.assert_fails(1, "meta.json: seed", "merge", str(folder))

    def test_large_counts_keep_every_digit(self):
        counts = {"parameters": 2**53 + 1, "state_size": 2**60 + 1, "sequences": 2**63 + 1,
                  "step": 10**6 + 1}
        path = self.csv([eval_row(1, "bin0", **counts),
                         eval_row(0, "bin0", seed=2, select="failed", step="", parameters="",
                                  state_size="", sequences="")])
        out = self.stdout("table", "--splits", "bin0", path)
        self.assertIn(f"| parity | rdn | {2**53 + 1} | {2**60 + 1} | {2**63 + 1} |", out)


if __name__ == "__main__":
    unittest.main()

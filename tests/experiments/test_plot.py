"""plot.py: figures, their determinism, and its errors. Run: python3 -m unittest discover -s HERE"""

import os
import re
import subprocess
import sys
import unittest
import warnings
from pathlib import Path
from unittest import mock

import support

import length_figure
import looks
import names
import page
import plot
import sheets
import training_figure

EVAL = ("task,rule,protocol,cell,options,parameters,state_size,seed,step,select,split,length_min,"
        "length_max,sequences,sequences_correct,tokens,tokens_correct,token_accuracy,"
        "sequence_accuracy,loss,chance,best_constant,position_majority,chance_sequence,"
        "best_constant_sequence,position_majority_sequence,data_hash")
NEW_EVAL = EVAL.replace("length_min", "size_min,size_max,length_min") \
    .replace(",loss,", ",answer_accuracy,loss,").replace(",data_hash", ",answer_constant,data_hash")
TRAIN = ("task,cell,seed,step,sequences,tokens,wall_s,learning_rate,loss,token_accuracy,"
         "sequence_accuracy,gradient_norm")


def eval_row(task, cell, seed, length, accuracy, options="", rule="paper", select="best"):
    return (f"{task},{rule},paper,{cell},{options},100,8,{seed},500,{select},length,{length},"
            f"{length},50,0,900,0,0.75,{accuracy},0.2,0.5,0.5,0.6,0.001,0,0.02,{task}{length}")


def sized_row(size, tokens, seed=1, cell="rdn", options="variables=3", answer=0.25, **changes):
    plain = eval_row("listops", cell, seed, tokens, 0.5, options)
    facts = dict(zip(EVAL.split(","), plain.split(",")))
    facts |= {"size_min": size, "size_max": size, "answer_accuracy": answer,
              "answer_constant": 0.125, **changes}
    return ",".join(str(facts[name]) for name in NEW_EVAL.split(","))


def train_row(task, cell, seed, step, loss):
    return f"{task},{cell},{seed},{step},{step * 8},{step * 80},{step / 7},0.001,{loss},0.5,0.25,1"


class Folder(support.Folder):
    script = plot

    def csv(self, name, header, rows):
        path = self.folder / name
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return str(path)

    def lengths(self, name="eval.csv", **options):
        return self.csv(name, EVAL, [eval_row(task, cell, seed, length, accuracy, **options)
                                     for task in ("parity", "dyck1") for cell in ("lstm", "rdn")
                                     for seed in (1, 2, 3)
                                     for length, accuracy in ((7, 1), (50, 1 / seed), (90, 0))])

    def training(self):
        return self.csv("train.csv", TRAIN, [train_row("parity", "rdn", seed, step, 2 / step)
                                             for seed in (1, 2) for step in range(1, 40 + seed)])

    def plot(self, *words):
        return self.run_script(*words)


class Figures(Folder):
    def assert_same_bytes(self, kinds, command, *words):
        """Two processes with other hash seeds: the order of a Python set must not show."""
        for kind, magic in kinds.items():
            files = []
            for seed in "12":
                files.append(self.folder / f"{seed}.{kind}")
                done = subprocess.run(
                    [sys.executable, support.EXPERIMENTS / "plot.py", command, "--out", files[-1],
                     *words],
                    env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=False)
                self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
            one, two = (path.read_bytes() for path in files)
            self.assertTrue(one.startswith(magic))
            self.assertGreater(len(one), 2000)
            self.assertEqual(one, two)

    def test_length_figures_are_the_same_bytes_every_time(self):
        self.assert_same_bytes({"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}, "length",
                               "--train-length", "50", self.lengths())

    def test_training_figures_are_the_same_bytes_every_time(self):
        self.assert_same_bytes({"svg": b"<?xml"}, "train", "--against", "wall", self.training())

    def test_order_of_rows_does_not_change_a_figure(self):
        path = Path(self.lengths())
        header, *rows = path.read_text().splitlines()
        other = self.csv("other.csv", header, rows[::-1])
        for name in (str(path), other):
            self.plot("length", "--out", f"{name}.svg", name)
        self.assertEqual(Path(f"{path}.svg").read_bytes(), Path(f"{other}.svg").read_bytes())

    def test_a_figure_follows_its_data(self):
        path = Path(self.lengths())
        self.plot("length", "--out", "one.svg", str(path))
        path.write_text(path.read_text().replace(",0.75,0,", ",0.75,0.5,"))
        self.plot("length", "--out", "two.svg", str(path))
        self.assertNotEqual((self.folder / "one.svg").read_bytes(),
                            (self.folder / "two.svg").read_bytes())

    def test_training_length_of_one_task_adds_one_line(self):
        counts = []
        for words in ([], ["--train-length", "dyck1=50"], ["--train-length", "50"]):
            self.plot("length", "--out", "a.svg", *words, self.lengths())
            counts.append(len(re.findall("stroke-dasharray: 2.4,1.6",
                                         (self.folder / "a.svg").read_text())))
        self.assertEqual(counts, [0, 1, 2])

    def drawn(self, *words):
        """What `draw_series` got: (x, y) of the median of every curve, in order."""
        curves = []
        with mock.patch.object(length_figure, "draw_series", side_effect=lambda axes, values, *rest:
                               curves.append(values.median(axis=1).to_dict())):
            self.assertEqual(self.plot("length", "--out", "a.svg", *words), (0, "", ""))
        return curves

    def test_the_x_axis_is_tokens_or_the_size_that_was_asked_for(self):
        path = self.csv("a.csv", NEW_EVAL, [sized_row(3, 40), sized_row(4, 55)])
        self.assertEqual(self.drawn(path), [{40: 50, 55: 50}])
        self.assertEqual(self.drawn("--x", "size", path), [{3: 50, 4: 50}])

    def test_answers_have_their_own_accuracy_and_baseline(self):
        path = self.csv("a.csv", NEW_EVAL, [sized_row(3, 40, answer=0.75)])
        with mock.patch.object(length_figure, "draw_reference") as reference:
            self.assertEqual(self.drawn("--metric", "answer", path), [{40: 75}])
        (_, rows, x, column, _), = (call.args for call in reference.call_args_list)
        self.assertEqual((x, column, rows[column].tolist()), ("length_max", "trivial", [0.125]))

    def test_rows_of_other_splits_do_not_clash_with_those_of_a_size(self):
        path = self.csv("a.csv", NEW_EVAL, [sized_row(4, 40)] + [
            sized_row(4, 40, split=split, answer=0.5) for split in ("bin0", "valid")])
        self.assertEqual(self.drawn("--x", "size", "--metric", "answer", path), [{4: 25}])

    def test_sizes_of_equal_length_need_the_size_as_x(self):
        path = self.csv("a.csv", NEW_EVAL, [sized_row(3, 40), sized_row(4, 40)])
        self.assert_fails(2, "strings of two sizes have up to 40 tokens: draw them with --x size",
                          "length", "--out", "a.svg", path)
        self.assertEqual(self.drawn("--x", "size", path), [{3: 50, 4: 50}])
        self.assert_fails(1, "--x size: some rows have no size_max", "length", "--out", "a.svg",
                          "--x", "size", self.lengths("old.csv"))

    def test_options_that_all_rows_share_stand_in_the_caption(self):
        rows = [sized_row(3, 40, cell=cell, options=options) for cell, options in (
            ("rdn", "variables=3"), ("transformer", "positions=rotary;variables=3"))]
        with mock.patch.object(length_figure.Page, "finish") as finish:
            self.plot("length", "--out", "a.svg", self.csv("a.csv", NEW_EVAL, rows))
        handles, _, caption = finish.call_args.args
        self.assertEqual([handle.get_label() for handle in handles],
                         ["transformer (positions=rotary)", "rdn"])
        self.assertEqual(caption, "One seed. All with variables=3.")

    def test_where_chooses_by_option_or_column(self):
        path = self.csv("a.csv", NEW_EVAL + ",window,lr", [
            sized_row(3, 40, options=options, answer=answer) + f",{window},{lr}"
            for options, window, lr, answer in (("variables=3", "1-9", "0.001", 0.25),
                                                ("variables=3", "1-9", "0.01", 0.5),
                                                ("variables=30", "2-5", "0.001", 0.75))])
        metric = ("--metric", "answer")
        self.assert_fails(1, "give each run once, or choose with --where", "length", "--out",
                          "a.svg", path)
        self.assertEqual(self.drawn(*metric, "--where", "variables=30", path), [{40: 75}])
        self.assertEqual(self.drawn(*metric, "--where", "window=1-9", "--where", "lr=1e-2", path),
                         [{40: 50}])
        self.assert_fails(1, "no rows with window=1-8: found '1-9', '2-5'", "length", "--out",
                          "a.svg", "--where", "window=1-8", path)
        self.assert_fails(2, "window: a condition must be NAME=VALUE", "length", "--out", "a.svg",
                          "--where", "window", path)

    def test_pdfs_carry_truetype_fonts(self):
        for words in (["length", self.lengths()], ["train", self.training()]):
            self.plot(words[0], "--out", "a.pdf", words[1])
            data = (self.folder / "a.pdf").read_bytes()
            self.assertNotIn(b"/Type3", data)
            self.assertIn(b"/CIDFontType2", data)

    def pages(self, *words):
        """The one panel of a figure, which must come without a warning."""
        pages = []
        with mock.patch.object(page.Page, "save", autospec=True,
                               side_effect=lambda page, *_: pages.append(page)), \
                warnings.catch_warnings():
            warnings.simplefilter("error")
            self.assertEqual(self.plot(*words), (0, "", ""))
            axes, = pages[0].axes.values()
            pages[0].figure.canvas.draw()
        return axes

    def test_a_figure_of_one_point_shows_its_baselines(self):
        row = eval_row("parity", "rdn", 1, 5, 0.5)
        axes = self.pages("length", "--metric", "token", "--out", "a.svg",
                          self.csv("a.csv", EVAL, [row]))
        lines = [line.get_xydata().tolist() for line in axes.lines
                 if line.get_color() == looks.GREY]
        self.assertEqual(lines, [[[4, 50], [6, 50]], [[4, 60], [6, 60]]])
        self.assertLess(axes.get_xlim()[0], 4)
        self.assertGreater(axes.get_xlim()[1], 6)
        axes = self.pages("length", "--x", "size", "--out", "a.svg",
                          self.csv("b.csv", NEW_EVAL, [sized_row(0, 1)]))
        self.assertEqual([line.get_xdata().tolist() for line in axes.lines
                          if line.get_color() == looks.GREY], 2 * [[-0.2, 0.2]])

    def test_training_curves_of_one_point_are_drawn(self):
        axes = self.pages("train", "--out", "a.svg",
                          self.csv("a.csv", TRAIN, [train_row("parity", "rdn", 1, 10, 0.5)]))
        self.assertEqual(axes.lines[-1].get_marker(), looks.look("rdn")[2])
        self.assertEqual(axes.lines[-1].get_xydata().tolist(), [[10, 0.5]])

    def test_names_are_no_formulas(self):
        path = self.csv("a.csv", EVAL, [eval_row("$\\a$", "$_x$", 1, 5, 0.5, options=options)
                                        for options in ("$\\b$", "c=$1")])
        self.assertEqual(self.plot("length", "--out", "a.svg", "--x-label", "$\\frac$", path),
                         (0, "", ""))

    def test_nothing_is_left_beside_the_figure(self):
        self.plot("length", "--out", "a.png", self.lengths())
        self.assertEqual({path.name for path in self.folder.iterdir()}, {"a.png", "eval.csv"})
        (self.folder / "b.png").mkdir()
        self.assert_fails(1, "b.png: is a directory", "length", "--out", "b.png", self.lengths())
        self.assertEqual({path.name for path in self.folder.iterdir()},
                         {"a.png", "b.png", "eval.csv"})


class Looks(unittest.TestCase):
    def test_every_named_cell_has_its_own_look(self):
        self.assertLessEqual(set(names.listed("cell")), set(looks.LOOKS))
        every = list(looks.LOOKS.values())
        self.assertEqual(len({colour for colour, _, _ in every}), len(every))
        self.assertEqual(len({marker for _, _, marker in every}), len(every))

    def test_the_look_of_a_new_cell_depends_on_its_name_alone(self):
        alone = looks.looks_of([("mamba2", "")])
        together = looks.looks_of([("lstm", ""), ("gla", ""), ("mamba2", ""), ("zeta", "")])
        self.assertEqual(alone[("mamba2", "")], together[("mamba2", "")])
        self.assertEqual(looks.look("mamba2"), ("#6A4C93", looks.DASH_DOT, "X"))

    def test_options_keep_the_colour_and_change_line_and_marker(self):
        variants = looks.looks_of([("deltanet", ""), ("deltanet", "beta_max=2")])
        plain, other = variants[("deltanet", "")], variants[("deltanet", "beta_max=2")]
        self.assertEqual(plain, looks.look("deltanet"))
        self.assertEqual(plain[0], other[0])
        self.assertNotEqual(plain[1], other[1])
        self.assertNotEqual(plain[2], other[2])
        many = looks.looks_of([("deltanet", f"option={number}") for number in range(12)])
        self.assertEqual(len(set(many.values())), 12)

    def test_a_legend_reads_along_its_rows(self):
        # matplotlib puts a, b into the first column, c, d into the second, e into the third
        self.assertEqual(page.by_rows(list("12345"), 3), list("14253"))


class Curves(Folder):
    def test_a_seed_that_stopped_keeps_its_last_value(self):
        path = self.csv("train.csv", TRAIN, [train_row("parity", "rdn", 1, 10, 0.5),
                                             train_row("parity", "rdn", 1, 20, 0.25),
                                             train_row("parity", "rdn", 2, 10, 0.75)])
        rows = sheets.read_frame([path], [])
        curves = training_figure.training_curves(rows, "step", "loss")
        self.assertEqual(curves.to_numpy().tolist(), [[0.5, 0.75], [0.25, 0.75]])

    def test_thinning_averages_neighbours_and_keeps_seeds_aligned(self):
        steps = 2 * training_figure.MOST_POINTS
        rows = [train_row("parity", "rdn", seed, step, step)
                for seed, last in ((1, steps), (2, 5)) for step in range(1, last + 1)]
        frame = sheets.read_frame([self.csv("train.csv", TRAIN, rows)], [],
                                  optional=["rule", "protocol", "options"])
        thin, width = training_figure.thin_out(frame.astype({"step": float}), ["loss"])
        self.assertEqual(width, 2)
        first, second = (thin[thin["seed"] == seed] for seed in "12")
        self.assertEqual(first["loss"].tolist()[:3], [1.5, 3.5, 5.5])
        self.assertEqual(second["loss"].tolist(), [1.5, 3.5, 5.0])
        self.assertEqual(first["step"].tolist()[:3], second["step"].tolist())
        self.assertEqual(len(first), training_figure.MOST_POINTS)

    def test_missing_and_infinite_values_are_left_out(self):
        losses = {1: ["", 0.5, 0.25, "inf"], 2: ["", 0.75, "nan", "nan"]}
        rows = [train_row("parity", "rdn", seed, step, loss) for seed in losses
                for step, loss in enumerate(losses[seed], start=1)]
        path = self.csv("train.csv", TRAIN, rows)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            self.assertEqual(self.plot("train", "--out", "a.svg", path), (0, "", ""))
        self.csv("none.csv", TRAIN, [train_row("parity", "rdn", 1, 1, "nan")])
        self.assert_fails(1, "none.csv: no finite value of loss", "train", "--out", "a.svg",
                          "none.csv")

    def test_svg_coordinates_are_shortened_in_paths_only(self):
        self.assertEqual(page.shorter('<a d="M 1.23456 7" t="scale(0.015625)"/>'),
                         '<a d="M 1.23 7" t="scale(0.015625)"/>')


class Errors(Folder):
    def test_usage_errors_have_code_2(self):
        path = self.lengths()
        self.assert_fails(2, "COMMAND")
        self.assert_fails(2, "--out", "length", path)
        self.assert_fails(2, ".svg, .png or .pdf", "length", "--out", "a.gif", path)
        self.assert_fails(2, "'foo'", "length", "--out", "a.svg", "--metric", "foo", path)
        self.assert_fails(2, "--train-length x", "length", "--out", "a.svg", "--train-length",
                          "x", path)
        self.assert_fails(2, "--train-length anbn=3", "length", "--out", "a.svg",
                          "--train-length", "anbn=3", path)
        self.assert_fails(2, "--columns 0", "length", "--out", "a.svg", "--columns", "0", path)

    def test_a_missing_column_is_named_with_its_file(self):
        path = self.csv("old.csv", EVAL.replace("sequence_accuracy,", ""), [])
        self.assert_fails(1, "old.csv: missing column sequence_accuracy:", "length", "--out",
                          "a.svg", self.lengths(), path)
        self.assert_fails(1, "train.csv: missing columns rule, protocol", "length", "--out",
                          "a.svg", self.training())

    def test_unreadable_files_have_code_1(self):
        (self.folder / "noise.csv").write_bytes(b"\xff\xfe\x00\x81")
        self.assert_fails(1, "noise.csv: not a text file", "length", "--out", "a.svg", "noise.csv")
        self.assert_fails(1, "none.csv: no such file", "length", "--out", "a.svg", "none.csv")
        self.csv("short.csv", TRAIN, ["parity,rdn,1"])
        self.assert_fails(1, "short.csv: line 2 has 3 fields, the header 12", "train", "--out",
                          "a.svg", "short.csv")
        self.csv("word.csv", TRAIN, [train_row("parity", "rdn", 1, 10, "low")])
        self.assert_fails(1, "word.csv: line 2: loss `low` is not a number", "train", "--out",
                          "a.svg", "word.csv")
        self.assert_fails(1, "no/a.svg: no such file or directory", "length", "--out", "no/a.svg",
                          self.lengths())

    def test_mixed_up_runs_are_refused(self):
        paper, honest = self.lengths("paper.csv"), self.lengths("honest.csv", rule="honest")
        self.assert_fails(1, "paper.csv: give each run once", "length", "--out", "a.svg", paper,
                          paper)
        self.assert_fails(2, "choose with --rule", "length", "--out", "a.svg", paper, honest)
        self.assertEqual(self.plot("length", "--out", "a.svg", "--rule", "honest", paper, honest),
                         (0, "", ""))

    def test_what_is_not_there_is_said(self):
        path = self.lengths()
        self.assert_fails(1, "no rows with cell 'gru': found lstm, rdn", "length", "--out",
                          "a.svg", "--cells", "gru", path)
        self.assert_fails(1, "no rows with select 'last': found 'best'", "length", "--out",
                          "a.svg", "--select", "last", path)
        bins = self.csv("bins.csv", EVAL, [eval_row("parity", "rdn", 1, 50, 1)
                                           .replace(",length,", ",bin1,")])
        self.assert_fails(1, "no rows of split `length`", "length", "--out", "a.svg", bins)

    def test_help_teaches_with_examples(self):
        for words in (["--help"], ["length", "--help"], ["train", "--help"]):
            code, out, err = self.plot(*words)
            self.assertEqual((code, err), (0, ""))
            self.assertIn("examples:\n  ", out)


if __name__ == "__main__":
    unittest.main()

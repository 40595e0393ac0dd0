"""block_recurrent.py and plot.py positions: one row per run under the name of its arm, the rate chosen on validation data,
every part of the claim held and not held; and the script from data to figure with tiny models."""

import csv
import os
import shlex
import subprocess
import unittest
from pathlib import Path
from unittest import mock

import support
from support import ROOT, eval_row

import block_recurrent
import plot
import positions_figure

PROGRAM = Path(os.environ.get("RLT_PROGRAM", ROOT / "build" / "release" / "rlt"))

# In place of the program: tiny models, few steps, few documents.
TINY = """\
#!/bin/sh
sizes="--d-model 8 --heads 2"
case "$1 $*" in
  train*entity_recall*) exec "$PROGRAM" "$@" $sizes --task-option documents=5 --steps 2 --warmup 1 --eval-every 2 ;;
  train*) exec "$PROGRAM" "$@" $sizes --steps 2 --warmup 1 --eval-every 2 ;;
  bench*) exec "$PROGRAM" "$@" $sizes --repeats 1 ;;
  *) exec "$PROGRAM" "$@" ;;
esac
"""

# cell, cell-option, layers, segment of each arm
ARMS = {"XL:128": ("transformer_xl", "window=128", 4, 128), "XL:16": ("transformer_xl", "window=16", 4, 16),
        "Slide:4L": ("sliding_window", "window=16", 4, 128), "Slide:5L": ("sliding_window", "window=16", 5, 128),
        "Rec:fixed:skip": ("block_recurrent", "window=16,gate=fixed,configuration=skip", 4, 128),
        "Rec:fixed:skip:cleared": ("block_recurrent", "window=16,gate=fixed,configuration=skip,clear_state=on", 4, 128),
        "Rec:lstm:dual:one_block": ("block_recurrent", "window=16,gate=lstm,configuration=dual", 4, 16)}


class Folder(support.Folder):
    script = block_recurrent

    def run_of(self, arm, test, seed=1, lr="0.01", valid=None, task="text", code=0, beyond=0.0625):
        cell, options, layers, segment = ARMS[arm]
        name = f"{task}/{arm.replace(':', '-')}/{lr}/{seed}"
        identity = dict(task=task, rule="honest", protocol="honest", cell=cell, seed=seed, options="")
        config = {"lr": lr, "cell": f'"{cell}"', "cell-option": f'"{options}"', "layers": layers, "segment": segment}
        folder = self.run_folder(name, None, code=code, config=config, **identity)
        if test is not None:
            row = dict(**identity, state_size=2**10 if arm.startswith("Rec") else 2**9)
            rows = [eval_row(0, split, **row, bits=2 * bits, bits_per_byte=bits if task == "text" else "")
                    for split, bits in (("valid", test if valid is None else valid), ("test", test))]
            if task == "text":
                rows += [eval_row(0, "test_positions", **row, bits=bits, size_min=low, size_max=high)
                         for low, high, bits in ((1, 128, test + 1), (129, 256, test))]
            else:
                rows += [eval_row(0, part, **row, token_accuracy=beyond, best_constant=0.07)
                         for part in block_recurrent.PARTS]
            (folder / "measured.csv").write_text(support.text(support.HEADER, rows))
        return folder

    def bench_of(self, arm, *times):
        folder = self.folder / "runs" / "bench"
        folder.mkdir(parents=True, exist_ok=True)
        for number, time in enumerate(times, start=1):
            (folder / f"{arm.replace(':', '-')}.{number}.csv").write_text(
                "batch,length,step_ms,step_min_ms,forward_ms,gflops,processor\n"
                f"8,128,{1.25 * time},{time},{time / 3},1.6,some\n")

    def merged(self):
        (self.folder / "out").mkdir(exist_ok=True)
        code, _, self.err = self.run_script("merge", "runs", "--out", "out")
        self.assertEqual(code, 0, self.err)
        return self.rows("results")

    def rows(self, name):
        with open(self.folder / "out" / f"{name}.csv", newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def verdicts(self):
        """The words of the last column, and the numbers, claim by claim."""
        self.merged()
        lines = [line.strip("| ").split(" | ") for line in self.stdout("scores", "out").splitlines()]
        start = next(index for index, line in enumerate(lines) if line[0].startswith("claim of"))
        return [line[-1] for line in lines[start + 2:]], [line[1] for line in lines[start + 2:]]

    def seeds(self, arm, *bits, **changes):
        for seed, value in enumerate(bits, start=1):
            self.run_of(arm, value, seed=seed, **changes)


class Merge(Folder):
    def test_an_arm_is_known_by_what_was_trained(self):
        for arm in ARMS:
            self.run_of(arm, 2)
        rows = self.merged()
        self.assertEqual(self.err, "")
        self.assertEqual([row["arm"] for row in rows], ["XL:16", "XL:128", "Slide:4L", "Slide:5L", "Rec:fixed:skip",
                                                        "Rec:fixed:skip:cleared", "Rec:lstm:dual:one_block"])
        expected = {"segment": "16", "window": "16", "layers": "4", "state_size": "1024", "test_bits": "2", "failed": "False"}
        self.assertEqual({name: rows[-1][name].removesuffix(".0") for name in expected}, expected)

    def test_the_rate_is_chosen_on_validation_data_and_a_failure_counts_as_bits_without_end(self):
        self.run_of("Slide:4L", 2.5, valid=2.0, lr="0.01")
        self.run_of("Slide:4L", 2.5, valid=2.0, lr="0.01", seed=2)
        self.run_of("Slide:4L", 1.0, valid=2.1, lr="0.03")  # fewer on the test
        self.run_of("Slide:4L", 1.0, valid=2.1, lr="0.03", seed=2)
        self.run_of("Slide:4L", 1.0, valid=1.0, lr="0.1")
        self.run_of("Slide:4L", None, code=3, lr="0.1", seed=2)
        self.run_of("Slide:5L", 3, lr="0.03")  # chooses for itself
        found = {(row["arm"], row["lr"]) for row in self.merged() if row["chosen"] == "True"}
        self.assertEqual(found, {("Slide:4L", "0.01"), ("Slide:5L", "0.03")})

    def test_rates_are_compared_on_the_seeds_that_all_have(self):
        self.run_of("Slide:4L", 2.0, lr="0.01")
        self.run_of("Slide:4L", 3.0, lr="0.01", seed=2)  # a harder seed, of one rate alone
        self.run_of("Slide:4L", 2.25, lr="0.03")
        self.assertEqual({row["lr"] for row in self.merged() if row["chosen"] == "True"}, {"0.01"})

    def test_what_was_merged_before_stays_when_asked_for(self):
        self.run_of("Slide:4L", 2.5, lr="0.01")
        self.run_of("Slide:4L", 2.25, lr="0.03")
        self.run_of("Rec:fixed:skip", 2, task="entity_recall")
        self.bench_of("Slide:4L", 100)
        self.merged()
        before = {name: self.rows(name) for name in ("results", "positions", "bench")}
        (self.folder / "runs").rename(self.folder / "gone")
        self.run_of("Slide:4L", 2.0, valid=1.9, lr="0.01")  # anew, and better now
        self.bench_of("Slide:5L", 200)
        self.assertEqual(self.run_script("merge", "runs", "--out", "out", "--add")[0], 0)
        self.assertEqual([(row["task"], row["lr"], row["valid_bits"], row["chosen"]) for row in self.rows("results")],
                         [("entity_recall", "0.01", "4.0", "True"), ("text", "0.01", "1.9", "True"),
                          ("text", "0.03", "2.25", "False")])
        self.assertEqual({(row["lr"], row["bits"]) for row in self.rows("positions")}, {("0.01", "3.0"), ("0.01", "2.0")})
        self.assertEqual([row["arm"] for row in self.rows("bench")], ["Slide:4L", "Slide:5L"])
        self.assertEqual(self.rows("bench")[0], before["bench"][0])

    def test_positions_are_of_the_chosen_rate_alone(self):
        self.run_of("Slide:4L", 2.5, lr="0.01")
        self.run_of("Slide:4L", 2.25, lr="0.03")
        self.run_of("Rec:fixed:skip", 2, task="entity_recall")
        self.merged()
        self.assertEqual([(row["arm"], row["lr"], row["size_min"], row["size_max"], row["bits"])
                          for row in self.rows("positions")],
                         [("Slide:4L", "0.03", "1", "128", "3.25"), ("Slide:4L", "0.03", "129", "256", "2.25")])

    def test_multiply_adds_are_of_one_token(self):
        self.run_of("Slide:4L", 2.5)
        self.bench_of("Slide:4L", 100, 300, 200)
        self.merged()
        # 1.6 thousand million operations per second, two of them a multiply-add, over 8 x 128 tokens
        self.assertEqual([row["multiply_adds_per_token"] for row in self.rows("bench")], ["97656", "292969", "195312"])

    def test_what_was_not_measured_is_told(self):
        (self.run_of("Slide:4L", 2) / "measured.csv").unlink()
        self.assertEqual(self.merged()[0]["test_bits"], "")
        self.assertIn("no measured.csv in", self.err)
        self.assert_fails(1, "none", "merge", "none", "--out", "out")
        self.assert_fails(1, "results.csv", "scores", "none")


class Claim(Folder):
    def text(self, rec=(2.0, 2.1), long=(2.5, 2.4), slide=(2.4, 2.4), cleared=(2.3, 2.3), narrow=(2.8, 2.8)):
        for arm, bits in (("Rec:fixed:skip", rec), ("XL:128", long), ("XL:16", (2.9, 2.9)), ("Slide:5L", slide),
                          ("Slide:4L", narrow), ("Rec:fixed:skip:cleared", cleared)):
            self.seeds(arm, *bits)

    def recall(self, rec=(0.5, 0.6), slide=(0.06, 0.07), long=(0.9, 0.9)):
        for arm, shares in (("Rec:fixed:skip", rec), ("Slide:5L", slide), ("XL:128", long)):
            for seed, share in enumerate(shares, start=1):
                self.run_of(arm, 3, seed=seed, task="entity_recall", beyond=share)

    def test_every_part_holds(self):
        self.text()
        self.recall()  # XL:128 reaches 512 > 128 and is not asked
        self.bench_of("Rec:fixed:skip", 100)
        self.bench_of("XL:128", 180)
        words, numbers = self.verdicts()
        self.assertEqual(words, ["holds"] * 6)
        self.assertEqual(numbers[0], "2.0500 ± 0.0500 against 2.4500 ± 0.0500: fewer by 0.4000 ± 0.0707")
        self.assertEqual(numbers[1], "180.0 against 100.0 ms: 1.80 times as long, with 1.80 times the multiply-adds")
        self.assertIn("fewer by 0.7500", numbers[2])  # than Slide:4L
        self.assertIn("fewer by 0.3500", numbers[3])
        self.assertEqual(numbers[4], "0.2500 of 0.3500 lost (71 %)")
        self.assertIn("Rec:fixed:skip 55.0 ± 5.0 %, Slide:5L 6.5 ± 0.5 %; the best single answer 7.0 %", numbers[5])

    def test_no_part_holds(self):
        self.text(rec=(2.3, 2.5), long=(2.4, 2.6), slide=(2.5, 2.5), cleared=(2.44, 2.44), narrow=(2.4, 2.4))
        self.recall(slide=(0.2, 0.2))  # so does a window alone
        self.bench_of("Rec:fixed:skip", 100)
        self.bench_of("XL:128", 179)
        self.assertEqual(self.verdicts()[0], ["does not hold"] * 6)

    def test_where_nothing_is_gained_nothing_is_lost(self):
        self.text(rec=(2.5, 2.5))
        self.assertIn("no gain to lose: -0.1000", self.verdicts()[1][4])
        self.assertEqual(self.verdicts()[0][4], "does not hold")

    def test_recall_by_the_best_single_answer_is_none(self):
        self.text()
        self.recall(rec=(0.07, 0.07))
        self.assertEqual(self.verdicts()[0][5], "does not hold")

    def test_what_is_not_there_was_not_measured(self):
        self.run_of("Rec:fixed:skip", 2)
        words, numbers = self.verdicts()
        self.assertEqual(words, ["not measured"] * 5)
        self.seeds("XL:128", 3)
        self.assertEqual(self.verdicts(), (words, numbers))  # one seed has no standard error

    def test_the_table_of_arms(self):
        self.text()
        self.run_of("XL:16", None, code=3, seed=3)
        self.bench_of("Rec:fixed:skip", 100, 300, 200)
        self.bench_of("Slide:4L", 50)
        self.merged()
        out = self.stdout("scores", "out")
        self.assertIn("| Rec:fixed:skip | 0.01 | 128 | 321 | 1024 | 2.0500 ± 0.0500 | 2.0000, 2.1000 | 100.0 | 1.00 | 97,656 |", out)
        self.assertIn("| Slide:4L | 0.01 | 128 | 321 | 512 | 2.8000 ± 0.0000 | 2.8000, 2.8000 | 50.0 | 0.50 | 48,828 |", out)
        self.assertIn("| XL:16 | 0.01 | 16 | 321 | 512 | 2.9000 ± 0.0000 | 2.9000, 2.9000, failed | - | - | - |", out)


class Figure(Folder):
    def test_one_line_per_arm_and_the_same_bytes(self):
        for arm in ("XL:16", "XL:128", "Slide:5L", "Rec:fixed:skip", "Rec:lstm:dual:one_block"):
            self.seeds(arm, 2.5, 2.25)
        self.merged()
        pages = []

        class Kept(positions_figure.Page):
            def save(self, out, inputs):
                pages.append(self)
                super().save(out, inputs)

        with mock.patch.object(positions_figure, "Page", Kept):
            for name in ("one.svg", "two.svg"):
                code, _, err = self.run_script("positions", "--out", name, "out/positions.csv", script=plot)
                self.assertEqual((code, err), (0, ""))
        self.assertEqual((self.folder / "one.svg").read_bytes(), (self.folder / "two.svg").read_bytes())
        self.assertEqual([text.get_text() for text in pages[0].figure.legends[0].get_texts()],
                         ["XL:16", "Rec:fixed:skip", "XL:128", "Rec:lstm:dual:one_block", "Slide:5L"])  # by columns
        lines = {}
        for title, axes in pages[0].axes.items():
            self.assertEqual(axes.get_xscale(), "log")
            lines[title] = [line for line in axes.lines if line.get_xydata().tolist() == [[128, 3.375], [256, 2.375]]
                            and line.get_linestyle() != "None"]
        self.assertEqual({title: len(medians) for title, medians in lines.items()},
                         {"text": 4, "text: gates and configurations": 2})
        self.assert_fails(1, "missing column", "positions", "--out", "x.svg", self.csv([eval_row(1)]), script=plot)


@unittest.skipUnless(PROGRAM.exists(), f"{PROGRAM} is not built")
class Script(Folder):
    def setUp(self):
        super().setUp()
        (self.folder / "rlt").write_text(TINY)
        (self.folder / "rlt").chmod(0o755)

    def script_run(self, **environment):
        names = {"PATH": os.environ["PATH"], "PROGRAM": str(PROGRAM), "RLT_PROGRAM": str(self.folder / "rlt"),
                 "RUNS": str(self.folder / "runs"), "OUT": str(self.folder / "out"), "DATA": str(self.folder / "data"),
                 "JOBS": "2", "SEEDS": "1 2", "LRS": "0.01 0.03", "ROUNDS": "1", "SIZES": "70000 65536 65536"}
        return subprocess.run([ROOT / "experiments" / "block_recurrent.sh"], capture_output=True, text=True,
                              env=names | environment, check=False)

    def test_from_data_to_the_figure_and_on(self):
        chosen = {"ARMS": "Slide:4L Rec:fixed:skip Rec:fixed:skip:cleared XL:32"}
        done = self.script_run(**chosen)
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = self.rows("results")
        # of each task and arm the first seed at two learning rates, the second at the better one
        self.assertEqual(len(rows), 2 * 4 * 3)
        for task in ("text", "entity_recall"):
            for arm in chosen["ARMS"].split():
                own = [row for row in rows if (row["task"], row["arm"]) == (task, arm)]
                self.assertEqual(sorted(row["seed"] for row in own if row["chosen"] == "True"), ["1", "2"])
                first = {float(row["valid_bits"]): row["chosen"] for row in own if row["seed"] == "1"}
                self.assertEqual(first[min(first)], "True")
        self.assertTrue(all(row["test_bits"] for row in rows))
        self.assertEqual({bool(row["beyond"]) for row in rows if row["task"] == "entity_recall"}, {True})
        self.assertEqual({row["arm"] for row in self.rows("bench")}, set(chosen["ARMS"].split()))
        self.assertLessEqual({"128", "256"}, {row["size_max"] for row in self.rows("positions") if row["arm"] == "Slide:4L"})
        self.assertEqual(self.rows("data")[-1]["package"], "all")
        self.assertEqual(len(self.rows("bench")), 4)
        self.assertRegex((self.folder / "out" / "scores.md").read_text(), r"\| fewer bits than XL:32, .*hold")
        self.assertIn("<svg", (self.folder / "out" / "positions.svg").read_text())
        found = next((self.folder / "runs" / "text" / "XL-32").glob("*/seed-2/measured.csv"))
        before = found.stat().st_mtime_ns
        again = self.script_run(**chosen)  # nothing is trained or measured twice
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(found.stat().st_mtime_ns, before)
        more = self.script_run(ARMS="XL:32", TASKS="text", ALL_RATES="1")
        self.assertEqual(more.returncode, 0, more.stderr)
        found = [(row["lr"], row["seed"]) for row in self.rows("results") if (row["task"], row["arm"]) == ("text", "XL:32")]
        self.assertEqual(found, [("0.01", "1"), ("0.01", "2"), ("0.03", "1"), ("0.03", "2")])

    def test_every_arm_gets_the_same_tokens_per_update(self):
        done = self.script_run(LIST="1", PRESET="hours", SEEDS="1 2 3", LRS="")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = [shlex.split(line) for line in done.stdout.splitlines()]
        self.assertEqual(len(lines), (8 * 2 + 5) * 2)
        self.assertEqual(len({line[-1] for line in lines}), len(lines))
        self.assertEqual({int(line[line.index("--segment") + 1]) * int(line[line.index("--batch") + 1]) for line in lines},
                         {4096})
        recall = " ".join(next(line for line in lines if "entity_recall" in line and "sliding_window" in line))
        for words in ("window=16,reach=64,stop=128", "--cell-option window=16 --segment 128"):
            self.assertIn(words, recall)

    def test_an_unknown_arm_or_preset_ends_the_script(self):
        for names, message in (({"ARMS": "Slide:4L Sild:5L"}, "ARMS: Sild:5L is unknown"),
                               ({"TASKS": "txet"}, "TASKS: txet is unknown"),
                               ({"PRESET": "days"}, "PRESET=days: must be newcomer or hours")):
            done = self.script_run(**names)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn(message, done.stderr)


if __name__ == "__main__":
    unittest.main()

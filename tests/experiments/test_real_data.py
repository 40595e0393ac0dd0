"""Measured data: series with equal steps out of what packages hold, images, and the reference that reads both."""

import csv
import gzip
import io
import os
import struct
import subprocess
import unittest
from pathlib import Path

from support import ROOT, Folder

import numpy as np
import pandas

import fashion_mnist
import real_data
from program import Problem

PROGRAM = Path(os.environ.get("RLT_PROGRAM", ROOT / "build" / "release" / "rlt"))

# In place of the program: tiny models, few steps.
TINY = """\
#!/bin/sh
exec "$PROGRAM" "$@" --d-model 8 --heads 2 --layers 1 --batch 4 --steps 2
"""


def frame(text):
    return pandas.read_csv(io.StringIO(text))


def idx_bytes(array):
    return gzip.compress(b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
                         + array.astype(np.uint8).tobytes())


class Series(unittest.TestCase):
    def test_a_step_that_is_left_out_becomes_an_empty_cell(self):
        values = real_data.hourly(frame("date,temp\n2010/03/14 01:00,5\n2010/03/14 02:00,\n2010/03/14 04:00,7\n"))
        whole = real_data.with_equal_steps(values, "1H")
        self.assertEqual(real_data.series_csv(whole, "%Y-%m-%d %H:%M"),
                         "date,temp\n2010-03-14 01:00,5.0\n2010-03-14 02:00,\n2010-03-14 03:00,\n2010-03-14 04:00,7.0\n")

    def test_dates_out_of_order_or_between_steps_are_refused(self):
        for dates, words in ((("19580412", "19580405"), "not in order"), (("19580405", "19580405"), "not in order"),
                             (("19580405", "19580412", "19580420"), "between steps of 7D")):
            values = real_data.weekly(frame("date,co2\n" + "".join(f"{date},1\n" for date in dates)))
            with self.assertRaisesRegex(Problem, words):
                real_data.with_equal_steps(values, "7D")

    def test_a_table_of_years_by_months_becomes_one_column_in_order(self):
        values = real_data.monthly(frame("YEAR,NOV,DEC\n1950,1,2\n1951,3,4\n"))
        self.assertEqual([(str(date.date()), value) for date, value in values.items()],
                         [("1950-11-01", 1), ("1950-12-01", 2), ("1951-11-01", 3), ("1951-12-01", 4)])

    def test_years_stay_plain_numbers(self):
        values = real_data.with_equal_steps(real_data.yearly(frame("YEAR,SUNACTIVITY\n1700,5\n1701,11\n")), "AS")
        self.assertEqual(real_data.series_csv(values, "%Y"), "date,spots\n1700,5\n1701,11\n")

    def test_the_header_of_an_idx_file_counts_its_items(self):
        self.assertEqual(real_data.items_in(idx_bytes(np.zeros((300, 2, 2)))), 300)


def write_images(folder):
    """36 + 9 images of 2 x 2 whose brightest pixel is the class, and 255 everywhere in class 3."""
    for part, count in (("train", 36), ("t10k", 9)):
        labels = np.arange(count) % 4
        pixels = np.eye(4)[labels] * 255
        pixels[labels == 3] = 255
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(idx_bytes(pixels.reshape(-1, 2, 2)))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(idx_bytes(labels))


class LogisticRegression(Folder):
    script = fashion_mnist

    def test_it_separates_what_planes_can_separate(self):
        write_images(self.folder)
        code, _, err = self.run_script(str(self.folder), "--out", "linear.csv")
        self.assertEqual(code, 0, err)
        rows = pandas.read_csv(self.folder / "linear.csv")
        self.assertEqual(list(zip(rows["setting"], rows["split"])),
                         [(read, split) for read in ("rows", "pixels") for split in ("valid", "test")])
        self.assertTrue((rows["sequence_accuracy"] == 1).all())

    def test_its_gradient_leads_to_the_least_loss(self):
        draws = np.random.default_rng(1)
        x = np.hstack([draws.normal(size=(60, 2)), np.ones((60, 1))]).astype(np.float32)
        labels = draws.integers(0, 3, 60)
        best = fashion_mnist.fit(x, labels, 0.1, np.zeros((3, 3), np.float32))

        def objective(weights):
            return fashion_mnist.mean_loss(x, labels, weights) + 0.05 * (weights[:-1]**2).sum()

        for i in range(9):
            for change in (-0.05, 0.05):
                moved = best.copy()
                moved.flat[i] += change
                self.assertGreater(objective(moved), objective(best))

    def test_a_file_that_is_cut_off_is_one_line(self):
        write_images(self.folder)
        path = self.folder / "t10k-images-idx3-ubyte.gz"
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-1]))
        self.assert_fails(1, "35 bytes, its header says 36", str(self.folder), "--out", "linear.csv")


@unittest.skipUnless(PROGRAM.exists(), f"{PROGRAM} is not built")
class Scripts(Folder):
    def shell(self, name, **environment):
        (self.folder / "rlt").write_text(TINY)
        (self.folder / "rlt").chmod(0o755)
        done = subprocess.run([ROOT / "experiments" / f"{name}.sh"], capture_output=True, text=True, check=False,
                              env={"PATH": os.environ["PATH"], "PROGRAM": str(PROGRAM), "JOBS": "2",
                                   "RLT_PROGRAM": str(self.folder / "rlt"), "RUNS": str(self.folder / "runs"),
                                   "OUT": str(self.folder / "out"), "DATA": str(self.folder), **environment})
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_fashion_mnist_from_images_to_a_table(self):
        write_images(self.folder)
        self.shell("fashion_mnist", CELLS="aaren lstm", SEEDS="1 2", PIXEL_SEEDS="3")
        text = (self.folder / "out" / "scores.md").read_text()
        self.assertIn("| | rows | pixels |", text)
        self.assertIn("| *logistic regression* | 1.000 | 1.000 |", text)
        with open(self.folder / "out" / "eval.csv", newline="", encoding="utf-8") as file:
            models = [row for row in csv.DictReader(file) if row["forecaster"] == "model" and row["split"] == "test"]
        self.assertEqual({(row["setting"], row["cell"], row["seed"]) for row in models},
                         {(read, cell, seed) for cell in ("aaren", "lstm")
                          for read, seed in (("rows", "1"), ("rows", "2"), ("pixels", "3"))})
        self.assertEqual({row["length_max"] for row in models if row["setting"] == "pixels"}, {"4"})

    @unittest.skipUnless(Path("/usr/share/doc/python3-statsmodels").exists()
                         and Path("/usr/share/doc/python3-vega-datasets").exists()
                         and Path("/usr/share/datasets/fashion-mnist").exists(), "packages of measured data are missing")
    def test_measured_series_from_packages_to_a_table(self):
        self.shell("aaren", CELLS="aaren", SEEDS="1", SETTINGS="measured-co2-52 measured-sunspots-22")
        text = (self.folder / "out" / "measured.md").read_text()
        self.assertIn("| | measured-co2-52 | measured-sunspots-22 |", text)
        self.assertIn("| *seasonal_naive* |", text)
        with open(self.folder / "out" / "data.csv", newline="", encoding="utf-8") as file:
            rows = {row["data"]: row for row in csv.DictReader(file)}
        self.assertEqual((rows["co2"]["rows"], rows["co2"]["gaps"]), ("2284", "59"))
        self.assertEqual(rows["sunspots"]["rows"], "309")


if __name__ == "__main__":
    unittest.main()

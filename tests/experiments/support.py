"""What the tests of experiments/*.py share: rows, run folders, scripts run inside the process."""

import contextlib
import io
import json
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
EXPERIMENTS = ROOT / "experiments"
sys.path.insert(0, str(EXPERIMENTS))

import columns  # noqa: E402
import program  # noqa: E402

HEADER = columns.EVAL
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
               class_bits=1.5, bytes="", bits_per_byte="", data_hash=f"h-{split}")
    row.update(changes)
    return row


def text(header, rows):
    lines = [header] + [[str(row[name]) for name in header] for row in rows]
    return "".join(",".join(line) + "\n" for line in lines)


class Folder(unittest.TestCase):
    """A test in a folder of its own, and a script to run there."""

    script = None  # the module

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_script(self, *words, script=None):
        """(code, stdout, stderr) of a script, inside this process: starting one takes a second."""
        script = script or self.script
        out, err = io.StringIO(), io.StringIO()
        with mock.patch.object(sys, "argv", [f"{script.__name__}.py", *words]), \
                contextlib.chdir(self.folder), contextlib.redirect_stdout(out), \
                contextlib.redirect_stderr(err):
            code = program.run_main(script.main)
        return code, out.getvalue(), err.getvalue()

    def stdout(self, *words):
        code, out, err = self.run_script(*words)
        self.assertEqual((code, err), (0, ""))
        return out

    def assert_fails(self, code, part, *words, script=None):
        """No result, and one line on stderr that holds `part`."""
        found, out, err = self.run_script(*words, script=script)
        self.assertEqual((found, out), (code, ""), err)
        self.assertEqual(err.count("\n"), 1, err)
        self.assertTrue(err.startswith(f"{(script or self.script).__name__}.py: "), err)
        self.assertIn(part, err)

    def csv(self, rows, name="eval.csv", header=None):
        path = self.folder / name
        path.write_text(text(header or HEADER, rows), encoding="utf-8")
        return str(path)

    def run_folder(self, name, rows, code=0, done=None, train=None, lengths=None, config=None,
                   header=None, **identity):
        folder = self.folder / "runs" / name
        folder.mkdir(parents=True)
        meta = {key: eval_row(0)[key] for key in columns.RUN} | identity | {"exit": code}
        (folder / "meta.json").write_text(json.dumps(meta))
        (folder / "config.toml").write_text("".join(
            f"{key} = {value}\n" for key, value in (config or {"lr": "1e-3"}).items()))
        for name, found in (("eval.csv", rows), ("lengths.csv", lengths)):
            if found is not None:
                found = [{**row, **identity} for row in found]
                (folder / name).write_text(text(header or HEADER, found))
        if train is not None:
            (folder / "train.csv").write_text(text(columns.TRAIN, train))
        if done or (done is None and code in (0, 4)):
            (folder / "DONE").touch()
        return folder

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

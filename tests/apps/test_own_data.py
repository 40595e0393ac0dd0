"""The user's own data: nothing of them is left out, renumbered, confused or overwritten without a word."""
import csv
import os
import pathlib
import shutil
import subprocess
import tempfile
import tomllib
import unittest

import numpy as np
from rlt_program import PROGRAM, TINY, TINY_MODEL, run

TRAIN = ("s a b a\ns b b\ns a a b\n", "1 0 0 1\n1 1 1\n1 0 1 1\n")
VALID = ("s b a\ns a b b\n", "1 1 0\n1 0 0 0\n")


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.data = self.write_data("data")
        self.out = self.folder / "run"

    def write_data(self, name, train=TRAIN, valid=VALID):
        folder = self.folder / name
        folder.mkdir(parents=True)
        for split, texts in (("train", train), ("valid", valid)):
            for end, text in zip(("src", "tgt"), texts):
                (folder / f"{split}.{end}").write_text(text, encoding="utf-8")
        return folder

    def done(self, *arguments, code=0, **options):
        done = run(*arguments, **options)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def refused(self, code, words, *arguments, **options):
        """One line on stderr that holds every one of `words`."""
        done = self.done(*arguments, code=code, **options)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        for word in words:
            self.assertIn(str(word), done.stderr)
        self.assertEqual(done.stdout, "")

    def train(self, *arguments, data=None, out=None, **options):
        return self.done("train", "--task", "file", "--data", data or self.data, *TINY_MODEL, "--out",
                         out or self.out, *arguments, **options)

    def rows(self, *arguments, **options):
        return list(csv.DictReader(self.done("eval", *arguments, **options).stdout.splitlines()))

    def settings(self, out=None):
        return tomllib.loads(((out or self.out) / "config.toml").read_text())

    def text(self, name="book.txt", content="abc abd acc\n" * 50):
        path = self.folder / name
        path.write_text(content, encoding="utf-8")
        return path

    def train_text(self, path, *arguments, **options):
        return self.done("train", "--task", "text", "--data", path, "--segment", "16", "--batch", "4",
                         *TINY_MODEL, "--out", self.out, *arguments, **options)


class Vocabulary(Case):
    def reverse(self, *splits):
        for path in [self.data / f"{split}.{end}" for split in splits for end in ("src", "tgt")]:
            path.write_text("".join(reversed(path.read_text().splitlines(keepends=True))))

    def test_symbols_keep_their_numbers_when_the_lines_change_places(self):
        self.train("--epochs", "20")
        before = self.rows(self.out)
        (self.data / "train.src").write_text("b s b\ns a b a\ns b b\n")
        (self.data / "train.tgt").write_text("0 1 1\n1 0 0 1\n1 1 1\n")
        done = self.done("eval", self.out)
        after = list(csv.DictReader(done.stdout.splitlines()))
        for column in ("loss", "tokens_correct", "data_hash"):
            self.assertEqual(after[0][column], before[0][column])
        self.assertRegex(done.stderr, "train set is not that of the run: data hash [0-9a-f]{16}, the run had")
        self.assertNotIn("valid set", done.stderr)

    def test_the_characters_of_a_text_keep_their_numbers(self):
        path = self.text()
        self.train_text(path, "--epochs", "8")
        bits = float(self.rows(self.out)[0]["bits"])
        path.write_text("dcba" + path.read_text())
        after = self.rows(self.out, "--data", path)
        self.assertLess(abs(float(after[0]["bits"]) - bits), 0.1)

    def test_the_positions_of_a_document_hold_together_what_all_of_it_holds(self):
        self.train_text(self.text())
        rows = self.rows(self.out, "--positions", "--piece", "8")
        valid = [row for row in rows if row["split"] == "valid"]
        positions = [row for row in rows if row["split"] == "valid_positions"]
        self.assertEqual([(row["size_min"], row["size_max"]) for row in positions], [("1", "8"), ("9", "16"), ("17", "29")])
        self.assertEqual([row["tokens"] for row in positions], ["8", "8", "13"])
        self.assertAlmostEqual(sum(float(row["bits"]) * int(row["tokens"]) for row in positions),
                               float(valid[0]["bits"]) * 29, places=3)
        self.assertEqual(rows[:2], [valid[0], positions[0]])

    def test_a_symbol_that_the_run_does_not_know_is_named_with_its_line(self):
        self.train()
        (self.data / "valid.src").write_text("s b a\ns a c b\n")
        self.refused(1, [self.data / "valid.src:2", "'c'", "run"], "eval", self.out)

    def test_info_shows_it_in_short(self):
        self.train_text(self.text(content="".join(map(chr, range(0x4e00, 0x5200))) * 2))
        lines = self.done("info", self.out / "best.safetensors").stdout.splitlines()
        shown = [line for line in lines if "\u4e00" in line]
        self.assertEqual([line.split()[:2] for line in shown], [["inputs", "1025:"], ["classes", "1025:"]])
        for line in shown:
            self.assertLess(len(line), 100)
            self.assertTrue(line.endswith("..."))


class Identity(Case):
    def test_resuming_on_other_data_is_refused(self):
        arguments = ["--epochs", "40", "--patience", "0"]
        self.train(*arguments)
        (self.out / "DONE").unlink()
        good = (self.data / "train.src").read_text()
        (self.data / "train.src").write_text(good.replace("s a a b", "s b a b"))
        command = ["train", "--task", "file", "--data", self.data, *TINY_MODEL, "--out", self.out, *arguments]
        for extra in (["--resume"], []):
            self.refused(1, [self.out, "train set", "--force"], *command, *extra)
        (self.data / "train.src").write_text(good)
        self.done(*command, "--resume")

    def test_a_finished_run_is_not_taken_for_one_on_other_data(self):
        self.train()
        self.train()
        shutil.copy(self.data / "train.src", self.data / "test.src")
        shutil.copy(self.data / "train.tgt", self.data / "test.tgt")
        self.assertIn("test set", self.train(code=1).stderr)

    def test_resuming_finds_the_same_data_elsewhere(self):
        self.train("--epochs", "40")
        (self.out / "DONE").unlink()
        config = (self.out / "config.toml").read_bytes()
        self.data.rename(self.folder / "moved")
        self.train("--epochs", "40", "--resume", data=self.folder / "moved")
        self.assertEqual((self.out / "config.toml").read_bytes(), config)

    def test_data_that_lie_elsewhere_now_are_named_anew(self):
        self.train("--epochs", "20")
        before = self.rows(self.out)
        self.data.rename(self.folder / "moved")
        self.refused(1, [self.data, "--data"], "eval", self.out)
        self.assertEqual(self.rows(self.out, "--data", self.folder / "moved"), before)

    def test_another_data_set_in_the_same_place_is_not_scored(self):
        self.train()
        shutil.rmtree(self.data)
        self.write_data("data", ("s b a\n", "1 1 1\n"), ("s a\n", "0 0\n"))
        self.refused(1, [self.data, "train set", "--data"], "eval", self.out)
        done = self.done("eval", self.out, "--data", self.data)
        self.assertIn("train set is not that of the run", done.stderr)
        self.assertIn("valid set is not that of the run", done.stderr)

    def test_a_relative_path_is_found_from_anywhere_and_never_mistaken(self):
        elsewhere = self.write_data("elsewhere/data", valid=("s b\n", "0 0\n")).parent
        self.train(data="data", out="run", cwd=self.folder)
        self.assertEqual(self.settings()["data"], str(self.folder / "data"))
        hashes = [self.rows(path, cwd=folder)[0]["data_hash"]
                  for path, folder in (("run", self.folder), ("../run", elsewhere), (self.out, "/"))]
        self.assertEqual(len(set(hashes)), 1)

    def test_config_toml_repeats_the_run_from_anywhere(self):
        self.train(data="data", cwd=self.folder)
        again = self.folder / "again"
        self.done("train", "--config", self.out / "config.toml", "--out", again, "--quiet", cwd="/")
        self.assertEqual((again / "eval.csv").read_bytes(), (self.out / "eval.csv").read_bytes())

    def test_config_toml_finds_data_of_any_name(self):
        for i, name in enumerate(["corpus #2", "it's \"x\" \\ # y", "a\nb\tc", "C:\\new", "\u00e9 ' ="]):
            with self.subTest(name=name):
                out, again = self.folder / f"run{i}", self.folder / f"again{i}"
                self.train("--epochs", "1", data=self.write_data(name), out=out)
                self.done("train", "--config", out / "config.toml", "--out", again, "--quiet", cwd="/")
                self.assertEqual((again / "config.toml").read_bytes(), (out / "config.toml").read_bytes())
                self.assertEqual((again / "eval.csv").read_bytes(), (out / "eval.csv").read_bytes())


class Whole(Case):
    def test_all_lines_of_the_training_set_are_used(self):
        data = self.write_data("large", ("a b\n" * 10003, "0 1\n" * 10003), ("a\n", "0\n"))
        self.train("--batch", "1000", "--epochs", "1", data=data)
        with open(self.out / "train.csv", newline="", encoding="utf-8") as file:
            self.assertEqual(list(csv.DictReader(file))[-1]["sequences"], "10003")

    def test_a_train_size_says_what_it_leaves_out(self):
        done = self.train("--train-size", "2", "--epochs", "1")
        self.assertIn("2 of the 3 sequences", done.stderr)
        with open(self.out / "train.csv", newline="", encoding="utf-8") as file:
            self.assertEqual(list(csv.DictReader(file))[-1]["sequences"], "2")
        self.assertIn("3 of the 3", self.train("--train-size", "9", out=self.folder / "all").stderr)


class Flags(Case):
    def test_evaluation_of_own_data_takes_no_choice_of_strings(self):
        self.train()
        for flags in (["--lengths", "100"], ["--lengths", "nonsense"], ["--bins", "0"],
                      ["--sequences", "500"], ["--eval-seed", "1"]):
            self.refused(2, [flags[0], "as they are"], "eval", self.out, *flags)

    def test_evaluation_names_data_only_where_there_are_any(self):
        self.done("train", *TINY, "--out", self.out)
        self.refused(2, ["--data", "parity"], "eval", self.out, "--data", self.data)

    def test_a_checkpoint_file_is_not_selected_from(self):
        self.done("train", *TINY, "--out", self.out)
        self.refused(2, ["--select", "last.safetensors"], "eval", self.out / "last.safetensors", "--select",
                     "best")

    def test_training_refuses_what_own_data_do_not_have(self):
        for task, data in (("file", self.data), ("text", self.text())):
            for flags in (["--window", "2-9"], ["--rule", "honest"], ["--eval-sequences", "2000"],
                          ["--eval-seed", "7"], ["--protocol", "paper"], ["--train-size", "0"]):
                self.refused(2, [flags[0], task], "train", "--task", task, "--data", data, *TINY_MODEL,
                             "--out", self.out, *flags)
        self.refused(2, ["--data", "parity"], "train", *TINY, "--data", self.data, "--out", self.out)
        self.assertFalse(self.out.exists())

    def test_the_environment_and_a_file_are_heard_as_flags_are(self):
        words = ["train", "--task", "file", "--data", self.data, *TINY_MODEL, "--out", self.out]
        self.refused(2, ["--window", "file"], *words, env={"RLT_WINDOW": "2-9"})
        config = self.folder / "a.toml"
        config.write_text('window = "2-9"\n')
        self.refused(2, ["--window", "file"], *words, "--config", config)

    def test_data_refuses_what_it_would_not_read(self):
        own = ["data", "--task", "file", "--data", self.data]
        for flags in (["--bin", "0"], ["--lengths", "5"], ["--window", "2-9"], ["--train-size", "5"],
                      ["--eval-sequences", "5"], ["--rule", "paper"], ["--write", self.folder / "out"]):
            self.refused(2, [flags[0]], *own, *flags)
        self.refused(2, ["--data", "parity"], "data", "--data", self.data)
        self.assertFalse((self.folder / "out").exists())

    def test_tasks_on_own_data_tell_their_facts(self):
        shown = self.done("tasks", "text").stdout
        for word in ("held_out", "0.002", "the character or subword that follows", "UTF-8"):
            self.assertIn(word, shown)
        shown = self.done("tasks", "file").stdout
        for word in ("train.src", ".tgt files"):
            self.assertIn(word, shown)
        self.assertEqual(len(self.done("tasks").stdout.splitlines()), 27)  # and 8 environments under a heading
        self.refused(2, ["--rule"], "tasks", "file", "--rule", "honest")


class Writing(Case):
    DRAW = ["data", "--task", "parity", "--train-size", "20", "--eval-sequences", "5", "--write"]

    def test_no_file_is_replaced(self):
        for name in ("train.src", "train.tgt", "valid.src", "valid.tgt", "test.src", "test.tgt"):
            with self.subTest(name=name):
                folder = self.folder / name
                folder.mkdir()
                (folder / name).write_text("mine\n")
                self.refused(1, [folder / name, "--write"], *self.DRAW, folder)
                self.assertEqual([path.name for path in folder.iterdir()], [name])
                self.assertEqual((folder / name).read_text(), "mine\n")

    def test_an_export_replaces_no_file_either(self):
        mine = self.folder / "mine"
        mine.write_text("mine")
        (self.folder / "link").symlink_to(mine)
        for path in (mine, self.folder / "link"):
            self.refused(1, [path, "--export"], "gradcheck", "--cell", "elstm", "--export", path)
        self.assertEqual(mine.read_text(), "mine")
        self.done("gradcheck", "--cell", "elstm", "--export", "/dev/null")
        self.done("gradcheck", "--cell", "elstm", "--export", self.folder / "new")

    def test_a_link_is_not_written_through(self):
        folder = self.folder / "out"
        folder.mkdir()
        (folder / "test.tgt").symlink_to(self.folder / "nowhere")
        self.refused(1, [folder / "test.tgt"], *self.DRAW, folder)
        self.assertFalse((self.folder / "nowhere").exists())

    def test_what_cannot_be_written_leaves_nothing_behind(self):
        folder = self.folder / "out"
        self.refused(2, ["--train-size 0"], "data", "--task", "parity", "--train-size", "0", "--write", folder)
        self.refused(1, ["listops"], "data", "--task", "listops", "--train-size", "5", "--window", "2-3",
                     "--eval-sequences", "5", "--write", folder)
        self.assertFalse(folder.exists())

    def test_numpy_reads_what_is_written_for_it(self):
        # The same sets as in the text form, symbol by symbol.
        arrays = self.folder / "arrays"
        self.done(*self.DRAW[:-1], "--write-npy", arrays)
        self.done(*self.DRAW, self.folder / "text")
        self.assertEqual(len(list(arrays.iterdir())), 9)
        for name in ("train", "valid", "test"):
            tokens, targets, lengths = (np.load(arrays / f"{name}.{part}.npy")
                                        for part in ("tokens", "targets", "lengths"))
            lines = [(self.folder / "text" / f"{name}.{end}").read_text().splitlines() for end in ("src", "tgt")]
            self.assertEqual((tokens.dtype, tokens.shape), (np.int32, targets.shape))
            self.assertEqual(lengths.tolist(), [len(line.split()) for line in lines[0]])
            for row, (source, target) in enumerate(zip(*lines)):
                n = lengths[row]
                self.assertEqual(["01"[token] for token in tokens[row, :n]], source.split())
                self.assertEqual(["01"[target] for target in targets[row, :n]], target.split())
                self.assertTrue((tokens[row, n:] == 0).all() and (targets[row, n:] == -1).all())
        self.refused(1, [arrays / "train.tokens.npy", "--write"], *self.DRAW[:-1], "--write-npy", arrays)

    def test_what_is_written_is_read_back(self):
        self.done(*self.DRAW, self.folder / "out")
        self.train(data=self.folder / "out")
        with open(self.out / "eval.csv", newline="", encoding="utf-8") as file:
            self.assertEqual([row["split"] for row in csv.DictReader(file)], ["valid", "test"])


class Encodings(Case):
    def first(self):
        done = self.done("data", "--task", "file", "--data", self.data)
        return done.stdout.splitlines()[0].split(), done.stderr

    def test_a_byte_order_mark_is_dropped_with_a_note(self):
        for name in ("train.src", "train.tgt", "valid.src", "valid.tgt"):
            path = self.data / name
            path.write_text("\ufeff" + path.read_text(), encoding="utf-8")
        symbols, notes = self.first()
        self.assertEqual(symbols, ["s", "a", "b", "a"])
        self.assertEqual(notes.count("byte-order mark dropped"), 4)
        config = self.folder / "a.toml"
        config.write_text("\ufeffd-model = 24\n", encoding="utf-8")
        done = self.done("train", "--config", config, "--print-config")
        self.assertIn("d-model = 24", done.stdout)
        self.assertIn("a.toml: byte-order mark dropped", done.stderr)

    def test_lines_of_windows_are_read(self):
        for path in self.data.iterdir():
            path.write_bytes(path.read_bytes().replace(b"\n", b" \t\r\n") + b"\r\n\r\n")
        self.assertEqual(self.first()[0], ["s", "a", "b", "a"])

    def test_other_encodings_are_named_with_file_and_line(self):
        text = TRAIN[0] + "s \u00e9\n"
        for encoding, words in (("utf-16", ["UTF-16", ":1:"]), ("utf-16-be", ["UTF-16BE", ":1:"]),
                                ("utf-32", ["UTF-32", ":1:"]), ("latin-1", ["Latin-1", ":4:", "0xe9"])):
            (self.data / "train.src").write_bytes(text.encode(encoding))
            self.refused(1, ["train.src", "iconv -f", *words], "data", "--task", "file", "--data", self.data)
            book = self.folder / "book"
            book.write_bytes(text.encode(encoding))
            self.refused(1, ["book", "iconv -f", *words], "data", "--task", "text", "--data", book)
            book.write_bytes(("# \u00e9\nseed = 3\n").encode(encoding))
            self.refused(2, ["book", "iconv -f"], "train", "--config", book, "--print-config")

    def test_a_folder_tells_how_many_of_its_files_are_no_text(self):
        folder = self.folder / "texts"
        folder.mkdir()
        (folder / "good").write_text("abc\n" * 50)
        (folder / "latin").write_bytes("caf\u00e9\n".encode("latin-1"))
        done = self.done("data", "--task", "text", "--data", folder)
        self.assertIn("1 entries of", done.stderr)
        self.assertIn("latin:1: byte 0xe9", done.stderr)


class ReadOnce(Case):
    def piped(self, text, *arguments):
        done = subprocess.run([PROGRAM, *map(str, arguments)], input=text, capture_output=True, text=True,
                              timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def test_a_pipe_is_trained_on_and_evaluated(self):
        text = "abcabc\n" * 200
        command = ["--task", "text", "--data", "/dev/stdin", "--segment", "16", "--batch", "4", *TINY_MODEL]
        self.piped(text, "train", *command, "--out", self.out)
        from_file = self.folder / "from-file"
        self.done("train", *command, "--out", from_file, "--data", self.text(content=text))
        self.assertEqual((self.out / "eval.csv").read_bytes(), (from_file / "eval.csv").read_bytes())
        self.assertEqual(self.piped(text, "eval", self.out).stdout,
                         self.done("eval", self.out, "--data", self.folder / "book.txt").stdout)

    def test_pipes_in_a_folder_are_read_once(self):
        folder = self.folder / "pipes"
        folder.mkdir()
        ends = []
        for path in self.data.iterdir():
            end, writing = os.pipe()
            self.addCleanup(os.close, end)
            os.write(writing, path.read_bytes())
            os.close(writing)
            (folder / path.name).symlink_to(f"/proc/self/fd/{end}")
            ends.append(end)
        self.train(data=folder, pass_fds=ends)
        self.train(out=self.folder / "from-files")
        self.assertEqual((self.out / "eval.csv").read_bytes(),
                         (self.folder / "from-files" / "eval.csv").read_bytes())

    def test_a_folder_of_links_is_read(self):
        folder = self.folder / "links"
        folder.mkdir()
        (folder / "one").symlink_to(self.text())
        (folder / "up").symlink_to("..")
        (folder / "round").symlink_to("round")
        done = self.train_text(folder)
        self.assertIn("2 entries of", done.stderr)
        data = self.folder / "linked"
        data.mkdir()
        for path in self.data.iterdir():
            (data / path.name).symlink_to(path)
        self.train(data=data, out=self.folder / "run2")


if __name__ == "__main__":
    unittest.main()

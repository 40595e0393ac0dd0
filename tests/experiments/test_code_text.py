"""code_text.py: documents are whole files of one folder, splits whole folders."""

import multiprocessing
import unittest
from pathlib import Path

from support import Folder

import code_text
from program import Problem


class CodeText(Folder):
    script = code_text

    def write(self, name, size, letter="a"):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(letter.encode() * size)
        return path

    def test_a_document_is_whole_files_of_one_folder_in_order(self):
        paths = [self.write("one/a.py", 20_000, "a"), self.write("one/b.py", 20_000, "b"),
                 self.write("one/c.py", 30_000, "c"),  # has no room beside them
                 self.write("one/d.py", 70_000, "d"),  # longer than a document
                 self.write("two/a.py", 29_999, "e"),  # shorter than one
                 self.write("three/a.py", 40_000, "é"), self.write("four/a.py", 40_000, "\0")]
        found = code_text.documents_of(paths)
        self.assertEqual(list(found.values()), [b"a" * 20_000 + b"b" * 20_000, b"c" * 30_000])
        self.assertEqual(list(found), [(self.folder / "one", 1), (self.folder / "one", 2)])

    def test_a_folder_is_in_one_split_whatever_else_there_is(self):
        splits = [code_text.split_of(Path(f"/usr/{number}")) for number in range(400)]
        self.assertEqual({split: splits.count(split) // 25 for split in code_text.SPLITS}, {"train": 12, "valid": 1, "test": 1})
        documents = {(Path(f"/usr/{number}"), part): b"x" * 10 for number in range(400) for part in (1, 2)}
        chosen = code_text.fill(documents, [500, 10**6, 10**6])
        self.assertEqual(len(chosen["train"]), 50)
        for split, own in chosen.items():
            self.assertEqual({code_text.split_of(folder) for folder, _ in own}, {split})
        with self.assertRaisesRegex(Problem, "no document has room in valid"):
            code_text.fill(documents, [500, 9, 500])

    def test_documents_of_an_earlier_call_are_taken_away(self):
        keys = [(Path("/usr/a"), 1), (Path("/usr/b"), 1)]
        for key in keys:
            code_text.write_documents({"train": {key: b"x"}}, self.folder / "data")
        self.assertEqual([path.name for path in (self.folder / "data" / "train").iterdir()], ["usr_b_1.txt"])

    def test_what_is_there_already_stays_untouched(self):
        key, path = (Path("/usr/a"), 1), self.folder / "data" / "train" / "usr_a_1.txt"
        code_text.write_documents({"train": {key: b"x"}}, self.folder / "data")
        first = path.stat().st_ino
        code_text.write_documents({"train": {key: b"x"}}, self.folder / "data")
        self.assertEqual(path.stat().st_ino, first)
        code_text.write_documents({"train": {key: b"y"}}, self.folder / "data")
        self.assertEqual(path.read_bytes(), b"y")

    def test_calls_at_once_write_one_after_the_other(self):
        chosen = {"train": {(Path(f"/usr/{number}"), 1): b"x" * 1000 for number in range(60)}}
        with multiprocessing.get_context("fork").Pool(4) as pool:
            pool.starmap(code_text.write_documents, [(chosen, self.folder / "data")] * 8)
        self.assertEqual(len(list((self.folder / "data" / "train").iterdir())), 60)

    def test_a_folder_that_cannot_be_is_one_line(self):
        (self.folder / "file").write_text("")
        with self.assertRaisesRegex(Problem, "file: file exists"):
            code_text.write_documents({"train": {}}, self.folder / "file")

    def test_what_is_not_installed_is_one_line(self):
        arguments = ["--packages", "no-such-package", "--sizes", "1", "1", "1", "--data", "d", "--out", "o.csv"]
        self.assert_fails(1, "no-such-package", *arguments)
        self.assert_fails(2, "--sizes", *["0" if word == "1" else word for word in arguments])


if __name__ == "__main__":
    unittest.main()

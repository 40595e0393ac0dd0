"""CSVs that a spreadsheet or an editor has saved: read, or named with file, line and what to do."""

import codecs
import csv
import io
import unittest

from support import HEADER, Folder, eval_row, text

import report


class Spreadsheets(Folder):
    script = report

    def setUp(self):
        super().setUp()
        self.rows = [eval_row(accuracy, split, seed=seed, options="beta_max=2;heads=4")
                     for seed, accuracy in ((1, 1), (2, 0.5)) for split in ("bin0", "bin1")]
        self.plain = text(HEADER, self.rows)
        self.expected = self.table(self.plain)

    def table(self, content, name="a.csv"):
        (self.folder / name).write_bytes(content if isinstance(content, bytes)
                                         else content.encode())
        return self.stdout("table", name)

    def assert_named(self, part, content):
        (self.folder / "a.csv").write_bytes(content if isinstance(content, bytes)
                                            else content.encode())
        self.assert_fails(1, f"a.csv: {part}", "table", "a.csv")

    def saved(self, **dialect):
        out = io.StringIO()
        csv.writer(out, **dialect).writerows(line.split(",") for line in self.plain.splitlines())
        return out.getvalue()

    def test_what_spreadsheets_save_gives_the_same_table(self):
        lines = self.plain.splitlines()
        for content in (codecs.BOM_UTF8 + self.plain.encode(),
                        self.plain.replace("\n", "\r\n"),
                        self.plain.replace("\n", "\r"),
                        self.plain.rstrip("\n"),
                        self.saved(quoting=csv.QUOTE_ALL),
                        self.saved(delimiter=";"),
                        self.saved(delimiter="\t"),
                        codecs.BOM_UTF8 + self.saved(delimiter=";").encode(),
                        "".join(f"{line},,\n" for line in lines),
                        ",,\n".join(lines).replace(",,\n", "\n", 1) + ",,\n",
                        "sep=,\n" + self.plain,
                        "sep=;\r\n" + self.saved(delimiter=";"),
                        self.plain + "," * len(HEADER) + "\n\n",
                        "\n" + self.plain.replace("\n", "\n\n"),
                        self.plain.replace(",", " , ")):
            with self.subTest(content[:60], end=content[-20:]):
                self.assertEqual(self.table(content), self.expected)

    def test_merged_and_drawn_files_are_read_in_the_same_way(self):
        folder = self.run_folder("one", [eval_row(1, "bin0")])
        merged = self.stdout("merge", "runs")
        path = folder / "eval.csv"
        path.write_bytes(codecs.BOM_UTF8 + path.read_bytes().replace(b",", b";")
                         .replace(b"\n", b";;\r\n"))
        self.assertEqual(self.stdout("merge", "runs"), merged)

    def test_other_encodings_are_named(self):
        accent = self.plain.replace("rdn", "caf\xe9")
        self.assertIn("caf\xe9", self.table(accent))
        self.assert_named("line 2: not a text file in UTF-8 (Latin-1?): save it as UTF-8",
                          accent.encode("latin-1"))
        for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32"):
            self.assert_named("not a text file in UTF-8 (UTF-16, or no text at all): save it as"
                              " UTF-8", accent.encode(encoding))

    def test_a_file_without_end_is_not_read_to_its_end(self):
        self.assert_fails(1, "/dev/zero: not a text file", "table", "/dev/zero")

    def test_a_row_that_is_cut_is_named_with_its_line(self):
        lines = self.plain.splitlines()
        cut = "\n".join([lines[0], "", *lines[1:-1], lines[-1][:40]])
        self.assert_named(f"line 6 has {lines[-1][:40].count(',') + 1} fields, the header"
                          f" {len(HEADER)}: is it cut off?", cut)
        self.assert_named("line 5: not a CSV: unexpected end of data", self.saved(
            quoting=csv.QUOTE_ALL, lineterminator="\n")[:-20])
        self.assert_named(f"line 2 has {len(HEADER) + 1} fields, the header {len(HEADER)}\n",
                          self.plain.replace("\n", ",x\n").replace(",x\n", "\n", 1))

    def test_numbers_that_a_spreadsheet_has_changed_are_named(self):
        for old, new, part in (
                (",0.125,", ",0,125,", "line 2 has"),
                (",0.125,", ',"0,125",', "line 2: chance_sequence `0,125` is not a number: save"
                 " it with decimal points"),
                (",0.125,", ",12.5%,", "line 2: chance_sequence `12.5%` is not a number"),
                (",321,", ",3.21E+02,", "line 2: parameters `3.21E+02` is not a whole number from 0"
                 " to 2^64 - 1: rounded by a spreadsheet: import that column as text"),
                ("h-bin1", "1.23457E+15", "line 3: data_hash `1.23457E+15` was rounded by a"
                 " spreadsheet: import that column as text")):
            self.assert_named(part, self.plain.replace(old, new))

    def test_columns_that_cannot_be_told_apart_are_named(self):
        self.assert_named("has 2 columns 'task'", self.plain.replace("bits", "task", 1))
        self.assert_named("empty, not even a header", ",,,\n\n")
        self.assert_named("a header, but no rows", ",".join(HEADER) + "\n,,,\n")


if __name__ == "__main__":
    unittest.main()

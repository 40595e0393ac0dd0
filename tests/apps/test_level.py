"""Which level of the processor the program is for. What a portable build does: experiments/package.sh."""
import json
import pathlib
import re
import tempfile
import unittest

from rlt_program import ROOT, TINY, run


class Level(unittest.TestCase):
    def test_version_and_record_name_the_same_level(self):
        version = run("--version").stdout
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder) / "run"
            done = run("train", *TINY, "--out", out)
            self.assertEqual(done.returncode, 0, done.stderr)
            level = json.loads((out / "meta.json").read_text())["level"]
        self.assertTrue(version.endswith(f", {level})\n"), version)
        self.assertEqual(run("--version", env={"RLT_LEVEL": level}).stdout, version)

    def test_a_level_that_cannot_be_is_refused_in_one_line(self):
        for asked in ["avx2", "x86-64-v2", "X86-64-V3", " "]:
            with self.subTest(level=asked):
                done = run("cells", env={"RLT_LEVEL": asked})
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertRegex(done.stderr, rf"^rlt: RLT_LEVEL={asked}: no such level.*\n$")

    def test_no_level_asked_for_is_like_none(self):
        self.assertEqual(run("--version", env={"RLT_LEVEL": ""}).stdout, run("--version").stdout)

    def test_build_program_and_packages_know_the_same_levels(self):
        levels = re.findall(r"set\(levels (x86-64 .*)\)", (ROOT / "CMakeLists.txt").read_text())[0].split()
        known = re.findall(r"lowest_first = \{(.*)\}", (ROOT / "lib/base/level.cpp").read_text())[0]
        self.assertEqual(re.findall(r'"(.*?)"', known), levels)
        self.assertIn(f"for level in {' '.join(levels)}; do", (ROOT / "experiments/package.sh").read_text())


if __name__ == "__main__":
    unittest.main()

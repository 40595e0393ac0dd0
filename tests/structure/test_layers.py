"""Dependencies point one way, and every cell and task has what its neighbours have."""
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
ORDER = ["base", "tensor", "nn", "mixing", "cells", "blocks", "model", "train"]
BELOW = {layer: ORDER[:i] for i, layer in enumerate(ORDER)}
BELOW["losses"] = ["base", "tensor", "nn"]
BELOW["optim"] = ["base", "tensor", "nn"]
BELOW["io"] = ["base"]
BELOW["model"].append("losses")
BELOW["train"] += ["losses", "optim", "io"]


def includes(path):
    return re.findall(r'^#include "([^"]+)"', path.read_text(), re.M)


def names(path, macro):
    return re.findall(macro + r"\((\w+)\)", re.sub(r"//.*", "", path.read_text()))


class Layers(unittest.TestCase):
    def test_includes_point_down(self):
        for path in sorted((ROOT / "lib").rglob("*.?pp")):
            layer = path.relative_to(ROOT / "lib").parts[0]
            for included in includes(path):
                with self.subTest(file=str(path.relative_to(ROOT)), included=included):
                    if included.startswith("tasks/"):
                        self.assertIn(layer, ["model", "train"])
                        self.assertIn(included, [f"tasks/{name}.hpp" for name in ("task", "environment", "trajectory")])
                    else:
                        self.assertIn(included.split("/")[0], [*BELOW[layer], layer])

    def test_libraries_with_heavy_headers_are_known_to_one_file_each(self):
        for library, only in [("<CLI/", "apps/flags.cpp"), ("<toml++/", "lib/io/toml.cpp")]:
            users = [str(path.relative_to(ROOT)) for folder in ["apps", "lib", "tasks", "tests"]
                     for path in (ROOT / folder).rglob("*.?pp") if library in path.read_text()]
            self.assertEqual(users, [only])

    def test_messages_and_results_go_through_one_place(self):
        streams = ["lib/io/descriptor.cpp", "lib/io/progress.cpp", "lib/io/standard_streams.cpp"]
        for folder in ["apps", "lib", "tasks"]:
            for path in sorted((ROOT / folder).rglob("*.?pp")):
                name = str(path.relative_to(ROOT))
                code = re.sub(r"//.*", "", path.read_text())
                if name not in streams:
                    with self.subTest(file=name):
                        self.assertNotRegex(code, r"\bstderr\b|\bcerr\b|\bcout\b|/dev/std(out|err)")

    def test_every_cell_has_a_file_and_a_reference(self):
        for cell in names(ROOT / "lib/cells/cells.def", "RLT_CELL"):
            for place in [f"lib/cells/{cell}.cpp", f"tests/reference/{cell}.hpp"]:
                self.assertTrue((ROOT / place).exists(), place)

    def test_the_room_of_cells_holds_cells_alone(self):
        cells = names(ROOT / "lib/cells/cells.def", "RLT_CELL")
        expected = [f"{cell}.cpp" for cell in cells] + ["cells.def", "registry.cpp", "registry.hpp"]
        self.assertEqual(sorted(path.name for path in (ROOT / "lib/cells").iterdir()),
                         sorted(expected))

    def test_every_task_has_a_file_and_golden_text(self):
        for task in names(ROOT / "tasks/tasks.def", "RLT_TASK"):
            source = ROOT / f"tasks/{task}.cpp"
            self.assertTrue(source.exists(), task)
            if "tasks/fixed_sets.hpp" not in includes(source):  # draws
                for rule in ["paper", "honest"]:
                    self.assertTrue((ROOT / f"tests/golden/{task}_{rule}.txt").exists(), task)

    def test_every_environment_has_a_file_and_a_test(self):
        for environment in names(ROOT / "tasks/environments.def", "RLT_ENVIRONMENT"):
            for place in [f"tasks/{environment}.cpp", f"tests/tasks/{environment}.cpp"]:
                self.assertTrue((ROOT / place).exists(), place)

    def test_faults_to_plant_stand_once_in_their_files(self):
        for fault in (ROOT / "tests/mutants/mutants.txt").read_text().split("\n\n"):
            lines = [line for line in fault.splitlines() if not line.startswith("#")]
            if lines:
                name, file, before, *_ = lines
                with self.subTest(fault=name):
                    self.assertEqual((ROOT / file).read_text().count(before.removeprefix("- ")), 1)


if __name__ == "__main__":
    unittest.main()

"""rlt against its PyTorch peer: values and gradients of every cell, and accuracies of trained runs.

RLT_PROGRAM chooses the program. Without PyTorch the tests are skipped.
"""
import csv
import pathlib
import sys
import tempfile
import unittest
import unittest.mock

try:
    import torch
except ImportError:
    REASON = "tests/peer needs PyTorch (Debian: python3-torch): cells are not compared with it"
    print(f"SKIPPED: {REASON}", file=sys.stderr)  # unittest itself tells the reason only with -v
    raise unittest.SkipTest(REASON) from None
from torch.nn import functional

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1] / "apps")]

import cells  # noqa: E402
import checkpoint  # noqa: E402
from rlt_program import run  # noqa: E402

# Of the largest entry of a tensor: the rounding of a sum goes with its largest terms, so an entry that cancels to
# nearly 0 has no accuracy of its own, and an absolute bound would not see mistakes in gradients that are small as a
# whole. The peer computes in double: what differs is rlt's rounding.
TOLERANCE = 1e-11
# As rlt trains. galite and agalite read a ratio that is steep where the query's features are near 0, and so are the
# gradients: the peer itself, in float, is 3e-5 and 1.1e-4 away from its values in double.
FLOAT_TOLERANCE = 1e-5
FLOAT_TOLERANCES = {"galite": 2e-4, "agalite": 2e-4}
NOT_SCORED = -1
# What all scores of a query have in common softmax does not see: gradients of 0, of which both sides have nothing
# but rounding. They are compared in relation to those of the weight.
UNSEEN = (".position.bias", ".cell.key.bias")

# A training run that takes a fraction of a second; the counts and the loss tell models apart all the same.
TINY = ["--d-model", "16", "--heads", "2", "--layers", "1", "--lr", "0.01", "--epochs", "20", "--quiet"]


def difference(ours, theirs):
    """Largest difference of two arrays, relative to the largest entry of the second."""
    return abs(ours - theirs).max() / abs(theirs).max()


def scored_loss(logits, targets):
    """Cross-entropy averaged over the scored positions."""
    return functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=NOT_SCORED)


def differences(path):
    """{what: relative difference} between a file of `rlt gradcheck --export` and the peer."""
    _, tensors = checkpoint.read(path)
    model = checkpoint.open_model(path)
    logits = model(torch.tensor(tensors["tokens"]))
    loss = scored_loss(logits, torch.tensor(tensors["targets"]))
    loss.backward()
    result = {"logits": difference(tensors["logits"], logits.detach().numpy()),
              "loss": difference(tensors["loss"], loss.detach().numpy())}
    ours = checkpoint.part(tensors, "gradient.")
    theirs = checkpoint.gradients(model)
    for name, gradient in theirs.items():
        result[name] = difference(ours[name], gradient)
        if name.endswith(UNSEEN):
            beside = theirs[name.removesuffix("bias") + "weight"]
            result[name] = abs(ours[name] - gradient).max() / abs(beside).max()
    return result


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def rlt(self, *arguments):
        done = run(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def cells_of_rlt(self):
        return [line.split()[0] for line in self.rlt("cells").splitlines()]

    def export(self, cell, *flags):
        path = self.folder / f"{cell}{''.join(flags)}.safetensors"
        self.rlt("gradcheck", "--cell", cell, "--export", path, *flags)
        return path


class Values(Folder):
    def test_the_peer_knows_every_cell(self):
        self.assertEqual([cell for cell in self.cells_of_rlt() if cell not in cells.CELLS], [])

    def test_logits_and_gradients_of_every_parameter_agree(self):
        for cell in cells.CELLS:
            in_float = FLOAT_TOLERANCES.get(cell, FLOAT_TOLERANCE)
            for flags, tolerance in [[], TOLERANCE], [["--float"], in_float]:
                with self.subTest(cell=cell, flags=flags):
                    found = differences(self.export(cell, *flags))
                    wrong = {what: value for what, value in found.items() if not value < tolerance}
                    self.assertFalse(wrong, "above the tolerance")

    def test_aaren_by_scan_is_aaren_by_matrix(self):
        path = self.export("aaren")
        with unittest.mock.patch.object(cells, "PREFIX", "scan"):
            for what, value in differences(path).items():
                self.assertLess(value, TOLERANCE, what)
        # more steps than a power of two, scores that differ widely
        torch.manual_seed(1)
        scores, v = 9 * torch.randn(2, 3, 1, 37).double(), torch.randn(2, 3, 37, 5).double()
        scores.requires_grad_()
        found = []
        for form in (cells.Aaren.by_matrix, cells.Aaren.by_scan):
            mixed = form(scores, v)
            (gradient,) = torch.autograd.grad((mixed * v.flip(2)).sum(), scores)
            found.append((mixed.detach(), gradient))
        for matrix, scan in zip(*found):
            self.assertLess(float(abs(matrix - scan).max()), 1e-12)

    def test_a_slightly_wrong_gradient_is_found(self):
        path = self.export("rdn")
        _, tensors = checkpoint.read(path)
        for name, gradient in checkpoint.part(tensors, "gradient.").items():
            wrong = gradient.copy()
            wrong.flat[0] += 1e-8 * abs(gradient).max()
            self.assertGreater(difference(wrong, gradient), TOLERANCE, name)

    def test_what_is_loaded_comes_back_in_the_layout_of_rlt(self):
        for cell in cells.CELLS:
            path = self.export(cell)
            expected = checkpoint.part(checkpoint.read(path)[1], "model.")
            found = checkpoint.values(checkpoint.open_model(path))
            self.assertEqual(found.keys(), expected.keys())
            for name, array in expected.items():
                self.assertEqual(found[name].tolist(), array.tolist(), f"{cell}: {name}")


class Runs(Folder):
    def strings(self, name, vocabularies):
        """Numbered lines of NAME.src and NAME.tgt; symbols get numbers in order of appearance."""
        numbered = []
        for suffix, vocabulary in zip(["src", "tgt"], vocabularies):
            lines = (self.folder / f"{name}.{suffix}").read_text().splitlines()
            numbered.append([[vocabulary.setdefault(symbol, len(vocabulary)) for symbol in line.split()]
                             for line in lines])
        return list(zip(*numbered))

    def score(self, model, strings):
        """Counts and mean loss as eval.csv has them."""
        width = max(len(tokens) for tokens, _ in strings)
        tokens = torch.tensor([line + [0] * (width - len(line)) for line, _ in strings])
        targets = torch.tensor([line + [NOT_SCORED] * (width - len(line)) for _, line in strings])
        with torch.no_grad():
            logits = model(tokens)
        scored = targets != NOT_SCORED
        right = logits.argmax(-1) == targets
        return {"sequences": len(strings), "tokens": int(scored.sum()),
                "tokens_correct": int((right & scored).sum()),
                "sequences_correct": int((right | ~scored).all(1).sum()),
                "loss": float(scored_loss(logits, targets))}

    def train(self, cell):
        out = self.folder / cell
        self.rlt("train", "--task", "file", "--data", self.folder, "--cell", cell, *TINY, "--out", out)
        return out

    def test_a_trained_run_has_the_same_accuracy_in_both(self):
        self.rlt("data", "--task", "parity", "--train-size", "64", "--eval-sequences", "20", "--write",
                 self.folder)
        vocabularies = {}, {}
        self.strings("train", vocabularies)
        sets = {name: self.strings(name, vocabularies) for name in ["valid", "test"]}
        for cell in cells.CELLS:
            out = self.train(cell)
            model = checkpoint.open_model(out / "best.safetensors")
            with open(out / "eval.csv", newline="", encoding="utf-8") as file:
                rows = {row["split"]: row for row in csv.DictReader(file)}
            self.assertEqual(rows.keys(), sets.keys())
            for split, strings in sets.items():
                score = self.score(model, strings)
                loss = score.pop("loss")
                with self.subTest(cell=cell, split=split):
                    self.assertEqual({name: int(rows[split][name]) for name in score}, score)
                    self.assertLess(abs(loss / float(rows[split]["loss"]) - 1), FLOAT_TOLERANCE)


if __name__ == "__main__":
    unittest.main()

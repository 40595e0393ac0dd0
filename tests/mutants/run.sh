#!/usr/bin/env bash
# Plants the faults of mutants.txt one by one in a copy of the tree, builds, and runs the test that must fail for
# each. Prints a line per fault, killed or SURVIVED, and ends with "N killed, N survived". Slow: not in CI.
# tests/mutants/output.txt keeps the latest line of each fault.
#   tests/mutants/run.sh                    all
#   tests/mutants/run.sh 'momentum|start'   those whose name matches
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD copy=$(mktemp -d) pattern=${1:-}
trap 'rm -rf "$copy"' EXIT
git ls-files -z | xargs -0 cp --parents -t "$copy"
cd "$copy"
experiments/build.sh all >/dev/null
/usr/bin/python3 - "$pattern" "$root/tests/mutants/output.txt" <<'PY'
import os
import pathlib
import re
import subprocess
import sys

pattern, output = sys.argv[1], pathlib.Path(sys.argv[2])
faults = []
for paragraph in pathlib.Path("tests/mutants/mutants.txt").read_text().split("\n\n"):
    parts = [line for line in paragraph.splitlines() if not line.startswith("#")]
    if parts:
        faults.append(parts)
names = [fault[0] for fault in faults]
latest = {}
for line in output.read_text().splitlines() if output.exists() else []:
    found = re.match(r"(killed|SURVIVED) +(.*)  \(.*\)$", line)
    if found and found[2] in names:
        latest[found[2]] = line


def summary(lines):
    survived = sum(line.startswith("SURVIVED") for line in lines)
    return f"{len(lines) - survived} killed, {survived} survived"


def note(name, verdict, test):
    line = f"{verdict:8}  {name}  ({test})"
    print(line, flush=True)
    latest[name] = line
    kept = [latest[known] for known in names if known in latest]
    output.write_text("\n".join([*kept, summary(kept)]) + "\n")
    return line


lines = []
for name, file, before, after, test in faults:
    if not re.search(pattern, name):
        continue
    path = pathlib.Path(file)
    source = path.read_text()
    if source.count(before[2:]) != 1:
        sys.exit(f"{name}: '{before[2:]}' stands {source.count(before[2:])} times in {file}")
    path.write_text(source.replace(before[2:], after[2:]))
    build = subprocess.run(["experiments/build.sh", "all"], capture_output=True, text=True)
    path.write_text(source)
    if build.returncode:  # a fault that the compiler finds tests nothing
        print(build.stdout[-2000:], file=sys.stderr)
        lines.append(note(name, "SURVIVED", "does not build"))
        continue
    if test.endswith(".py"):
        folder, module = os.path.split(test)
        command = ["/usr/bin/python3", "-m", "unittest", "discover", "-s", folder, "-p", module]
    else:
        command = ["build/release/tests/rlt_tests", f"--test-case={test.replace(',', '?')}"]
    failed = subprocess.run(command, capture_output=True).returncode != 0
    lines.append(note(name, "killed" if failed else "SURVIVED", test))
print(summary(lines))
sys.exit(any(line.startswith("SURVIVED") for line in lines))
PY

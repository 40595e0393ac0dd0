#!/usr/bin/env bash
# Plants the faults of mutants.txt one by one in a copy of the tree, builds, and runs the test that must fail for
# each. Prints a line per fault, killed or SURVIVED, and ends with "N killed, N survived". Slow: not in CI.
#   tests/mutants/run.sh                    all, written to tests/mutants/output.txt too
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

pattern, output = sys.argv[1:]
lines = []
for paragraph in pathlib.Path("tests/mutants/mutants.txt").read_text().split("\n\n"):
    parts = [line for line in paragraph.splitlines() if not line.startswith("#")]
    if not parts or not re.search(pattern, parts[0]):
        continue
    name, file, before, after, test = parts
    path = pathlib.Path(file)
    source = path.read_text()
    if source.count(before[2:]) != 1:
        sys.exit(f"{name}: '{before[2:]}' stands {source.count(before[2:])} times in {file}")
    path.write_text(source.replace(before[2:], after[2:]))
    build = subprocess.run(["experiments/build.sh", "all"], capture_output=True, text=True)
    if build.returncode:  # a fault that the compiler finds tests nothing
        print(build.stdout[-2000:], file=sys.stderr)
        lines.append(f"SURVIVED  {name}  (does not build)")
        print(lines[-1], flush=True)
        path.write_text(source)
        continue
    if test.endswith(".py"):
        folder, module = os.path.split(test)
        command = ["/usr/bin/python3", "-m", "unittest", "discover", "-s", folder, "-p", module]
    else:
        command = ["build/release/tests/rlt_tests", f"--test-case={test.replace(',', '?')}"]
    failed = subprocess.run(command, capture_output=True).returncode != 0
    lines.append(f"{'killed  ' if failed else 'SURVIVED'}  {name}  ({test})")
    print(lines[-1], flush=True)
    path.write_text(source)
survived = sum(line.startswith("SURVIVED") for line in lines)
lines.append(f"{len(lines) - survived} killed, {survived} survived")
print(lines[-1])
if not pattern:
    pathlib.Path(output).write_text("\n".join(lines) + "\n")
sys.exit(survived > 0)
PY

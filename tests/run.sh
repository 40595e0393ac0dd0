#!/usr/bin/env bash
# Every test: installs what is missing, checks format and lint, builds, runs the C++ and Python tests and
# the fast tests (no training, no large samples) again under the sanitizers. Ends
# with a line "N passed, N failed".
#   FAST=1 tests/run.sh    without clang-tidy and the sanitizers
set -uo pipefail
cd "$(dirname "$0")/.."
passed=0 failed=0 since=0

# took NAME: the seconds since the last call.
took() { echo "$1: $((SECONDS - since)) s" && since=$SECONDS; }

# check NAME COMMAND...: one passed or failed.
check() {
  local name=$1
  shift
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $name" >&2
  fi
  took "$name"
}

# doctest NAME PROGRAM ARGUMENT...: adds its own counts; a crash counts as one failure.
doctest() {
  local name=$1 log counts
  shift
  log=$(mktemp)
  "$@" 2>&1 | tee "$log"
  counts=$(sed -n 's/.*test cases: *[0-9]* *| *\([0-9]*\) passed *| *\([0-9]*\) failed.*/\1 \2/p' "$log")
  if [ -n "$counts" ]; then
    passed=$((passed + ${counts% *})) failed=$((failed + ${counts#* }))
  else
    failed=$((failed + 1))
    echo "FAILED: $name did not finish" >&2
  fi
  rm -f "$log"
  took "$name"
}

# unittest FOLDER: the same for Python.
unittest() {
  local log counts
  log=$(mktemp)
  /usr/bin/python3 -m unittest discover -s "$1" 2>&1 | tee "$log"
  counts=$(/usr/bin/python3 - "$log" <<'PY'
import re, sys
text = open(sys.argv[1]).read()
ran = re.search(r'^Ran (\d+) test', text, re.M)
bad = sum(map(int, re.findall(r'(?:failures|errors)=(\d+)', text)))
skipped = sum(map(int, re.findall(r'skipped=(\d+)', text)))
print(int(ran[1]) - bad - skipped if ran else 0, bad if ran else 1)
PY
)
  passed=$((passed + ${counts% *})) failed=$((failed + ${counts#* }))
  rm -f "$log"
  took "$1"
}

sources() { git ls-files '*.cpp' '*.hpp'; }

experiments/setup.sh build figures checks || exit 1
took "set-up"
check "clang-format" bash -c 'git ls-files "*.cpp" "*.hpp" | xargs clang-format --dry-run -Werror'
check "build" experiments/build.sh all
if [ "$failed" -eq 0 ]; then
  doctest "tests" build/release/tests/rlt_tests
  for folder in tests/structure tests/apps tests/experiments tests/peer; do
    [ -d "$folder" ] && unittest "$folder"
  done
fi
if [ -z "${FAST:-}" ]; then
  # clang cannot read GCC's precompiled headers.
  check "clang-tidy" bash -c 'cmake --preset release -B build/tidy -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON >/dev/null &&
    git ls-files "lib/*.cpp" "tasks/*.cpp" "apps/*.cpp" |
    xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p build/tidy 2>/dev/null'
  check "sanitizer build" bash -c 'cmake --preset sanitize >/dev/null && cmake --build --preset sanitize --target rlt_tests'
  doctest "sanitizer tests" build/sanitize/tests/rlt_tests \
    --test-case-exclude='*learn*,listops: trees of a depth*,listops: a level adds*'
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

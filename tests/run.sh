#!/usr/bin/env bash
# Every test: installs what is missing, checks format and lint, builds, runs the C++ and Python tests and
# the fast tests (no training, no large samples) again under the sanitizers. Ends with a line "N passed, N failed".
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

# parts NAME KIND WHAT...: adds the counts of tests/parts.py.
parts() {
  local name=$1 log counts
  shift
  log=$(mktemp)
  /usr/bin/python3 tests/parts.py "$@" | tee "$log"
  counts=$(sed -nE '$ s/([0-9]+) passed, ([0-9]+) failed/\1 \2/p' "$log")
  counts=${counts:-0 1}
  passed=$((passed + ${counts% *})) failed=$((failed + ${counts#* }))
  rm "$log"
  took "$name"
}

experiments/setup.sh build figures checks || exit 1
took "set-up"
check "clang-format" bash -c 'git ls-files "*.cpp" "*.hpp" | xargs clang-format --dry-run -Werror'
check "build" experiments/build.sh all
if [ "$failed" -eq 0 ]; then
  parts "C++ tests" doctest build/release/tests/rlt_tests
  parts "Python tests" unittest tests/structure tests/apps tests/experiments tests/peer
fi
if [ -z "${FAST:-}" ]; then
  # A folder of lib at a time: most of the work is in the headers. clang cannot read GCC's precompiled ones.
  check "clang-tidy" bash -c 'cmake --preset release -B build/tidy -DCMAKE_UNITY_BUILD=ON \
      -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON >/dev/null &&
    sed -n "s/^ *\"file\": \"\(.*\)\",*$/\1/p" build/tidy/compile_commands.json | grep -v "^$PWD/tests/" |
    xargs -P "$(nproc)" -n 1 clang-tidy --quiet -p build/tidy 2>/dev/null'
  # For AVX2, so that on a newer processor two levels are tested.
  level=()
  ! grep -qw avx2 /proc/cpuinfo || level=(-DRLT_NATIVE=OFF -DRLT_TEST_LEVEL=x86-64-v3)
  check "sanitizer build" bash -c 'cmake --preset sanitize "$@" >/dev/null &&
    cmake --build --preset sanitize --target rlt_tests' - "${level[@]}"
  parts "sanitizer tests" doctest build/sanitize/tests/rlt_tests \
    --test-case-exclude='*learn*,signature*,acting: rewards*,listops: trees of a depth*,listops: a level adds*'
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

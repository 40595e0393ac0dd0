#!/usr/bin/env bash
# Builds the program into build/release and prints its path.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset release -DRLT_TESTS="${RLT_TESTS:-OFF}" >&2
cmake --build --preset release --target "${1:-rlt}" >&2
echo "$PWD/build/release/rlt"

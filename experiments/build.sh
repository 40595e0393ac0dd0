#!/usr/bin/env bash
# Builds the program (or the named target) into build/release and prints the program's path.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset release >&2
cmake --build --preset release --target "${1:-rlt}" >&2
echo "$PWD/build/release/rlt"

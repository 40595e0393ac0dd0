#!/usr/bin/env bash
# Measured data out of Debian packages: series as CSV files in the form that `--task series --data` reads, and where the
# images of Fashion-MNIST lie, which `--task series_class --data` reads as they are. Prints and writes OUT/data.csv:
# package, version, file, sha256 and rows of each. Gaps become empty cells, for `--task-option missing=forward`.
#   experiments/real_data.sh
#   DATA=/tmp/series OUT=/tmp experiments/real_data.sh
set -euo pipefail
cd "$(dirname "$0")/.."

DATA=${DATA:-runs/data}
OUT=${OUT:-results/aaren}

experiments/setup.sh figures data
mkdir -p "$DATA" "$OUT"
/usr/bin/python3 experiments/real_data.py --series "$DATA" --out "$OUT/data.csv"

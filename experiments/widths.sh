#!/usr/bin/env bash
# What share of the machine's multiply-adds a training step gets, for every cell and width: `rlt bench` over all of
# them, in turns. Writes OUT/widths.csv, all rounds, and widths.md, the fastest. Keep the machine idle.
#   experiments/widths.sh
#   CELLS="lstm rdn" WIDTHS=64-512*2 THREADS=1 ROUNDS=5 experiments/widths.sh
set -euo pipefail
source "$(dirname "$0")/common.sh"

CELLS=${CELLS:-$("$rlt" cells | awk '{ print $1 }')}
WIDTHS=${WIDTHS:-16-256*2}
THREADS=${THREADS:-1}
ROUNDS=${ROUNDS:-3}
REPEATS=${REPEATS:-7}
OUT=${OUT:-results/speed}
mkdir -p "$OUT"
part=$(mktemp -d)
trap 'rm -rf "$part"' EXIT

for _ in $(seq "$ROUNDS"); do
  # shellcheck disable=SC2086
  "$rlt" bench --cell "$(echo $CELLS | tr ' ' ,)" --d-model "$WIDTHS" --threads "$THREADS" \
    --repeats "$REPEATS" --csv "$part/widths.csv" 2>/dev/null
done
mv "$part/widths.csv" "$OUT/widths.csv"
/usr/bin/python3 - "$OUT/widths.csv" >"$OUT/widths.md" <<'PY'
import sys
import pandas
frame = pandas.read_csv(sys.argv[1])
first = frame.iloc[0]
print(f"Milliseconds of a training step (batch {first['batch']}, length {first['length']}, the cell's own layers; float,"
      f" {first['threads']} threads, {first['processor']}); in brackets percent of the {frame['peak_gflops'].median():.0f}"
      f" GFLOP/s that fused multiply-adds in registers reach there: the step / its dense products alone. The fastest of"
      f" {frame.groupby(['cell', 'd_model']).size().max()} rounds, commit {first['commit']}.\n")
fastest = frame.loc[frame.groupby(["cell", "d_model"])["step_ms"].idxmin()].set_index(["cell", "d_model"])
widths = sorted(set(frame["d_model"]))
print("| cell |" + "".join(f" d={width} |" for width in widths))
print("|---|" + "---:|" * len(widths))
for cell in dict.fromkeys(frame["cell"]):
    cells = ""
    for width in widths:
        row = fastest.loc[(cell, width)]
        cells += f" {row['step_ms']:.2f} ({100 * row['peak_fraction']:.0f} / {100 * row['floor_peak_fraction']:.0f}) |"
    print(f"| {cell} |{cells}")
PY
echo "widths: $OUT/widths.md"

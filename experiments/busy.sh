#!/usr/bin/env bash
# What threads are worth on a machine with other work: milliseconds of a training step with one and with two threads,
# alone and beside busy processes, in turns. Writes OUT/threads.csv and threads.md. Start it on an idle machine.
#   experiments/busy.sh
#   CELLS="lstm rdn" BUSY="0 2" THREADS="1 2 4" ROUNDS=9 experiments/busy.sh
set -euo pipefail
source "$(dirname "$0")/common.sh"

CELLS=${CELLS:-deltanet lstm}
BUSY=${BUSY:-0 1 4}
THREADS=${THREADS:-1 2}
ROUNDS=${ROUNDS:-5}
OUT=${OUT:-results/speed}
mkdir -p "$OUT"
part=$(mktemp)
trap 'stop_busy; rm -f "$part"' EXIT

echo "cell,busy,threads,round,step_ms,processor" >"$part"
for busy in $BUSY; do
  start_busy "$busy"
  for round in $(seq "$ROUNDS"); do
    for cell in $CELLS; do
      for threads in $THREADS; do
        row=$(bench_columns step_ms,processor "$rlt" --cell "$cell" --threads "$threads" --repeats 21)
        echo "$cell,$busy,$threads,$round,$row" >>"$part"
      done
    done
  done
  stop_busy
done
cat "$part" >"$OUT/threads.csv"
/usr/bin/python3 - "$OUT/threads.csv" >"$OUT/threads.md" <<'PY'
import sys
import pandas
frame = pandas.read_csv(sys.argv[1])
middle = frame.groupby(["cell", "busy", "threads"])["step_ms"].median().unstack()
least = min(middle.columns)
print(f"Milliseconds of a training step (d=64, 2 layers, batch 32, length 50), medians of {frame['round'].max()} rounds in"
      f" turns, {frame['processor'].iloc[0]}; in brackets against {least} thread.\n")
print("| cell | busy processes beside it |" + "".join(f" {threads} threads |" for threads in middle.columns))
print("|---|---:|" + "---:|" * len(middle.columns))
for (cell, busy), row in middle.iterrows():
    cells = "".join(f" {row[threads]:.2f} ({row[threads] / row[least]:.2f}) |" for threads in middle.columns)
    print(f"| {cell} | {busy} |{cells}")
PY
echo "busy: $OUT/threads.md"

#!/usr/bin/env bash
# What a change of the program's speed is worth: a training step of an older commit, or of another program, and of this
# one, in turns, by width and threads on an idle machine, then of the first width beside busy processes. Writes
# OUT/NAME.csv and NAME.md.
#   experiments/versions.sh                     before oneDNN's products and the pool of threads
#   BEFORE=HEAD~1 CELLS=rdn WIDTHS="64 256" BUSY=0 experiments/versions.sh
#   BEFORE=build/package/bin/rlt NAME=portable BUSY=0 experiments/versions.sh     the one of experiments/package.sh
set -euo pipefail
source "$(dirname "$0")/common.sh"

BEFORE=${BEFORE:-4fa98bf}
NAME=${NAME:-versions}
CELLS=${CELLS:-deltanet linear transformer lstm}
WIDTHS=${WIDTHS:-64 128 256}
BUSY=${BUSY:-0 1 4}
THREADS=${THREADS:-1 2}
ROUNDS=${ROUNDS:-10}
REPEATS=${REPEATS:-7}
OUT=${OUT:-results/speed}
mkdir -p "$OUT"
if [ ! -x "$BEFORE" ]; then
  tree=build/before/$(git rev-parse --short "$BEFORE")
  [ -d "$tree" ] || git worktree add --detach "$tree" "$BEFORE" >&2
  BEFORE=$("$tree/experiments/build.sh")
fi
declare -A program=([before]=$BEFORE [after]=$rlt)
processor=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
part=$(mktemp)
trap 'stop_busy; rm -f "$part"' EXIT

# Its commit, and the level that it was built for.
label_of() { "$1" --version | sed -E 's/.*\((.*)\)/\1/; s/, GNU [0-9.]+//; s/,//g'; }
declare -A label=([before]=$(label_of "$BEFORE") [after]=$(label_of "$rlt"))

echo "program,label,processor,cell,d_model,busy,threads,round,step_ms,floor_ms" >"$part"
for busy in $BUSY; do
  start_busy "$busy"
  for round in $(seq "$ROUNDS"); do
    for cell in $CELLS; do
      for width in $([ "$busy" = 0 ] && echo "$WIDTHS" || echo "${WIDTHS%% *}"); do
        for threads in $THREADS; do
          for which in before after; do
            row=$(bench_columns step_ms,floor_ms "${program[$which]}" --cell "$cell" --d-model "$width" \
              --threads "$threads" --repeats "$REPEATS")
            echo "$which,${label[$which]},$processor,$cell,$width,$busy,$threads,$round,$row" >>"$part"
          done
        done
      done
    done
  done
  stop_busy
done
cat "$part" >"$OUT/$NAME.csv"
/usr/bin/python3 - "$OUT/$NAME.csv" >"$OUT/$NAME.md" <<'PY'
import sys
import pandas
frame = pandas.read_csv(sys.argv[1])
label = frame.groupby("program")["label"].first()
print(f"Milliseconds of a training step (2 layers, batch 32, length 50) of {label['before']} and of {label['after']}, in"
      f" brackets its dense products alone: the fastest of {frame['round'].max()} rounds in turns, because a virtual machine"
      f" may be half as fast for some seconds; {frame['processor'].iloc[0]}.\n")
print("| cell | d | busy processes beside it | threads | before | after | before / after |")
print("|---|---:|---:|---:|---:|---:|---:|")
for (busy, cell, width, threads), rows in frame.groupby(["busy", "cell", "d_model", "threads"], sort=False):
    least = rows.groupby("program")[["step_ms", "floor_ms"]].min()
    steps = [f"{least.loc[which, 'step_ms']:.2f} ({least.loc[which, 'floor_ms']:.2f})" for which in ("before", "after")]
    ratio = least.loc["before", "step_ms"] / least.loc["after", "step_ms"]
    print(f"| {cell} | {width} | {busy} | {threads} | {steps[0]} | {steps[1]} | {ratio:.2f} |")
PY
echo "versions: $OUT/$NAME.md"

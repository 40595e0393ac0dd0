#!/usr/bin/env bash
# Time and memory of a training step as sequences grow: linear in T for every cell but the softmax ones.
# Writes results/scaling/bench.csv, table.md and scaling.svg.
#   experiments/scaling.sh
#   CELLS="rdn srwm" LENGTHS="512 8192" BATCH=16 experiments/scaling.sh
#   OUT=results/scaling/long CELLS="aaren transformer" LENGTHS="1024 2048 4096 8192 16384 32768 65536" BATCH=1 \
#     REPEATS=1 experiments/scaling.sh         one sequence, where a square in T becomes minutes
set -euo pipefail
cd "$(dirname "$0")/.."

CELLS=${CELLS:-lstm transformer_preln linear deltanet delta_rnn delta_lstm delta_mlp rdn srwm aaren gru sliding_window
  block_recurrent}
LENGTHS=${LENGTHS:-256 512 1024 2048 4096}
SIZES="--d-model 64 --heads 4 --ff 4 --layers 2 --batch ${BATCH:-4}"
OUT=${OUT:-results/scaling}

experiments/setup.sh build figures
rlt=${RLT_PROGRAM:-$(experiments/build.sh)}
mkdir -p "$OUT"
rm -f "$OUT/bench.csv"
for length in $LENGTHS; do
  for cell in $CELLS; do
    # shellcheck disable=SC2086
    "$rlt" bench --cell "$cell" $SIZES --length "$length" --repeats "${REPEATS:-3}" --csv "$OUT/bench.csv"
  done
done
/usr/bin/python3 experiments/scaling.py "$OUT/bench.csv" --out "$OUT"

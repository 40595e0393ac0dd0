#!/usr/bin/env bash
# How long a training step takes: rlt beside the floor of its dense products and beside the same cells in
# PyTorch, in turns on the same cores. Writes results/speed/bench.csv and table.md. Keep the machine idle.
#   experiments/speed.sh
#   QUICK=1 experiments/speed.sh              without the peer where a step of it takes seconds
#   CASES=64,long CELLS=rdn,srwm ROUNDS=9 experiments/speed.sh
# Without PyTorch (Debian: python3-torch) the peer's columns stay empty.
set -euo pipefail
cd "$(dirname "$0")/.."

experiments/setup.sh build figures
rlt=${RLT_PROGRAM:-$(experiments/build.sh)}
arguments=(--rlt "$rlt" --out "${OUT:-results/speed}" --rounds "${ROUNDS:-5}"
  --repeats "${REPEATS:-21}" --peer-repeats "${PEER_REPEATS:-5}")
[ -z "${CASES:-}" ] || arguments+=(--cases "$CASES")
[ -z "${CELLS:-}" ] || arguments+=(--cells "$CELLS")
[ -z "${QUICK:-}" ] || arguments+=(--quick)
/usr/bin/python3 experiments/speed.py "${arguments[@]}"

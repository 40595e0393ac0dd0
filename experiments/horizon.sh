#!/usr/bin/env bash
# How far does "solved" carry? Small nets trained on strings of up to 50 symbols, then the longest strings that they
# still get right (rlt eval --horizon), over five learning rates: a run that solves every published bin may end at
# length 200 or at none that was tried. The best rate of a cell is chosen on training lengths alone.
#   experiments/horizon.sh                               everything: 1650 runs
#   TASKS=parity JOBS=1 experiments/horizon.sh           550 runs, in the background for as long as it takes
#   TASKS=parity SEEDS="1 2" LRS="1e-3 3e-3" CELLS="lstm deltanet deltanet:beta_max=2" experiments/horizon.sh
#   TASKS=anbn CELLS="srwm rdn" SEEDS="1 2 3" D_MODEL=64 RUNS=runs/counters OUT=results/horizon/counters experiments/horizon.sh
#   ADD=1 TASKS=flip_flop experiments/horizon.sh         rows of one more task beside those in OUT
#   LIST=1 experiments/horizon.sh                        the commands of the training, for GNU parallel
# Each run is searched as soon as it is trained, seed by seed, so that whatever is there after a stop is complete; called
# again, it goes on. TASKS: a language or a group of word_problem. CELLS: a cell, or cell:option=value.
set -euo pipefail
CHOSEN_SEEDS=${SEEDS:-}
source "$(dirname "$0")/common.sh"

TASKS=${TASKS:-parity Z3 S3 A5 flip_flop}
CELLS=${CELLS:-lstm elstm gru elman rdn srwm delta_lstm deltanet deltanet:beta_max=2 transformer linear}
LRS=${LRS:-3e-4 1e-3 2e-3 5e-3 1e-2}
MAX_LENGTH=${MAX_LENGTH:-1000000}
RUNS=${RUNS:-runs/horizon}
OUT=${OUT:-results/horizon}

# The same for every run. It ends when bin 0 has not become better for `patience` epochs.
COMMON="--rule honest --protocol honest --window 2-50 --d-model ${D_MODEL:-32} --layers 2 --heads 4 --ff 2 --batch 32 --clip 1\
 --epochs ${EPOCHS:-40} --patience ${PATIENCE:-10} --eval-sequences 500"

task_flags() {
  case $1 in
    [A-Z]*) echo "--task word_problem --task-option group=$1" ;;
    *) echo "--task $1" ;;
  esac
}
cell_flags() {
  case $1 in
    *:*) echo "--cell ${1%%:*} --cell-option ${1#*:}" ;;
    *) echo "--cell $1" ;;
  esac
}
seeds() {
  case $1 in
    parity) echo "${CHOSEN_SEEDS:-1 2 3 4 5 6 7 8 9 10}" ;;
    *) echo "${CHOSEN_SEEDS:-1 2 3 4 5}" ;;
  esac
}

commands() {
  local task seed cell lr
  for task in $TASKS; do
    for seed in $(seeds "$task"); do
      for cell in $CELLS; do
        for lr in $LRS; do
          train_command "$RUNS/$task/${cell/:/-}/lr-$lr/seed-$seed" \
            "$(task_flags "$task") $(cell_flags "$cell") --lr $lr $COMMON --seed $seed"
        done
      done
    done
  done
}

# Of flip_flop also with the shares of i that the paper tests with.
evaluation() {
  local run=$1 evaluate="$rlt eval $1 --threads 1 --csv $1/part.csv"
  once "$run" horizon.csv "$evaluate --horizon --max-length $MAX_LENGTH"
  case $run in
    */flip_flop/*) once "$run" ignore.csv \
      "for i in 0.98 0.1; do $evaluate --task-option ignore=\$i --lengths 512 --sequences 500; done" ;;
  esac
}
train_and_evaluate
keep "$OUT/horizon.csv"
/usr/bin/python3 experiments/horizon.py merge "$RUNS" "${kept[@]}" --out "$OUT/horizon.csv"
/usr/bin/python3 experiments/horizon.py scores "$OUT/horizon.csv" >"$OUT/scores.md"
plot horizon --out "$OUT/horizon.svg" "$OUT/horizon.csv"
echo "horizon: $OUT"

#!/usr/bin/env bash
# Learning rate x width for the cells on one task. Picks the best setting of each cell on validation data
# (bin0, or `valid` of given data) and looks at no longer string. Adds to the tasks swept before.
#   TASK=listops CELLS="lstm rdn" experiments/sweep.sh
#   TASK=parity LRS="3e-4 1e-3 3e-3" SIZES="32 64" SEED=1 JOBS=8 experiments/sweep.sh
#   TASK=text SETTINGS="--data FOLDER --segment 64 --epochs 3" experiments/sweep.sh
#   LIST=1 experiments/sweep.sh | parallel -j 32 --sshlogin ...    the commands, for GNU parallel
set -euo pipefail
source "$(dirname "$0")/common.sh"

TASK=${TASK:-parity}
CELLS=${CELLS:-lstm transformer linear deltanet rdn srwm}
LRS=${LRS:-3e-4 1e-3 3e-3}
SIZES=${SIZES:-32 64}
SEED=${SEED:-1}
RULE=${RULE:-honest}
RUNS=${RUNS:-runs/sweep}
OUT=${OUT:-results/sweep}
# The same for every run, and where SETTINGS of the task go; a later one wins.
COMMON="--heads 4 --ff 4 --batch 32 --clip 1 --epochs 5 --patience 3"
case $TASK in
  file | text) ;; # own data are not drawn
  *) COMMON+=" --rule $RULE --protocol honest --eval-sequences 500" ;;
esac
case $TASK in
  code_execution) COMMON+=" --window 10-40 --bucket 16" ;;
  listops) COMMON+=" --window 1-10 --bucket 16" ;;
  text) COMMON+=" --segment 64" ;;
esac
SETTINGS=${SETTINGS:-}

commands() {
  local cell lr size
  for cell in $CELLS; do
    for lr in $LRS; do
      for size in $SIZES; do
        train_command "$RUNS/$TASK/$cell/lr-$lr/size-$size/seed-$SEED" \
          "--task $TASK --cell $cell --lr $lr --d-model $size $COMMON" \
          "$(swept_positions "$cell") --seed $SEED $SETTINGS"
      done
    done
  done
}
swept_positions() {
  case $TASK in code_execution | listops | text) positions "$1" ;; esac
}
train

report merge --settings lr,d-model --splits bin0,valid --out "$OUT/sweep.csv" "$RUNS"
report best --settings lr,d-model --out "$OUT/best.csv" "$OUT/sweep.csv" >"$OUT/best.md"
cat "$OUT/best.md"
echo "sweep: $OUT"

#!/usr/bin/env bash
# Sequential ListOps of arXiv 2106.06295: the value of a nested expression, read at its last token. Trains on
# one window of depths, measures on deeper expressions.
#   experiments/listops.sh                           small: a few minutes per cell on one core
#   PRESET=paper JOBS=32 experiments/listops.sh      the sizes of the paper, depth 10 and depth 15
#   CELLS="lstm rdn" SEEDS=1 experiments/listops.sh
#   ADD=1 CELLS=aaren experiments/listops.sh           rows of one more cell beside those in OUT
#   LIST=1 experiments/listops.sh | parallel -j 32 --sshlogin ...    the commands, for GNU parallel
set -euo pipefail
source "$(dirname "$0")/common.sh"

PRESET=${PRESET:-small}
CELLS=${CELLS:-lstm transformer linear deltanet delta_rnn delta_lstm delta_mlp rdn srwm}
RUNS=${RUNS:-runs/listops/$PRESET}
LENGTHS=1-20
# WINDOWS: depths of training; LENGTHS: of measuring.
case $PRESET in
  small)
    RULES=${RULES:-honest} WINDOWS=${WINDOWS:-1-10} EPOCHS=${EPOCHS:-10} PATIENCE=${PATIENCE:-5}
    OUT=${OUT:-results/listops}
    COMMON="--d-model 64 --layers 2 --heads 4 --ff 4 --batch 32 --lr 1e-3 --clip 1 --bucket 16\
 --train-size 10000 --eval-sequences 500"
    ;;
  paper) # the LSTM's own sizes are not known
    RULES=${RULES:-paper} WINDOWS=${WINDOWS:-10-10 15-15} EPOCHS=${EPOCHS:-200} PATIENCE=${PATIENCE:-0}
    OUT=${OUT:-results/listops/paper}
    COMMON="--d-model 256 --layers 4 --heads 16 --ff 4 --batch 64 --lr 3e-4 --clip 0 --dropout 0.1\
 --train-size 10000 --eval-sequences 1000"
    ;;
  *) echo "PRESET=$PRESET: must be small or paper" >&2 && exit 2 ;;
esac

commands() {
  local seed rule window cell
  for seed in $SEEDS; do
    for rule in $RULES; do
      for window in $WINDOWS; do
        for cell in $CELLS; do
          train_command "$RUNS/$rule/depth-$window/$cell/seed-$seed" \
            "--task listops --cell $cell --rule $rule --window $window" \
            "$COMMON --epochs $EPOCHS --patience $PATIENCE" \
            "$(small_rate "$cell") $(positions "$cell") --seed $seed"
        done
      done
    done
  done
}
train
measure "$RUNS"/*/*/*/seed-*

merge eval --settings window
merge lengths --settings window
for window in $WINDOWS; do
  both "$OUT/scores_$window" scores --where "window=$window" --splits bin0,bin1 "$OUT/eval.csv"
  for rule in $RULES; do
    plot length --x size --x-label depth --train-length "${window#*-}" --where "window=$window" \
      --rule "$rule" --out "$OUT/sequence_${rule}_$window.svg" "$OUT/lengths.csv"
  done
done
report literature --literature results/listops/literature.csv --protocol honest \
  --ours "$OUT/eval.csv" >"$OUT/literature.md"
echo "listops: $OUT"

#!/usr/bin/env bash
# Code execution of arXiv 2106.06295: cells read programs and say what they print. Trains on programs of one
# window of sizes, measures on longer ones. Rule honest: labels as Python gives them; rule paper: as published.
#   experiments/code_execution.sh                           small: a few minutes per cell on one core
#   PRESET=paper JOBS=32 experiments/code_execution.sh      the sizes of the paper
#   VARIABLES=5 CELLS="lstm rdn" SEEDS=1 experiments/code_execution.sh
#   ADD=1 CELLS=aaren experiments/code_execution.sh    rows of one more cell beside those in OUT
#   LIST=1 experiments/code_execution.sh | parallel -j 32 --sshlogin ...    the commands, for GNU parallel
set -euo pipefail
source "$(dirname "$0")/common.sh"

PRESET=${PRESET:-small}
CELLS=${CELLS:-lstm transformer linear deltanet delta_rnn delta_lstm delta_mlp rdn srwm}
RUNS=${RUNS:-runs/code_execution/$PRESET}
# WINDOW, LENGTHS: statements.
case $PRESET in
  small)
    RULES=${RULES:-honest} VARIABLES=${VARIABLES:-3} EPOCHS=${EPOCHS:-25} PATIENCE=${PATIENCE:-8}
    WINDOW=5-25 LENGTHS=5-25:5,30-100:10 OUT=${OUT:-results/code_execution}
    COMMON="--d-model 64 --layers 2 --heads 4 --ff 4 --batch 32 --lr 1e-3 --clip 1 --bucket 16\
 --train-size 10000 --eval-sequences 500"
    ;;
  paper) # the LSTM's own sizes are not known
    RULES=${RULES:-paper} VARIABLES=${VARIABLES:-3 5} EPOCHS=${EPOCHS:-200} PATIENCE=${PATIENCE:-0}
    WINDOW=100-100 LENGTHS=50-200:25 OUT=${OUT:-results/code_execution/paper}
    COMMON="--d-model 256 --layers 4 --heads 16 --ff 4 --batch 64 --lr 3e-4 --clip 0 --dropout 0.1\
 --train-size 10000 --eval-sequences 1000"
    ;;
  *) echo "PRESET=$PRESET: must be small or paper" >&2 && exit 2 ;;
esac

commands() {
  local seed rule variables cell
  for seed in $SEEDS; do
    for rule in $RULES; do
      for variables in $VARIABLES; do
        for cell in $CELLS; do
          train_command "$RUNS/$rule/variables-$variables/$cell/seed-$seed" \
            "--task code_execution --task-option variables=$variables --cell $cell --rule $rule" \
            "--window $WINDOW $COMMON --epochs $EPOCHS --patience $PATIENCE" \
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
for variables in $VARIABLES; do
  both "$OUT/scores_$variables" scores --where "variables=$variables" --splits bin0,bin1 \
    --metrics sequence_accuracy,answer_accuracy,blank_accuracy "$OUT/eval.csv"
  for rule in $RULES; do
    for metric in sequence answer; do
      plot length --x size --x-label statements --metric $metric --train-length "${WINDOW#*-}" \
        --where "variables=$variables" --rule "$rule" --out "$OUT/${metric}_${rule}_$variables.svg" \
        "$OUT/lengths.csv"
    done
  done
done
report literature --literature results/code_execution/literature.csv --protocol honest \
  --ours "$OUT/eval.csv" >"$OUT/literature.md"
echo "code_execution: $OUT"

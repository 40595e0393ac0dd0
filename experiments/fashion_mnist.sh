#!/usr/bin/env bash
# Fashion-MNIST as sequences: image by rows (28 steps of 28 values) and by pixels (784 steps of one). Test accuracy of six
# cells beside logistic regression on the same pixels. All 60,000 images, the last 10,000 of them for validation, and the
# 10,000 of the test set. The learning rate is chosen per cell by the loss on validation data, on seed 1000.
#   experiments/fashion_mnist.sh                          rows: 3 seeds, 10 epochs; pixels: 1 seed, narrower, 2 epochs
#   READS=rows CELLS="aaren gru" SEEDS=1 experiments/fashion_mnist.sh
#   ADD=1 READS=pixels experiments/fashion_mnist.sh       rows of one more reading beside those in OUT
#   LIST=1 experiments/fashion_mnist.sh                   the commands, for GNU parallel
# DATA: a folder with the four IDX files, its path seen from the top of the repository; default: Debian's.
set -euo pipefail
PIXEL_SEEDS=${PIXEL_SEEDS:-${SEEDS:-1}}
source "$(dirname "$0")/common.sh"

CELLS=${CELLS:-aaren transformer gru lstm deltanet rdn}
READS=${READS:-rows pixels}
RUNS=${RUNS:-runs/fashion_mnist}
OUT=${OUT:-results/fashion_mnist}
if [ -z "${DATA:-}" ]; then
  experiments/setup.sh data
  DATA=/usr/share/datasets/fashion-mnist
fi

# What is trained. Pixels are 28 times as many steps: what is spent on them is what an hour or so of one core holds for all
# six cells. Attention has positions.
setting() {
  local sizes places=
  case $1 in
    rows) sizes="--d-model 64 --batch 64" ;;
    pixels) sizes="--d-model 32 --batch 32" ;;
    *) echo "READS: $1 is unknown" >&2 && exit 2 ;;
  esac
  case $2 in aaren | transformer) places="--positions sinusoidal" ;; esac
  echo "--task series_class --data $DATA --task-option read=$1 --cell $2 --heads 4 --layers 2 $sizes --clip 1" \
    "--patience 0 $places"
}
epochs() { [ "$1" = rows ] && echo "--epochs ${ROW_EPOCHS:-10}" || echo "--epochs ${PIXEL_EPOCHS:-2}"; }
# About a quarter of the training.
tuning_steps() { [ "$1" = rows ] && echo "--steps 2000" || echo "--steps 1200"; }
seeds_of() { [ "$1" = rows ] && echo "$SEEDS" || echo "$PIXEL_SEEDS"; }

tuning_commands() {
  local read cell lr
  for read in $READS; do
    for cell in $CELLS; do
      for lr in 1e-3 3e-3; do
        train_command "$RUNS/tuning/$read/$cell/lr-$lr" "$(setting "$read" "$cell")" "$(tuning_steps "$read")" \
          "--lr $lr --seed 1000"
      done
    done
  done
}
# chosen READ CELL
chosen() {
  awk -F, -v cell="$2" '$1 == cell && $NF == "True" { print "--lr " $2 }' "$OUT/tuning/$1.csv"
}
commands() {
  local read seed cell
  for read in $READS; do
    for seed in $(seeds_of "$read"); do
      for cell in $CELLS; do
        train_command "$RUNS/seeds/$read/$cell/seed-$seed" "$(setting "$read" "$cell")" "$(epochs "$read")" \
          "$(chosen "$read" "$cell") --seed $seed"
      done
    done
  done
}

for read in $READS; do setting "$read" aaren >/dev/null; done  # an unknown one ends the script here
mkdir -p "$OUT/tuning"
tuning_commands | xargs -P "$JOBS" -I{} sh -c '{} || echo "exit $?: {}" >&2'
for read in $READS; do
  /usr/bin/python3 experiments/forecasts.py pick "$RUNS/tuning/$read" --out "$OUT/tuning/$read.csv"
done
train
[ -f "$OUT/linear.csv" ] || /usr/bin/python3 experiments/fashion_mnist.py "$DATA" --out "$OUT/linear.csv"
places=()
for read in $READS; do places+=("$RUNS/seeds/$read"); done
keep "$OUT/eval.csv"
/usr/bin/python3 experiments/forecasts.py merge "${places[@]}" "${kept[@]}" --references "$OUT/linear.csv" --out "$OUT/eval.csv"
{
  /usr/bin/python3 experiments/forecasts.py scores "$OUT/eval.csv"
  echo
  echo "Published, by rows: GRU with an SVM on top 0.888, with dropout 0.897 (from the README of the data set, whose authors"
  echo "have not tested them)."
} >"$OUT/scores.md"
/usr/bin/python3 experiments/forecasts.py figure "$OUT/eval.csv" --out "$OUT/scores.svg"
echo "fashion_mnist: $OUT"

#!/usr/bin/env bash
# T-Maze of arXiv 2310.15719: remember the first observation to the end of a corridor. By rewards (a2c) on corridors of
# several lengths, with learning rate and entropy chosen per cell from the same grid on a short corridor; and by
# imitation, measured on corridors never trained on.
#   experiments/tmaze.sh                                small nets, corridors 10, 20, 40
#   PRESET=paper CORRIDORS=120 SEEDS="1 2 3" experiments/tmaze.sh     the published sizes and settings, 5 M steps
#   CELLS="agalite gru" SEEDS=1 experiments/tmaze.sh
#   ADD=1 PRESET=paper SEEDS="2 3" experiments/tmaze.sh               rows of two more seeds beside those in OUT
#   LIST=1 experiments/tmaze.sh                         the commands, for GNU parallel
set -euo pipefail
SEEDS=${SEEDS:-1 2 3 4 5}
source "$(dirname "$0")/common.sh"

PRESET=${PRESET:-quick}
RUNS=${RUNS:-runs/tmaze/$PRESET}
OUT=${OUT:-results/tmaze/$PRESET}
case $PRESET in
  quick)
    CELLS=${CELLS:-lstm gru deltanet rdn galite agalite gtrxl}
    CORRIDORS=${CORRIDORS:-10 20 40} STEPS=${STEPS:-1000000} TUNING_STEPS=${TUNING_STEPS:-300000}
    ;;
  paper)
    CELLS=${CELLS:-lstm gru galite agalite gtrxl}
    CORRIDORS=${CORRIDORS:-120 160 200} STEPS=${STEPS:-5000000}
    ;;
  *) echo "PRESET=$PRESET: must be quick or paper" >&2 && exit 2 ;;
esac

# About 50 to 150 thousand weights each.
small_size() {
  case $1 in
    lstm | gru) echo "--d-model 96 --layers 1 --hidden 64" ;;
    galite | agalite) echo "--d-model 48 --layers 2 --heads 2 --hidden 64 --cell-option head_size=24" ;;
    gtrxl) echo "--d-model 48 --layers 2 --heads 2 --hidden 64 --cell-option head_size=24,memory=64" ;;
    *) echo "--d-model 64 --layers 2 --heads 4 --ff 2 --hidden 64" ;;
  esac
}

# The grid of the paper's configurations, times ten: nets are ten times smaller.
tuning_commands() {
  local cell lr entropy
  for cell in $CELLS; do
    for lr in 3e-4 1e-3; do
      for entropy in 1e-3 1e-2; do
        train_command "$RUNS/tuning/$cell/lr-$lr-entropy-$entropy" \
          "--task tmaze --cell $cell $(small_size "$cell") --task-option corridor=10 --lr $lr" \
          "--entropy $entropy --env-steps $TUNING_STEPS --seed 1000"
      done
    done
  done
}

# chosen CELL: its row of tuning.csv
chosen() {
  awk -F, -v cell="$1" '$1 == cell && $NF == "True" { print "--lr " $2 " --entropy " $3 }' \
    "$OUT/tuning.csv"
}

commands() {
  local seed cell corridor
  for seed in $SEEDS; do
    for corridor in $CORRIDORS; do
      for cell in $CELLS; do
        if [ "$PRESET" = paper ]; then
          train_command "$RUNS/a2c/corridor-$corridor/$cell/seed-$seed" \
            "--task tmaze --cell $cell --task-option corridor=$corridor --env-steps $STEPS --seed $seed"
          continue
        fi
        train_command "$RUNS/a2c/corridor-$corridor/$cell/seed-$seed" \
          "--task tmaze --cell $cell $(small_size "$cell") --task-option corridor=$corridor" \
          "--env-steps $STEPS $(chosen "$cell") --seed $seed"
        train_command "$RUNS/imitate/corridor-$corridor/$cell/seed-$seed" \
          "--task tmaze --learner imitate --cell $cell $(small_size "$cell")" \
          "--task-option corridor=$corridor --steps 1000 --seed $seed"
      done
    done
  done
}

mkdir -p "$OUT"
if [ "$PRESET" = quick ] && [ ! -f "$OUT/tuning.csv" ]; then
  tuning_commands | xargs -P "$JOBS" -I{} sh -c '{} || echo "exit $?: {}" >&2'
  /usr/bin/python3 experiments/acting.py pick "$RUNS/tuning" --out "$OUT/tuning.csv"
fi
train
LENGTHS=${LENGTHS:-10-200:10}
measure "$RUNS"/*/corridor-*/*/seed-*

for learner in a2c imitate; do
  [ -d "$RUNS/$learner" ] || continue
  for which in eval lengths train; do
    [ "$which $learner" != "train imitate" ] || continue
    keep "$OUT/${learner}_$which.csv"
    /usr/bin/python3 experiments/acting.py merge "$RUNS/$learner" --which $which "${kept[@]}" \
      --out "$OUT/${learner}_$which.csv"
  done
  /usr/bin/python3 experiments/acting.py scores "$OUT/${learner}_eval.csv" >"$OUT/${learner}_scores.md"
  /usr/bin/python3 experiments/acting.py sizes "$OUT/${learner}_lengths.csv" --out "$OUT/${learner}_sizes.svg"
done
/usr/bin/python3 experiments/acting.py ends "$OUT/a2c_train.csv" >"$OUT/a2c_ends.md"
/usr/bin/python3 experiments/acting.py curves "$OUT/a2c_train.csv" --out "$OUT/curves.svg"
echo "tmaze: $OUT"

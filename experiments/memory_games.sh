#!/usr/bin/env bash
# Memory for acting beyond the T-Maze: four card games of POPGym (arXiv 2303.01859), a pole balanced without seeing
# speeds, and Mystery Path (arXiv 2309.17207), by PPO. The learning rate is chosen per cell and environment from the
# same two, by training success or return, on seed 1000.
#   experiments/memory_games.sh
#   CELLS="gru agalite" GAMES="autoencode" DIFFICULTIES=easy SEEDS=1 experiments/memory_games.sh
#   ADD=1 GAMES=concentration DIFFICULTIES=hard experiments/memory_games.sh   rows of one more level beside those in OUT
#   LIST=1 experiments/memory_games.sh       the commands, for GNU parallel
set -euo pipefail
source "$(dirname "$0")/common.sh"

CELLS=${CELLS:-lstm gru deltanet delta_rnn rdn agalite gtrxl}
GAMES=${GAMES:-repeat_previous autoencode count_recall concentration cartpole_po mystery_path}
DIFFICULTIES=${DIFFICULTIES:-easy medium}
STEPS=${STEPS:-200000}
TUNING_STEPS=${TUNING_STEPS:-100000}
RUNS=${RUNS:-runs/memory_games}
OUT=${OUT:-results/memory_games}

small_size() {
  case $1 in
    lstm | gru) echo "--d-model 96 --layers 1" ;;
    agalite) echo "--d-model 48 --layers 2 --heads 2 --cell-option head_size=24" ;;
    gtrxl) echo "--d-model 48 --layers 2 --heads 2 --cell-option head_size=24,memory=64" ;;
    *) echo "--d-model 64 --layers 2 --heads 4 --ff 2" ;;
  esac
}

# difficulty GAME LEVEL: the options of the environment; nothing where it has no such level.
difficulty() {
  case $1,$2 in
    cartpole_po,easy) echo "--task-option limit=200" ;;
    cartpole_po,medium) echo "--task-option limit=400" ;;
    mystery_path,easy) echo "--task-option progress=0.1" ;;
    mystery_path,*) ;;
    *) echo "--task-option difficulty=$2" ;;
  esac
}

# run_command FOLDER CELL GAME LEVEL STEPS ARGUMENT...
run_command() {
  local folder=$1 cell=$2 game=$3 level=$4 steps=$5
  shift 5
  train_command "$folder" "--task $game --learner ppo --cell $cell $(small_size "$cell") --hidden 64" \
    "$(difficulty "$game" "$level") --env-steps $steps --entropy 0.01 --clip 0.5 $*"
}

# games BODY: calls it with every cell, game and level.
games() {
  local game level cell
  for game in $GAMES; do
    for level in $DIFFICULTIES; do
      [ -n "$(difficulty "$game" "$level")" ] || continue
      for cell in $CELLS; do "$1" "$cell" "$game" "$level"; done
    done
  done
}

tuning_of() {
  local lr
  for lr in 3e-4 1e-3; do
    run_command "$RUNS/tuning/$2-$3/$1/lr-$lr" "$1" "$2" "$3" "$TUNING_STEPS" "--lr $lr --seed 1000"
  done
}
# chosen CELL GAME LEVEL
chosen() {
  awk -F, -v cell="$1" '$1 == cell && $NF == "True" { print "--lr " $2 }' "$OUT/tuning/$2-$3.csv"
}
runs_of() {
  local seed
  for seed in $SEEDS; do
    run_command "$RUNS/ppo/$2-$3/$1/seed-$seed" "$1" "$2" "$3" "$STEPS" "$(chosen "$1" "$2" "$3") --seed $seed"
  done
}
commands() { games runs_of; }

mkdir -p "$OUT/tuning"
games tuning_of | xargs -P "$JOBS" -I{} sh -c '{} || echo "exit $?: {}" >&2'
for place in "$RUNS"/tuning/*; do
  /usr/bin/python3 experiments/acting.py pick "$place" --out "$OUT/tuning/$(basename "$place").csv"
done
train
for which in eval train; do
  keep "$OUT/$which.csv"
  /usr/bin/python3 experiments/acting.py merge "$RUNS/ppo" --which $which "${kept[@]}" --out "$OUT/$which.csv"
done
/usr/bin/python3 experiments/acting.py scores "$OUT/eval.csv" --returns >"$OUT/scores.md"
/usr/bin/python3 experiments/acting.py curves "$OUT/train.csv" --out "$OUT/curves.svg"
echo "memory_games: $OUT"

#!/usr/bin/env bash
# The Block-Recurrent Transformer (arXiv 2203.07852) against attention that slides over a window W, with one layer more,
# and against Transformer-XL with longer windows: bits per character of source code, and recall over distances that no
# window reaches. Every arm gets the same tokens per update, the same optimiser and the better of the same learning
# rates, by the loss of the first seed on validation data. Time and multiply-adds of a training step are measured, too.
#   experiments/block_recurrent.sh                       a few minutes on two cores: what it takes, not what it shows
#   PRESET=hours experiments/block_recurrent.sh          84 runs, of 4 minutes of one core (recall) or 9 to 21 (text)
#   PRESET=hours ARMS="Slide:5L Rec:fixed:skip XL:512" TASKS=text SEEDS="1 2 3" experiments/block_recurrent.sh
#   ADD=1 PRESET=hours TASKS=entity_recall experiments/block_recurrent.sh   rows of one more task beside those in OUT
#   ALL_RATES=1 ADD=1 PRESET=hours ARMS=Slide:5L TASKS=text experiments/block_recurrent.sh
#                                                        where one seed does not tell which rate is better: every seed
#   LIST=1 experiments/block_recurrent.sh                the commands of the first seed, for GNU parallel
# ARMS: XL:WINDOW, Slide:LAYERSL, Rec:GATE:CONFIGURATION, behind which may stand :cleared (every segment begins with
# the initial states) or :one_block (segments of one block, which no gradient of an update crosses). Called again, it
# goes on.
set -euo pipefail
PRESET=${PRESET:-newcomer}
[ "$PRESET" != newcomer ] || SEEDS=${SEEDS:-1 2}
source "$(dirname "$0")/common.sh"

TASKS=${TASKS:-text entity_recall}
DATA=${DATA:-runs/data/block_recurrent/$PRESET}
RUNS=${RUNS:-runs/block_recurrent/$PRESET}
OUT=${OUT:-results/block_recurrent/$PRESET}
LAYERS=4 LRS=${LRS:-0.03 0.1}
case $PRESET in
  newcomer)
    TOKENS=1024 SIZE="--d-model 32 --heads 2" RECALL="length=1024,documents=150,queries=0.2"
    SIZES=${SIZES:-1000000 70000 70000} ROUNDS=${ROUNDS:-3}
    RECURRENT="Rec:fixed:skip Rec:fixed:skip:cleared" VARIANTS=""
    ;;
  hours)
    TOKENS=4096 SIZE="--d-model 64 --heads 4" RECALL="length=1024,documents=3000,queries=0.2"
    SIZES=${SIZES:-4000000 400000 400000} ROUNDS=${ROUNDS:-5}
    RECURRENT="Rec:fixed:skip Rec:fixed:skip:cleared Rec:fixed:skip:one_block"
    # The four of the paper's table, the third gate and the third configuration.
    VARIANTS="Rec:lstm:skip Rec:fixed:dual Rec:lstm:dual Rec:full:skip Rec:fixed:single"
    ;;
  *) echo "PRESET=$PRESET: must be newcomer or hours" >&2 && exit 2 ;;
esac

# setting TASK: recall is learnt far sooner over short distances; text takes thousands of updates until the first arms copy
# out of what they remember.
setting() {
  W=16 SEGMENT=128
  case "$PRESET $1" in
    newcomer*) UPDATES=${STEPS:-400} ;;
    "hours text") W=64 SEGMENT=512 UPDATES=${STEPS:-8000} ;;
    *) UPDATES=${STEPS:-2000} ;;
  esac
}
# What the claim needs, and other gates and configurations.
main_arms() { echo "${ARMS:-XL:$W Slide:4L Slide:5L $RECURRENT XL:$((4 * W)) XL:$((8 * W))}"; }
variants() { [ -n "${ARMS:-}" ] || [ "$1" != text ] || echo "$VARIANTS"; }

# Segments are as long as the window, so that a step sees at most what its segment and the one before hold; but of
# sliding_window and block_recurrent, through whose segments gradients flow from block to block.
segment() {
  case $1 in
    XL:*) echo "${1#XL:}" ;;
    *:one_block) echo "$W" ;;
    *) echo "$SEGMENT" ;;
  esac
}
model() {
  local gate configuration control options
  case $1 in
    XL:*) echo "$SIZE --layers $LAYERS --cell transformer_xl --cell-option window=${1#XL:}" ;;
    Slide:*L) options=${1#Slide:} && echo "$SIZE --layers ${options%L} --cell sliding_window --cell-option window=$W" ;;
    Rec:*:*)
      IFS=: read -r _ gate configuration control <<<"$1"
      options="window=$W,states=$W,recurrent_layer=2,gate=$gate,configuration=$configuration"
      [ "$control" != cleared ] || options+=",clear_state=on"
      echo "$SIZE --layers $LAYERS --cell block_recurrent --cell-option $options"
      ;;
    *) echo "ARMS: $1 is unknown" >&2 && exit 2 ;;
  esac
}
task() {
  case $1 in
    text) echo "--task text --data $DATA/code --tied-embeddings on --output-scale rsqrt" ;;
    entity_recall)
      echo "--task entity_recall --task-option $RECALL,window=$W,reach=$((LAYERS * W)),stop=$SEGMENT"
      ;;
    *) echo "TASKS: $1 is unknown" >&2 && exit 2 ;;
  esac
}
optimizer() { echo "--optimizer adafactor --schedule cosine --warmup $((UPDATES / 10))"; }

# chosen TASK ARM: the learning rate with the fewest bits on validation data
chosen() {
  awk -F, -v task="$1" -v arm="$2" 'NR == 1 { for (i = 1; i <= NF; ++i) column[$i] = i; next }
    $column["task"] == task && $column["arm"] == arm && $column["chosen"] == "True" { print $column["lr"]; exit }' \
    "$OUT/results.csv"
}

# Those of NOW, some of SEEDS: the first at every learning rate, the others at the chosen one, or with ALL_RATES at every
# one. All of what the claim needs first, seed by seed.
commands() {
  local arms task seed arm lr rates segment
  for arms in main_arms variants; do
    for seed in $NOW; do
      for task in $TASKS; do
        setting "$task"
        for arm in $($arms "$task"); do
          segment=$(segment "$arm")
          rates=$LRS
          [ "$seed" = "$FIRST" ] || [ -n "${ALL_RATES:-}" ] || rates=$(chosen "$task" "$arm")
          for lr in $rates; do
            train_command "$RUNS/$task/${arm//:/-}/lr-$lr/seed-$seed" \
              "$(task "$task") $(model "$arm") --segment $segment --batch $((TOKENS / segment)) --lr $lr" \
              "$(optimizer) --steps $UPDATES --eval-every $(((UPDATES + 3) / 4)) --patience 0 --seed $seed"
          done
        done
      done
    done
  done
}
# By position; of a state that is cleared by segment, a segment is what is read at once.
evaluation() {
  local arm=${1%/lr-*} segment
  setting "$(basename "$(dirname "$arm")")"
  arm=${arm##*/}
  segment=$(segment "${arm//-/:}")
  once "$1" measured.csv "$rlt eval $1 --positions --piece $segment --batch $((TOKENS / segment)) --threads 1 --csv $1/part.csv"
}
# Of text, one after the other, in turns, so that a slow moment of the machine meets all arms.
bench() {
  local round arm segment row
  setting text
  mkdir -p "$RUNS/bench"
  for round in $(seq "$ROUNDS"); do
    for arm in $(main_arms) $(variants text); do
      segment=$(segment "$arm") row=$RUNS/bench/${arm//:/-}.$round.csv
      [ ! -f "$row" ] || continue
      rm -f "$row.part"
      # shellcheck disable=SC2046
      $rlt bench $(model "$arm") --length "$segment" --batch $((TOKENS / segment)) --optimizer adafactor --threads 1 \
        --repeats 5 --csv "$row.part"
      mv "$row.part" "$row"
    done
  done
}

setting text
for arm in $(main_arms); do model "$arm" >/dev/null; done # an unknown one ends the script here
for name in $TASKS; do task "$name" >/dev/null; done
mkdir -p "$OUT"
case " $TASKS " in *" text "*) DATA=$DATA OUT=$OUT SIZES=$SIZES experiments/code_text.sh >&2 ;; esac
add=()
[ -z "${ADD:-}" ] || add=(--add)
merge_runs() { /usr/bin/python3 experiments/block_recurrent.py merge "$RUNS" "${add[@]}" --out "$OUT"; }
FIRST=${SEEDS%% *}
for NOW in "$FIRST" "${SEEDS#"$FIRST"}"; do
  train_and_evaluate
  merge_runs
done
case " $TASKS " in *" text "*) bench && merge_runs ;; esac
/usr/bin/python3 experiments/block_recurrent.py scores "$OUT" >"$OUT/scores.md"
[ ! -f "$OUT/positions.csv" ] || plot positions --out "$OUT/positions.svg" "$OUT/positions.csv"
echo "block_recurrent: $OUT"

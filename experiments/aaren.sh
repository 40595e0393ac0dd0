#!/usr/bin/env bash
# Aaren (arXiv 2405.13956) against a Transformer, a GRU and DeltaNet of the same width on data whose law is known:
# event sequences, forecasting, classification; return-conditioned control from recorded episodes; and forecasting of
# measured series (real_data.sh). The learning rate is chosen per cell and setting from the same two, by the loss on
# validation data (control: on training data), on seed 1000.
#   experiments/aaren.sh
#   CELLS="aaren gru" SETTINGS="events-hawkes" SEEDS=1 experiments/aaren.sh
#   SETTINGS="measured-co2-52 measured-elnino-12" experiments/aaren.sh
#   ADD=1 SETTINGS=events-renewal experiments/aaren.sh    rows of one more setting beside those in OUT
#   LIST=1 experiments/aaren.sh       the commands, for GNU parallel
set -euo pipefail
SEEDS=${SEEDS:-1 2 3 4 5}
source "$(dirname "$0")/common.sh"

CELLS=${CELLS:-aaren transformer gru deltanet}
SETTINGS=${SETTINGS:-events-hawkes events-poisson events-renewal events-delayed
  series-96 series-192 series-336 series-720 class-energy class-order class-order-one-layer
  control-medium control-replay control-medium_expert
  measured-seattle_temps-96 measured-seattle_temps-336 measured-sf_temps-96 measured-sf_temps-336
  measured-co2-52 measured-co2-104 measured-elnino-12 measured-elnino-24 measured-sunspots-11 measured-sunspots-22}
RUNS=${RUNS:-runs/aaren}
OUT=${OUT:-results/aaren}
DATA=${DATA:-runs/data}

# What is trained, and for how long. Attention has positions, but in the last setting, where one layer is asked for
# what it cannot see; events bring their time as features.
setting() {
  local sizes="--d-model 32 --heads 4" series
  case $1 in
    events-*) echo "--task events --task-option process=${1#events-} $sizes --layers 2 --batch 16 --steps 2000" ;;
    series-*) echo "--task series --task-option horizon=${1#series-} $sizes --layers 2 --steps 1500 $(places "$2")" ;;
    control-*)
      echo "--task cartpole_po --learner return_conditioned --data $DATA/cartpole_po-${1#control-}.csv $sizes --layers 2" \
        "--batch 32 --steps 600 --warmup 0 $(places "$2")"
      ;;
    measured-*)
      series=$(measured "${1#measured-}")
      echo "--task series $series $sizes --layers 2 --steps 1000 $(places "$2")"
      ;;
    class-order-one-layer) echo "--task series_class --task-option family=order $sizes --layers 1 --steps 1000" ;;
    class-*) echo "--task series_class --task-option family=${1#class-} $sizes --layers 2 --steps 1000 $(places "$2")" ;;
    *) echo "SETTINGS: $1 is unknown" >&2 && exit 2 ;;
  esac
}
# measured SERIES-HORIZON. Seasons are a day, a year, a year and a cycle of the sun; windows look back on two or more. A
# tenth of the rows is for validation, and no horizon can be longer.
measured() {
  local name=${1%-*} shape
  case $name in
    seattle_temps | sf_temps) shape=look_back=96,season=24 ;;
    co2) shape=look_back=104,season=52 ;;
    elnino) shape=look_back=96,season=12 ;;
    sunspots) shape=look_back=44,season=11 ;;
    *) echo "SETTINGS: $name is no measured series" >&2 && exit 2 ;;
  esac
  echo "--data $DATA/$name.csv --task-option $shape,horizon=${1##*-},missing=forward"
}
places() {
  case $1 in aaren | transformer) echo "--positions sinusoidal" ;; esac
}

tuning_of() {
  local cell lr
  for cell in $CELLS; do
    for lr in 1e-3 3e-3; do
      train_command "$RUNS/tuning/$1/$cell/lr-$lr" "--cell $cell $(setting "$1" "$cell") --lr $lr --seed 1000"
    done
  done
}
# chosen SETTING CELL
chosen() {
  awk -F, -v cell="$2" '$1 == cell && $NF == "True" { print "--lr " $2 }' "$OUT/tuning/$1.csv"
}
commands() {
  local seed name cell
  for seed in $SEEDS; do
    for name in $SETTINGS; do
      for cell in $CELLS; do
        train_command "$RUNS/seeds/$name/$cell/seed-$seed" \
          "--cell $cell $(setting "$name" "$cell") $(chosen "$name" "$cell") --seed $seed"
      done
    done
  done
}

for name in $SETTINGS; do setting "$name" aaren >/dev/null; done  # an unknown one ends the script here
mkdir -p "$OUT/tuning"
case " $SETTINGS " in *[[:space:]]measured-*) DATA=$DATA OUT=$OUT experiments/real_data.sh >&2 ;; esac
for name in $SETTINGS; do
  episodes=$DATA/cartpole_po-${name#control-}.csv
  if [ "$name" != "${name#control-}" ] && [ ! -f "$episodes" ]; then
    mkdir -p "$DATA"
    $rlt data --task cartpole_po --policy "${name#control-}" --sequences 200 --write-csv "$episodes"
  fi
done
for name in $SETTINGS; do tuning_of "$name"; done |
  xargs -P "$JOBS" -I{} sh -c '{} || echo "exit $?: {}" >&2'
for name in $SETTINGS; do
  /usr/bin/python3 experiments/forecasts.py pick "$RUNS/tuning/$name" --out "$OUT/tuning/$name.csv"
done
train
for kind in events series class control measured; do
  places=()
  for name in $SETTINGS; do
    [ "${name%%-*}" != "$kind" ] || places+=("$RUNS/seeds/$name")
  done
  [ ${#places[@]} -gt 0 ] || continue
  keep "$OUT/$kind.csv"
  /usr/bin/python3 experiments/forecasts.py merge "${places[@]}" "${kept[@]}" --out "$OUT/$kind.csv"
  /usr/bin/python3 experiments/forecasts.py scores "$OUT/$kind.csv" >"$OUT/$kind.md"
  /usr/bin/python3 experiments/forecasts.py figure "$OUT/$kind.csv" --out "$OUT/$kind.svg"
done
echo "aaren: $OUT"

#!/usr/bin/env bash
# What one step of acting costs, at the sizes of arXiv 2310.15719 on T-Maze: time at batch 1 and 8, numbers of state, and
# time against the steps already taken. GTrXL as published, which computes the keys of its whole memory anew at each
# step (cache=off), and with the cache. Then what a whole stream costs, token by token (arXiv 2405.13956): time since the
# first token and numbers of state, of aaren and of attention over a cache that grows. Keep the machine idle; one thread.
#   experiments/inference_cost.sh
#   REPEATS=200 experiments/inference_cost.sh
#   PARTS=stream STREAM="1024 8192 65536" experiments/inference_cost.sh     the rest stays as it was
set -euo pipefail
source "$(dirname "$0")/common.sh"

OUT=${OUT:-results/inference_cost}
REPEATS=${REPEATS:-50}
CONTEXTS=${CONTEXTS:-100 1000 10000 100000}
STREAM=${STREAM:-1024 2048 4096 8192 16384 32768 65536}
PARTS=${PARTS:-acting stream}
mkdir -p "$OUT"

# bench NAME ARGUMENT...: appends rows to $file, with a name in front.
bench() {
  local name=$1
  shift
  "$rlt" bench --step --threads 1 --repeats "$REPEATS" --csv - "$@" |
    awk -v name="$name" -v first="$([ -f "$file" ] && echo 0 || echo 1)" \
      'NR > 1 { print name "," $0 } NR == 1 && first { print "model," $0 }' >>"$file"
}

acting() {
  local COMMON="--d-model 128 --layers 4 --heads 4 --ff 1" eta memory cache context
  for eta in 4 8; do bench "agalite eta=$eta" --cell agalite $COMMON --cell-option "eta=$eta" --length 600; done
  bench "galite nu=2" --cell galite $COMMON --length 600
  for memory in 32 64 128 256 512; do
    for cache in off on; do
      bench "gtrxl memory=$memory cache=$cache" --cell gtrxl $COMMON \
        --cell-option "memory=$memory,cache=$cache" --length 600
    done
  done
  bench aaren --cell aaren $COMMON --length 600
  bench transformer --cell transformer $COMMON --length 600
  bench gru --cell gru --d-model 680 --layers 1 --length 600
  bench lstm --cell lstm --d-model 600 --layers 1 --length 600
  for context in $CONTEXTS; do
    bench "agalite eta=4" --cell agalite $COMMON --batch 1 --length "$context"
    bench "gtrxl memory=128 cache=on" --cell gtrxl $COMMON --batch 1 --length "$context"
    bench lstm --cell lstm --d-model 600 --layers 1 --batch 1 --length "$context"
    bench aaren --cell aaren $COMMON --batch 1 --length "$context"
  done
}
stream() {
  local cell length
  for cell in aaren transformer; do
    for length in $STREAM; do
      bench "$cell" --cell "$cell" --d-model 64 --layers 2 --heads 4 --batch 1 --length "$length"
    done
  done
}

drawn=()
for part in acting stream; do
  file=$OUT/$part.csv
  [ $part = stream ] || file=$OUT/bench.csv
  if [[ " $PARTS " == *" $part "* ]]; then
    rm -f "$file"
    $part
  fi
  [ ! -f "$file" ] || drawn+=("--$part" "$file")
done
/usr/bin/python3 experiments/inference_cost.py "${drawn[@]}" --out "$OUT"

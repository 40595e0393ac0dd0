#!/usr/bin/env bash
# The table of arXiv 2310.16076: cells x languages x seeds, under the paper's protocol (its data rules, stops
# and selects on bins 0 and 1) and the honest one (honest data, stops and selects on bin 0).
# Skips what is finished, goes on with what was interrupted. One process a core, one thread each.
#   experiments/formal_languages.sh                        all seeds, then tables and figures
#   SEEDS="1" JOBS=8 experiments/formal_languages.sh       one seed on eight cores
#   PROTOCOLS=honest CELLS="lstm rdn" LANGUAGES=parity experiments/formal_languages.sh
#   LIST=1 experiments/formal_languages.sh | parallel -j 32 --sshlogin ...    the commands, for GNU parallel
set -euo pipefail
cd "$(dirname "$0")/.."

SEEDS=${SEEDS:-1 2 3}
PROTOCOLS=${PROTOCOLS:-paper honest}
LANGUAGES=${LANGUAGES:-parity aa_star abab_star anbn anbncn shuffle2 dyck1 reset_dyck1}
CELLS=${CELLS:-lstm elstm transformer linear deltanet rdn srwm}
JOBS=${JOBS:-$(nproc)}
RUNS=${RUNS:-runs/formal_languages}
OUT=${OUT:-results/formal_languages}

# The same for every run; the paper's appendix with its own sizes is not known.
COMMON="--d-model 64 --heads 4 --ff 4 --batch 32 --epochs 8 --patience 4 --eval-sequences 500 --clip 1"
# Learning rate and layers of each cell.
settings() {
  case $1 in
    elstm) echo "--lr 3e-3 --layers 1" ;;
    *) echo "--lr 1e-3 --layers 2" ;;
  esac
}
# Lengths of the figure: accuracy against length for all cells on three languages.
FIGURE_LANGUAGES="parity dyck1 reset_dyck1"
FIGURE_LENGTHS="10-50:10,60-100:20,150-500:50"

experiments/setup.sh build figures
rlt=$(experiments/build.sh)

commands() {
  local seed protocol language cell run
  for seed in $SEEDS; do
    for language in $LANGUAGES; do
      for protocol in $PROTOCOLS; do
        for cell in $CELLS; do
          run=$RUNS/$protocol/$language/$cell/seed-$seed
          echo "$rlt train --task $language --cell $cell --rule $protocol --protocol $protocol" \
            "$COMMON $(settings "$cell") --seed $seed --threads 1 --quiet --resume --out $run"
        done
      done
    done
  done
}
if [ -n "${LIST:-}" ]; then
  commands
  exit 0
fi
# A diverged run is a result, not a reason to stop.
commands | xargs -P "$JOBS" -I{} sh -c '{} || echo "exit $?: {}" >&2'

mkdir -p "$OUT"
lengths() {
  local run csv
  for protocol in $PROTOCOLS; do
    for language in $FIGURE_LANGUAGES; do
      for run in "$RUNS/$protocol/$language"/*/seed-*; do
        [ -f "$run/DONE" ] && [ ! -f "$run/lengths.csv" ] || continue
        echo "$rlt eval $run --lengths $FIGURE_LENGTHS --sequences 200 --threads 1 --csv $run/part.csv 2>/dev/null &&" \
          "mv $run/part.csv $run/lengths.csv"
      done
    done
  done
}
lengths | xargs -P "$JOBS" -I{} sh -c '{}'

python=/usr/bin/python3
$python experiments/report.py merge --out "$OUT/eval.csv" "$RUNS"
awk 'FNR == 1 && NR != 1 { next } { print }' "$RUNS"/*/*/*/seed-*/lengths.csv > "$OUT/lengths.csv"
$python experiments/report.py table "$OUT/eval.csv" > "$OUT/tables.md"
$python experiments/report.py table --format latex "$OUT/eval.csv" > "$OUT/tables.tex"
$python experiments/report.py literature --ours "$OUT/eval.csv" > "$OUT/literature.md"
for protocol in $PROTOCOLS; do
  $python experiments/plot.py length --train-length 50 --rule "$protocol" --protocol "$protocol" --metric token \
    --out "$OUT/lengths_$protocol.svg" "$OUT/lengths.csv"
done
echo "formal_languages: $OUT"

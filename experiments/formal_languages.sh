#!/usr/bin/env bash
# The table of arXiv 2310.16076: cells x languages x seeds, under the paper's protocol (its data rules, stops
# and selects on bins 0 and 1) and the honest one (honest data, stops and selects on bin 0).
# Skips what is finished, goes on with what was interrupted. One process a core, one thread each.
#   experiments/formal_languages.sh                        all seeds, then tables and figures
#   SEEDS="1" JOBS=8 experiments/formal_languages.sh       one seed on eight cores
#   PROTOCOLS=honest CELLS="lstm rdn" LANGUAGES=parity experiments/formal_languages.sh
#   EPOCHS=30 PATIENCE=8 SEEDS="1 2" PROTOCOLS=paper LANGUAGES="anbn anbncn shuffle2" CELLS=srwm \
#     RUNS=runs/longer OUT=results/formal_languages/longer \
#     experiments/formal_languages.sh                      whether more training helps
#   ADD=1 CELLS=aaren experiments/formal_languages.sh  rows of one more cell beside those in OUT
#   LIST=1 experiments/formal_languages.sh | parallel -j 32 --sshlogin ...    the commands, for GNU parallel
set -euo pipefail
source "$(dirname "$0")/common.sh"

PROTOCOLS=${PROTOCOLS:-paper honest}
LANGUAGES=${LANGUAGES:-parity aa_star abab_star anbn anbncn shuffle2 dyck1 reset_dyck1}
CELLS=${CELLS:-lstm elstm transformer linear deltanet rdn srwm}
RUNS=${RUNS:-runs/formal_languages}
OUT=${OUT:-results/formal_languages}

# The same for every run; the paper's appendix with its own sizes is not known.
COMMON="--d-model 64 --heads 4 --ff 4 --batch 32 --epochs ${EPOCHS:-8} --patience ${PATIENCE:-4}\
 --eval-sequences 500 --clip 1"
# Learning rate and layers of each cell.
settings() {
  case $1 in
    elstm) echo "--lr 3e-3 --layers 1" ;;
    *) echo "--lr 1e-3 --layers 2" ;;
  esac
}
# Lengths of the figure: accuracy against length for all cells on three languages.
FIGURE_LANGUAGES="parity dyck1 reset_dyck1"
LENGTHS="10-50:10,60-100:20,150-500:50"

commands() {
  local seed protocol language cell
  for seed in $SEEDS; do
    for language in $LANGUAGES; do
      for protocol in $PROTOCOLS; do
        for cell in $CELLS; do
          train_command "$RUNS/$protocol/$language/$cell/seed-$seed" \
            "--task $language --cell $cell --rule $protocol --protocol $protocol" \
            "$COMMON $(settings "$cell") --seed $seed"
        done
      done
    done
  done
}
train
measured=
for language in $FIGURE_LANGUAGES; do
  if [[ " $LANGUAGES " == *" $language "* ]]; then
    measure "$RUNS"/*/"$language"/*/seed-*
    measured=yes
  fi
done

merge eval
both "$OUT/tables" table "$OUT/eval.csv"
# What was published was measured in the paper's way.
if [[ " $PROTOCOLS " == *" paper "* ]]; then
  report literature --ours "$OUT/eval.csv" >"$OUT/literature.md"
fi
if [ -n "$measured" ]; then
  merge lengths
  for protocol in $PROTOCOLS; do
    for metric in token sequence; do
      plot length --train-length 50 --rule "$protocol" --protocol "$protocol" --metric $metric \
        --out "$OUT/${metric}_$protocol.svg" "$OUT/lengths.csv"
    done
  done
fi
echo "formal_languages: $OUT"

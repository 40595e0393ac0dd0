#!/usr/bin/env bash
# Language modelling after arXiv 2106.06295, by characters: documents are read in segments, the state carried
# from one to the next. Selects on the held-out `valid` part; bits a character on it and on `test`.
#   experiments/text.sh                                        small: a few minutes per cell on one core
#   PRESET=paper DATA=FOLDER JOBS=32 experiments/text.sh       the paper's sizes (its data were WikiText-103)
#   DATA=book.txt CELLS="lstm rdn" SEEDS=1 experiments/text.sh
#   LIST=1 experiments/text.sh | parallel -j 32 --sshlogin ...    the commands, for GNU parallel
# DATA: a text file or a folder of them, its path seen from the top of the repository; default: the fortune
# cookies of Debian.
set -euo pipefail
source "$(dirname "$0")/common.sh"

PRESET=${PRESET:-small}
CELLS=${CELLS:-lstm transformer linear deltanet delta_rnn delta_lstm delta_mlp rdn srwm}
RUNS=${RUNS:-runs/text/$PRESET}
case $PRESET in
  small)
    EPOCHS=${EPOCHS:-5} PATIENCE=${PATIENCE:-3} OUT=${OUT:-results/text}
    COMMON="--d-model 64 --layers 2 --heads 4 --ff 4 --batch 32 --lr 1e-3 --clip 1 --segment 64\
 --epochs $EPOCHS --patience $PATIENCE"
    ;;
  paper)
    STEPS=${STEPS:-500000} OUT=${OUT:-results/text/paper}
    COMMON="--d-model 128 --layers 16 --heads 8 --ff 16 --batch 96 --lr 2.5e-4 --schedule cosine\
 --warmup 2000 --clip 0.25 --dropout 0.1 --segment 256 --steps $STEPS --patience 0"
    ;;
  *) echo "PRESET=$PRESET: must be small or paper" >&2 && exit 2 ;;
esac
if [ -z "${DATA:-}" ]; then
  experiments/setup.sh text
  DATA=runs/text/fortunes
  mkdir -p $DATA
  # The text alone: files with a suffix are its indexes and second names.
  find /usr/share/games/fortunes -maxdepth 1 -type f ! -name '*.*' -exec cp -u -t $DATA {} +
fi

commands() {
  local seed cell
  for seed in $SEEDS; do
    for cell in $CELLS; do
      train_command "$RUNS/$cell/seed-$seed" "--task text --data $DATA --cell $cell" \
        "$COMMON $(small_rate "$cell") $(positions "$cell") --seed $seed"
    done
  done
}
train

merge eval
merge train
both "$OUT/scores" scores --splits valid,test --metrics bits,token_accuracy "$OUT/eval.csv"
plot train --out "$OUT/loss.svg" "$OUT/train.csv"
echo "text: $OUT"

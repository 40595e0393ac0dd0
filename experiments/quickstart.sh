#!/usr/bin/env bash
# The first minute with rlt: installs what is missing, builds, trains three cells on parity, measures
# each at lengths up to 500 and draws the figure. Writes results/quickstart/.
#   EPOCHS=1 SEQUENCES=50 experiments/quickstart.sh     a smaller budget
set -euo pipefail
cd "$(dirname "$0")/.."
epochs=${EPOCHS:-4} sequences=${SEQUENCES:-200} out=${OUT:-results/quickstart}

experiments/setup.sh build figures
rlt=$(experiments/build.sh)
runs=$(mktemp -d)
trap 'rm -rf "$runs"' EXIT
mkdir -p "$out"
rm -f "$out/eval.csv"

for cell in lstm deltanet rdn; do
  "$rlt" train --task parity --cell "$cell" --protocol paper --epochs "$epochs" \
    --eval-sequences "$sequences" --out "$runs/$cell"
  "$rlt" eval "$runs/$cell" --lengths 10-50:10,75-500:25 --sequences "$sequences" --csv "$out/eval.csv"
done
/usr/bin/python3 experiments/plot.py length --train-length 50 --metric token --out "$out/parity.png" "$out/eval.csv"
echo "quickstart: $out/eval.csv and $out/parity.png"

#!/usr/bin/env bash
# Source code out of installed Debian packages as text to train on. A document is the files of one folder, whole and in
# order, joined until it has 64 kB: names come back from file to file, so that more than the last lines is of use.
# DATA/code has folders train, valid and test, which `--task text --data DATA/code` reads; a folder of a package is in
# one of them, by the hash of its path. Prints and writes OUT/data.csv: package, version, bytes, sha256.
#   experiments/code_text.sh
#   SIZES="300000 60000 60000" DATA=/tmp/data OUT=/tmp experiments/code_text.sh
#   PACKAGES="perl-modules-*" experiments/code_text.sh           names as dpkg-query takes them
# SIZES: most bytes of training, validation and test.
set -euo pipefail
cd "$(dirname "$0")/.."

DATA=${DATA:-runs/data}
OUT=${OUT:-results/block_recurrent}
SIZES=${SIZES:-4000000 400000 400000}
PACKAGES=${PACKAGES:-libpython3.*-stdlib python3-matplotlib python3-pandas python3-scipy libstdc++-*-dev linux-libc-dev
  libxtensor-dev}

experiments/setup.sh build figures
mkdir -p "$DATA" "$OUT"
set -f # patterns are for dpkg-query
# shellcheck disable=SC2086
/usr/bin/python3 experiments/code_text.py --packages $PACKAGES --sizes $SIZES --data "$DATA/code" --out "$OUT/data.csv"

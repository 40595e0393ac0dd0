#!/usr/bin/env bash
# Installs the Debian/Ubuntu packages that are missing: setup.sh GROUP...
#   build    compiler, CMake and the libraries of the program
#   deb      what makes a .deb
#   figures  Python with pandas, matplotlib, scipy
#   checks   clang-format and clang-tidy
#   peer     PyTorch, to compare with
#   text     a few megabytes of English text to train on
#   data     labelled images and measured series
# shellcheck disable=SC2034  # groups are read by name
set -euo pipefail

build="g++ cmake ninja-build libcli11-dev libxtensor-dev libxtensor-blas-dev libxsimd-dev
  libopenblas-dev libdnnl-dev libfmt-dev doctest-dev nlohmann-json3-dev libutfcpp-dev libxxhash-dev
  libtomlplusplus-dev zlib1g-dev"
deb="dpkg-dev"
figures="python3 python3-pandas python3-matplotlib python3-scipy"
peer="python3 python3-numpy python3-torch"
checks="clang-format clang-tidy libomp-dev"
text="fortunes"
data="python3 python3-pandas python3-vega-datasets python3-statsmodels dataset-fashion-mnist"

packages=()
for group in "$@"; do
  # shellcheck disable=SC2206  # words
  packages+=(${!group})
done
# one query: every script begins here. It fails where a package is unknown
found=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${packages[@]}" 2>/dev/null || true)
missing=()
for package in "${packages[@]}"; do
  [[ $'\n'$found$'\n' == *$'\n'"$package installed"$'\n'* ]] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

command -v apt-get >/dev/null || {
  echo "setup: these packages are missing and this is no Debian or Ubuntu: ${missing[*]}" >&2
  exit 1
}
sudo=()
[ "$(id -u)" -eq 0 ] || sudo=(sudo)
echo "setup: installing ${missing[*]}" >&2
"${sudo[@]}" apt-get update -qq
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
  "${missing[@]}" >&2

#!/usr/bin/env bash
# One program for many machines: builds every level (build/package), makes an archive and a .deb, and tries both
# where the libraries of the build are not. Writes into OUT, build/package if none is given:
#   rlt-VERSION-linux-PROCESSOR.tar.gz    needs glibc alone, of this machine's version or a younger one
#   rlt_VERSION_ARCHITECTURE.deb          depends on Debian's libraries
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."
build=build/package
out=${OUT:-$build}
experiments/setup.sh build deb
bare=$(mktemp -d)
trap 'rm -rf "$bare"' EXIT

# make_package STATIC GENERATOR: writes it into OUT and prints where it is.
make_package() {
  cmake -G Ninja -B "$build" -DRLT_NATIVE=OFF -DRLT_TESTS=OFF -DRLT_STATIC="$1" >&2
  cmake --build "$build" >&2
  cpack -G "$2" --config "$build/CPackConfig.cmake" -B "$bare/$2" >&2
  local package
  package=$(basename "$bare/$2"/rlt[-_]*)
  mkdir -p "$out"
  mv "$bare/$2/$package" "$out"
  echo "$out/$package"
}

# A root folder with the archive, glibc and nothing else.
make_root() {
  local library
  mkdir -p "$root/proc" "$root/tmp" "$root/opt/rlt"
  tar -xzf "$1" -C "$root/opt/rlt" --strip-components=1
  for library in $(ldd "$root/opt/rlt/bin/rlt" | grep -oE '/[^ ]*/(ld-linux|lib(c|m|dl|rt|pthread)\.so)[^ ]*'); do
    install -D "$library" "$root$library"
  done
}

# The programs, with RLT_LEVEL and no other variable. $inside is how the archive's calls the root folder.
alone() { env -i ${RLT_LEVEL:+"RLT_LEVEL=$RLT_LEVEL"} "$@"; }
own_root=("$(command -v unshare)" --map-root-user --pid --fork --mount-proc --root="$bare/root")
in_archive() { alone "${own_root[@]}" "$inside/opt/rlt/bin/rlt" "$@"; }
in_deb() { alone "$bare/deb/usr/bin/rlt" "$@"; }

# same_scores A B: tables of the same words and counts, and of the same real numbers to a hundred-thousandth.
same_scores() {
  paste -d '\n' "$1" "$2" | awk -F, '
    NR % 2 { fields = split($0, other); next }
    { for (i = 1; i <= NF || i <= fields; ++i) {
        gap = $i - other[i]
        bound = $i ~ /^[0-9]+\.[0-9e.-]+$/ ? 1e-5 * $i : 0
        if ($i != other[i] && (bound == 0 || gap > bound || gap < -bound)) {
          print "package: line " NR / 2 ": " other[i] " and " $i; wrong = 1 } } }
    END { exit wrong }' >&2
}

deb=$(make_package OFF DEB)
archive=$(make_package ON TGZ)
dpkg-deb -x "$deb" "$bare/deb"
root=$bare/root inside=
make_root "$archive"
if ! in_archive --version; then
  echo "package: this machine gives no root folder of one's own: the archive is tried without one" >&2
  own_root=() inside=$root
  in_archive --version
fi

levels=("")  # the one that the program chooses; then those that it could
for level in x86-64 x86-64-v3 x86-64-v4; do
  if message=$(RLT_LEVEL=$level in_archive --version 2>&1); then
    levels+=("$level")
  elif [[ $message != *"this processor is of level"* ]]; then
    echo "$message" >&2
    exit 1
  fi
done
echo "package: levels tried:${levels[*]}" >&2

for cell in lstm deltanet transformer; do
  run=/tmp/$cell
  in_archive train --task parity --cell "$cell" --d-model 32 --heads 2 --layers 1 --epochs 2 --train-size 2000 \
    --window 2-20 --eval-sequences 50 --quiet --out "$inside$run"
  for level in "${levels[@]}"; do
    score() { RLT_LEVEL=$level "$@" --lengths 5-45:10 2>/dev/null; }
    score in_archive eval "$inside$run" --threads 1 >"$bare/one.csv"
    # One level: the same bits, for any number of threads and both ways of linking.
    score in_archive eval "$inside$run" --threads 2 | cmp - "$bare/one.csv"
    score in_deb eval "$root$run" | cmp - "$bare/one.csv"
    # Another level: the same to rounding.
    [ -n "$level" ] || cp "$bare/one.csv" "$bare/chosen.csv"
    same_scores "$bare/chosen.csv" "$bare/one.csv"
  done
done
echo "package: $archive and $deb"

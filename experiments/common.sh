# Sourced by the scripts of one experiment each: set-up, then the steps from commands to tables. A script
# defines `commands`, which prints one `rlt train` a line, and calls these functions in turn:
#   train      runs the commands, JOBS at a time; LIST=1 prints them and ends the script
#   train_and_evaluate  the same, each run followed by what `evaluation RUN` of the script prints, often by way of `once`
#   measure    accuracy at LENGTHS of the finished runs given, once per run
#   keep FILE  sets `kept` to the option by which a merge keeps the rows of other runs in FILE, where ADD=1 asks for it
#   merge      eval.csv, or another CSV of the runs, into OUT
#   both FILE  a table of report.py as FILE.md and FILE.tex
# Finished runs are skipped, interrupted ones go on. One thread a run: many runs keep the cores busy.
# shellcheck shell=bash
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

SEEDS=${SEEDS:-1 2 3}
JOBS=${JOBS:-$(nproc)}

experiments/setup.sh build figures
rlt=${RLT_PROGRAM:-$(experiments/build.sh)}
report() { /usr/bin/python3 experiments/report.py "$@"; }
plot() { /usr/bin/python3 experiments/plot.py "$@"; }

# The transformer of arXiv 2106.06295 always has sinusoidal positions, that of arXiv 2310.16076 never; so has aaren.
positions() {
  case $1 in aaren | transformer) echo "--positions sinusoidal" ;; esac
}

# The small presets give every cell the learning rate 1e-3, but at that rate an LSTM has hardly begun when the
# other cells are done.
small_rate() { [ "$1" != lstm ] || [ "$PRESET" != small ] || echo "--lr 3e-3"; }

# train_command FOLDER ARGUMENT...
train_command() {
  local run=$1
  shift
  echo "$rlt train $* --threads 1 --quiet --resume --out $run"
}

# A diverged run is a result, not a reason to stop.
train() {
  if [ -n "${LIST:-}" ]; then
    commands
    exit 0
  fi
  commands | xargs -P "$JOBS" -I{} sh -c '{} || echo "exit $?: {}" >&2'
  mkdir -p "$OUT"
}

# once RUN FILE COMMAND: writes RUN/FILE, which the command makes as RUN/part.csv, whole or not at all, when the run is
# finished and FILE is not newer.
once() {
  echo "if [ -f $1/DONE ] && [ ! $1/$2 -nt $1/DONE ]; then rm -f $1/part.csv; { $3; } >$1/part.log 2>&1" \
    "&& mv $1/part.csv $1/$2 || cat $1/part.log >&2; fi"
}

# Each command of the training with what follows it, one a line.
whole_runs() {
  local line
  while read -r line; do
    echo "{ $line || echo \"exit \$?: $line\" >&2; }; $(evaluation "${line##* }" | tr '\n' ';')"
  done
}

# Run by run, so that whatever is there after a stop is complete.
train_and_evaluate() {
  if [ -n "${LIST:-}" ]; then
    commands
    exit 0
  fi
  commands | whole_runs | xargs -d '\n' -P "$JOBS" -I{} sh -c '{}'
  mkdir -p "$OUT"
}

# measure RUN...: writes RUN/lengths.csv whole or not at all.
measure() {
  local run
  for run in "$@"; do
    if [ -f "$run/DONE" ] && [ ! "$run/lengths.csv" -nt "$run/DONE" ]; then
      echo "rm -f $run/part.csv && $rlt eval $run --lengths $LENGTHS --sequences 200 --threads 1" \
        "--csv $run/part.csv 2>$run/eval.log && mv $run/part.csv $run/lengths.csv || cat $run/eval.log >&2"
    fi
  done | xargs -P "$JOBS" -I{} sh -c '{}'
}

# Runs may be gone from this machine, or have been made on another.
keep() {
  kept=()
  [ -z "${ADD:-}" ] || [ ! -f "$1" ] || kept=(--add-to "$1")
}

# merge KIND ARGUMENT...: KIND is eval, lengths or train.
merge() {
  local kind=$1
  shift
  keep "$OUT/$kind.csv"
  report merge --which "$kind" "$@" "${kept[@]}" --out "$OUT/$kind.csv" "$RUNS"
}

# both FILE COMMAND ARGUMENT...
both() {
  local file=$1
  shift
  report "$@" >"$file.md"
  report "$@" --format latex >"$file.tex"
}

# start_busy N: N processes beside what is measured, until stop_busy.
start_busy() {
  local _
  for _ in $(seq "$1"); do
    while :; do :; done &
  done
}
stop_busy() {
  # shellcheck disable=SC2046
  kill $(jobs -p) 2>/dev/null || true
  wait 2>/dev/null || true
}

# bench_columns COLUMNS PROGRAM ARGUMENT...: what `PROGRAM bench` measures under these names, with commas between.
bench_columns() {
  local columns=$1 program=$2
  shift 2
  "$program" bench "$@" --csv - 2>/dev/null | /usr/bin/python3 -c 'import csv, sys
row = next(csv.DictReader(sys.stdin))
print(*(row[name] for name in sys.argv[1].split(",")), sep=",")' "$columns"
}

#!/bin/sh
# Explores docs/models/failover.pml completely, once per kind of failure: `make model`. Each run takes
# seconds and says how many states there were; the first violation ends it and leaves its trail.
set -eu
for tool in spin gcc; do
  if ! command -v "$tool" >/dev/null; then
    echo "make model: $tool is missing; apt-get install -y spin gcc libc6-dev" >&2
    exit 1
  fi
done
model=$(cd "$(dirname "$0")" && pwd)/failover.pml
work=$(mktemp -d)
cd "$work"
cp "$model" .

explore() {
  spin -a "$@" failover.pml >spin.log || { cat spin.log; exit 1; }
  gcc -O2 -w -DSAFETY -DCOLLAPSE -DNOREDUCE -o pan pan.c
  ./pan -m1000000 >pan.log
  states=$(awk '/states, stored/ { print $1 }' pan.log)
  # `errors: 0` is also said of a search that was cut short.
  if ! grep -q 'errors: 0' pan.log || grep -q 'max search depth too small\|Search not completed' pan.log; then
    echo "$* : VIOLATED, or not explored completely; see $work (spin -t -p $* failover.pml)"
    cat pan.log
    exit 1
  fi
  echo "$states states hold: $*"
}

for step_down in 0 1; do
  for journal in 0 1; do
    mode="-DSTEP_DOWN=$step_down -DDISK_JOURNAL=$journal"
    for faults in \
      '-DCRASHES=1 -DPAUSES=0 -DCUTS=1' \
      '-DCRASHES=0 -DPAUSES=1 -DCUTS=1' \
      '-DCRASHES=1 -DPAUSES=1 -DCUTS=0' \
      '-DCRASHES=2 -DPAUSES=0 -DCUTS=0' \
      '-DCRASHES=0 -DPAUSES=0 -DCUTS=1 -DSTOPS=1' \
      '-DCRASHES=0 -DPAUSES=1 -DCUTS=0 -DSTOPS=1' \
      '-DCRASHES=0 -DPAUSES=0 -DCUTS=0 -DSTOPS=2' \
      '-DCRASHES=0 -DPAUSES=0 -DCUTS=2 -DSWITCHES=1' \
      '-DCRASHES=1 -DPAUSES=0 -DCUTS=0 -DSWITCHES=1 -DOPERATORS=1'; do
      # shellcheck disable=SC2086
      explore $mode $faults
    done
  done
done
rm -r "$work"

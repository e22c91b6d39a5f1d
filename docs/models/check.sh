#!/bin/sh
# Explores docs/models/failover.pml completely, once per kind of failure: `make model`. Each line says how
# many states there were, how deep the longest course of events was, and what it cost; the first violation
# ends it and leaves its trail. With `long` (`make model-long`) more faults come together.
set -eu
for tool in spin gcc; do
  if ! command -v "$tool" >/dev/null; then
    echo "make model: $tool is missing; apt-get install -y spin gcc libc6-dev" >&2
    exit 1
  fi
done
# MiB: above this a search ends, as not completed. The largest needs half of it.
memory_limit=6144
depth_limit=20000
model=$(cd "$(dirname "$0")" && pwd)/failover.pml
work=$(mktemp -d)
cd "$work"
cp "$model" .
explored=0

explore() {
  spin -a "$@" failover.pml >spin.log || { cat spin.log; exit 1; }
  gcc -O2 -w -DSAFETY -DCOLLAPSE -DNOREDUCE -DMEMLIM=$memory_limit -o pan pan.c
  nice -n 10 ./pan -m$depth_limit >pan.log || true
  # `errors: 0` is also said of a search that was cut short.
  if ! grep -q 'errors: 0' pan.log ||
    grep -q 'max search depth too small\|Search not completed\|memory limit' pan.log; then
    echo "$* : VIOLATED, or not explored completely; see $work (spin -t -p $* failover.pml)"
    cat pan.log
    exit 1
  fi
  awk -v what="$*" '
    /depth reached/ { depth = $6 + 0 }
    /states, stored/ { states = $1 }
    /total actual memory/ { memory = $1 }
    /elapsed time/ { seconds = $4 }
    END { printf "%d states hold, depth %d, %.0f MiB, %.0f s: %s\n", states, depth, memory, seconds, what }' pan.log
  explored=$((explored + 1))
}

# explore_modes JOURNALS FAULTS...: both for on_peer_loss, each with (1) and without (0) a disk journal.
explore_modes() {
  journals=$1
  shift
  for step_down in 0 1; do
    for journal in $journals; do
      explore "-DSTEP_DOWN=$step_down" "-DDISK_JOURNAL=$journal" "$@"
    done
  done
}

# Where nobody dies a journal is never read, and both are the same.
explore_modes '0 1' -DCRASHES=1 -DPAUSES=0 -DCUTS=1
explore_modes '1' -DCRASHES=0 -DPAUSES=1 -DCUTS=1
explore_modes '0 1' -DCRASHES=1 -DPAUSES=1 -DCUTS=0
explore_modes '0 1' -DCRASHES=2 -DPAUSES=0 -DCUTS=0
explore_modes '0 1' -DCRASHES=0 -DPAUSES=0 -DCUTS=1 -DSTOPS=1
explore_modes '0 1' -DCRASHES=0 -DPAUSES=1 -DCUTS=0 -DSTOPS=1
explore_modes '0 1' -DCRASHES=0 -DPAUSES=0 -DCUTS=0 -DSTOPS=2
explore_modes '1' -DCRASHES=0 -DPAUSES=0 -DCUTS=2 -DSWITCHES=1
explore_modes '0 1' -DCRASHES=1 -DPAUSES=0 -DCUTS=0 -DSWITCHES=1 -DOPERATORS=1
explore_modes '0 1' -DCRASHES=0 -DPAUSES=0 -DCUTS=1 -DLOSSES=1
explore_modes '1' -DCRASHES=0 -DPAUSES=0 -DCUTS=1 -DROLE_LOSSES=1
explore_modes '0 1' -DCRASHES=1 -DPAUSES=0 -DCUTS=0 -DFAILS=1
explore_modes '0 1' -DCRASHES=0 -DPAUSES=0 -DCUTS=0 -DSTOPS=1 -DFAILS=1
explore_modes '1' -DCRASHES=0 -DPAUSES=0 -DCUTS=1 -DFAILS=1
explore_modes '1' -DCRASHES=0 -DPAUSES=0 -DCUTS=0 -DSWITCHES=1 -DFAILS=1

if [ "${1:-}" = long ]; then
  explore_modes '0 1' -DCRASHES=2 -DPAUSES=0 -DCUTS=1
  explore_modes '0 1' -DCRASHES=2 -DPAUSES=1 -DCUTS=0
  explore_modes '0 1' -DCRASHES=0 -DPAUSES=1 -DCUTS=2
  explore_modes '0 1' -DCRASHES=1 -DPAUSES=0 -DCUTS=1 -DENTRIES=2
  explore_modes '0 1' -DCRASHES=2 -DPAUSES=0 -DCUTS=0 -DSWITCHES=1 -DOPERATORS=1
  explore_modes '0 1' -DCRASHES=1 -DPAUSES=0 -DCUTS=1 -DFAILS=1
  explore_modes '0 1' -DCRASHES=0 -DPAUSES=0 -DCUTS=1 -DSWITCHES=1 -DFAILS=1
  # With these, one without a journal may serve empty while the other is out of reach (HIGH-AVAILABILITY.md).
  for concession in '1' '0 -DSERVES_EMPTY=1'; do
    set -- $concession
    explore_modes "$@" -DCRASHES=1 -DPAUSES=0 -DCUTS=2
    explore_modes "$@" -DCRASHES=1 -DPAUSES=0 -DCUTS=1 -DSWITCHES=1
    explore_modes "$@" -DCRASHES=1 -DPAUSES=1 -DCUTS=0 -DSWITCHES=1
    explore_modes "$@" -DCRASHES=1 -DPAUSES=1 -DCUTS=1
  done
fi
echo "$explored explorations, none violated"
rm -r "$work"

#!/usr/bin/env bash
# Installs Chromium for the tests in test/browser, from Debian's packages, where it is missing and this
# is root on a machine with apt-get. Elsewhere it says what to do; the tests are then skipped, unless
# GATESVR_REQUIRE_BROWSER is set, as .ci/run does.
#
# GATESVR_CHROMIUM         the browser to use (default: chromium or google-chrome on the PATH)
# GATESVR_REQUIRE_BROWSER  fail where there is none
set -u
cd "$(dirname "$0")/../.."
. test/debian-packages.sh

here() {
  [ -n "${GATESVR_CHROMIUM:-}" ] && { [ -x "$GATESVR_CHROMIUM" ]; return; }
  command -v chromium || command -v chromium-browser || command -v google-chrome-stable ||
    command -v google-chrome
}
give_up() {
  [ -z "${GATESVR_REQUIRE_BROWSER:-}" ] &&
    { echo "browser: skipped, $1" | tee -a "${GATESVR_SKIPPED:-/dev/null}"; exit 0; }
  echo "browser: $1" >&2
  exit 1
}

here >/dev/null && exit 0
[ -z "${GATESVR_CHROMIUM:-}" ] || give_up "GATESVR_CHROMIUM names no program: $GATESVR_CHROMIUM"
command -v apt-get >/dev/null || give_up 'Chromium is missing; install it, or set GATESVR_CHROMIUM'
[ "$(id -u)" = 0 ] || give_up 'Chromium is missing; install it with: sudo apt-get install chromium'
install_debian chromium fonts-liberation ||
  give_up 'Chromium is missing, and apt-get install chromium failed'
here >/dev/null || give_up 'Chromium is missing after apt-get install chromium'

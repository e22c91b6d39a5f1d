# Sourced by suites that need Debian packages.

# install_debian PACKAGE...: as root, on a machine with apt-get. Waits for another apt-get, and tries a mirror
# that fails, or whose lists are older than its packages, again. What apt-get said last comes out where it fails.
install_debian() {
  local log status attempt begun=$SECONDS
  log=$(mktemp)
  local apt=(apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Acquire::http::Timeout=60)
  for attempt in 1 2 3 4; do
    # Most images come without lists; where they are there, one trip to the mirror is saved.
    if [ "$attempt" -gt 1 ]; then
      [ $((SECONDS - begun)) -lt 600 ] || break
      sleep $(((attempt - 2) * 10))
      { dpkg --configure -a && timeout 300 "${apt[@]}" update; } >"$log" 2>&1 </dev/null
    fi
    DEBIAN_FRONTEND=noninteractive timeout 900 "${apt[@]}" install -y --no-install-recommends "$@" \
      >>"$log" 2>&1 </dev/null
    status=$?
    [ $status -eq 0 ] && break
  done
  [ $status -eq 0 ] || tail -15 "$log" >&2
  rm -f "$log"
  return $status
}

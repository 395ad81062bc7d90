#!/usr/bin/env bash
# Debian packages for suites: two with which system calls and clocks fail, the proxy that stands in front, a terminal to drive. Without
# them those suites say `skipped`, so this never fails a build: it does what it can where it is root and apt is there.
set -uo pipefail

missing=()
command -v fiu-run >/dev/null || missing+=(fiu-utils)
command -v faketime >/dev/null || missing+=(faketime)
command -v caddy >/dev/null || missing+=(caddy)
command -v tmux >/dev/null || missing+=(tmux)
[ "${#missing[@]}" -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "not installed: ${missing[*]} (needs root and apt-get); their suites are skipped"
  exit 0
fi

export DEBIAN_FRONTEND=noninteractive
install() { timeout 120 apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null 2>&1; }
install || { timeout 120 apt-get update -q >/dev/null 2>&1 && install; } ||
  echo "could not install: ${missing[*]}; their suites are skipped"
exit 0

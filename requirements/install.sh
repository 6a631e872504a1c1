#!/usr/bin/env bash
# Creates .venv in the repository root, or brings it up to date: `make install`, `make test` and `make quickstart` run this.
#   PYTHON=/path/to/python       use this Python instead of looking for one
#   EDGE_GRPO_MIN_FREE_GB=20     free disk space to insist on, in GB
set -euo pipefail
cd "$(dirname "$0")/.."

TORCH="torch==2.13.0"
# What an install takes at its peak, rounded up: the environment plus pip's cache and its unpacked downloads.
CPU_BUILD_GB=6
ORDINARY_BUILD_GB=12
LOG=.venv/install.log
# Written when everything is in place; holds what the environment was made from.
STAMP=.venv/install-stamp
# Present from the first change to the last: an environment that has it may hold half a package.
UNFINISHED=.venv/install-unfinished

fail() { printf 'install: %s\n' "$@" >&2; exit 1; }

# Prints "3.11" or "3.12" when $1 runs, is one of the two and can make environments; a pyenv shim can exist and not run.
usable_version() {
  local found
  found=$("$1" -c 'import ensurepip, sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || return 1
  case "$found" in 3.11 | 3.12) echo "$found" ;; *) return 1 ;; esac
}

# Sets python and version: PYTHON if given, else that of an existing .venv, else the first that can be used.
find_python() {
  local candidates=(.venv/bin/python python3.11 python3.12 python3)
  if [ -n "${PYTHON:-}" ]; then candidates=("$PYTHON"); fi
  for python in "${candidates[@]}"; do
    if version=$(usable_version "$python"); then return; fi
  done
  if [ -n "${PYTHON:-}" ]; then
    fail "PYTHON=$PYTHON cannot be used: it must run, be Python 3.11 or 3.12 and have the venv module."
  fi
  fail "no usable Python 3.11 or 3.12 found (verl 0.9.1 supports neither older nor newer ones here)." \
    "Install one with its venv module, for example: apt install python3.11 python3.11-venv," \
    "or: pyenv install 3.11, or: conda create -n python311 python=3.11." \
    "If it is not on the PATH: PYTHON=/path/to/python3.11 make install"
}

# Stops unless the disk has $1 GB free for $2; what .venv already holds counts as free, since it is part of the need.
require_free_space() {
  local needed=${EDGE_GRPO_MIN_FREE_GB:-$1} free held=0
  free=$(df -Pk . | awk 'NR == 2 { print $4 }')
  if [ -d .venv ]; then held=$(du -sk .venv | awk '{ print $1 }'); fi
  if awk "BEGIN { exit !($free + $held < $needed * 1024 * 1024) }"; then
    fail "not enough disk space: $2 needs $needed GB in $PWD, $(awk "BEGIN { printf \"%.1f\", $free / 1048576 }") GB are free." \
      "Free some space, or set EDGE_GRPO_MIN_FREE_GB to insist on less."
  fi
}

# Runs the rest of the line with its output in the log; prints one line with the duration, or the end of the log.
phase() {
  local title=$1 begin=$SECONDS
  shift
  printf 'install: %-42s ' "$title"
  if ! "$@" >>"$LOG" 2>&1; then
    printf 'failed after %d s; the end of %s:\n' $((SECONDS - begin)) "$LOG"
    tail -n 20 "$LOG" >&2
    exit 1
  fi
  printf '%4d s\n' $((SECONDS - begin))
}

pip() { .venv/bin/python -m pip --disable-pip-version-check --no-input "$@"; }

# Makes .venv unless there is one of the right version that no interrupted install has left behind.
prepare_environment() {
  if [ -e "$UNFINISHED" ] || [ "$(usable_version .venv/bin/python)" != "$version" ]; then
    # A Python below .venv would be removed with it; the one it was made from makes the next.
    python=$("$python" -c 'import os, sys; print(os.path.join(sys.base_prefix, "bin", "python%d.%d" % sys.version_info[:2]))')
    if [ -e .venv ]; then echo "install: .venv is unfinished or has another Python: removing it and starting over"; fi
    rm -rf .venv
    mkdir .venv
    touch "$UNFINISHED"
    phase "Python $version environment in .venv" "$python" -m venv .venv
  fi
  rm -f "$STAMP"
  touch "$UNFINISHED"
}

# The ordinary build brings several GB of CUDA libraries; which one pip takes depends on how pip is set up, so it is asked.
require_space_for_torch() {
  local report=.venv/torch-build.json
  phase "which build of torch pip takes" pip install --dry-run --no-deps --ignore-installed --report "$report" "$TORCH"
  if ! grep -Eq '(\+|%2B)cpu' "$report"; then
    require_free_space "$ORDINARY_BUILD_GB" "the ordinary (CUDA) build of torch, which this pip takes,"
  fi
}

find_python
key=$({ cat requirements/cpu.lock setup.py; echo "$TORCH $version"; } | sha256sum)
if [ "$(cat "$STAMP" 2>/dev/null)" = "$key" ]; then exit 0; fi
require_free_space "$CPU_BUILD_GB" "the install"
prepare_environment
require_space_for_torch
phase "$TORCH and what it needs" pip install "$TORCH"
phase "everything else, from requirements/cpu.lock" pip install --no-deps -r requirements/cpu.lock
phase "verl-edge-grpo itself" pip install --no-deps --no-build-isolation -e .
echo "$key" >"$STAMP"
rm -f "$UNFINISHED"
echo "install: ready (.venv, $(du -sh .venv | awk '{ print $1 }'), Python $version)"

#!/usr/bin/env bash
# Makes .venv and installs everything pinned; does nothing when it is up to date.
#   PYTHON=python3.12 scripts/setup.sh   picks another interpreter (3.11 or newer)
set -euo pipefail
cd "$(dirname "$0")/.."

stamp=.venv/installed
wanted=$(cat constraints.txt pyproject.toml scripts/setup.sh | sha256sum)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then exit 0; fi

python=${PYTHON:-python3.11}
command -v "$python" >/dev/null || python=python3
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "setup: $("$python" --version) is too old: vqnat needs Python 3.11 or newer (set PYTHON=...)" >&2
  exit 2
fi

bold="" plain=""
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\033[1m' plain=$'\033[0m'; fi
step() { printf '%s[setup] %s%s\n' "$bold" "$*" "$plain"; }
pip() { .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt "$@" 2> >(grep -v '^WARNING: Location' >&2); }

step "$("$python" --version) -> .venv"
[ -x .venv/bin/python ] || "$python" -m venv .venv
step "torch (the largest download)"
pip torch
step "build tools"
pip numpy cython setuptools wheel ninja
step "fairseq (compiles once, 2 to 3 minutes; pip caches the wheel)"
pip --no-build-isolation fairseq-fixed
step "vqnat"
pip --no-build-isolation -e '.[train,workflow,data,dev,export,serving,server,hub,ctranslate2,docs,tensorboard]'
echo "$wanted" > "$stamp"

#!/usr/bin/env bash
# Sets up .venv, then lints and runs every test. Extra arguments go to pytest: scripts/test.sh -m 'not slow'
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
.venv/bin/ruff check .
.venv/bin/ruff format --check .
exec .venv/bin/python -m pytest "$@"

#!/usr/bin/env bash
# Sets up .venv, then checks everything: lint, types, imports, every test. Extra arguments go to pytest:
#   scripts/test.sh -m 'not slow'
# VQNAT_TEST_WORKERS=N sets how many processes run the tests (default: one for each core; 0: none but pytest itself).
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
.venv/bin/ruff check .
.venv/bin/ruff format --check .
.venv/bin/mypy
.venv/bin/lint-imports
exec .venv/bin/python -m pytest -n "${VQNAT_TEST_WORKERS:-auto}" "$@"

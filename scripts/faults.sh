#!/usr/bin/env bash
# Kills our programs at random moments, takes their disk, their memory and their inputs away, and flips bits in their
# files; writes JSON. tests/faults/run_faults.py has the options:
#   scripts/faults.sh --trials 50 --flips 1000 --out benchmarks/faults.json
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH=$PWD OMP_NUM_THREADS=1
exec .venv/bin/python tests/faults/run_faults.py "$@"

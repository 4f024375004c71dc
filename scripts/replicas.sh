#!/usr/bin/env bash
# Trains every bottleneck as one process and as 2 and 4 gloo processes on the CPU; writes how far they are apart as JSON:
#   scripts/replicas.sh --out benchmarks/replicas.json
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH=$PWD OMP_NUM_THREADS=1
exec .venv/bin/python tests/replicas/run_replicas.py "$@"

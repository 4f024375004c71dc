#!/usr/bin/env bash
# Latency and training speed of untrained base-size models on newstest2014; output lengths are forced to those of the
# references. Takes an hour on 2 cores, which must be otherwise idle.
#   examples/latency/run.sh [--from DIR] [--threads N]      DIR as in data-prep/prepare-newstest.py
set -euo pipefail
cd "$(dirname "$0")/../.."
. examples/latency/untrained.sh

scripts/benchmark_latency.py $data --systems examples/latency/systems.yaml --baseline beam4 --force-lengths \
  --batch-size 1 8 32 128 --sentences 50 32 64 128 --repeats 3 --threads "$threads" \
  --json examples/latency/latency.json --plot $run/latency.png
scripts/benchmark_training.py $data --systems examples/latency/training.yaml --threads "$threads" \
  --max-tokens 2048 --batches 3 --repeats 3 \
  --json examples/latency/training.json

#!/usr/bin/env bash
# Untrained base-size models in the engines that a user would serve from, on newstest2014, at 1 to 128 sentences; output
# lengths are forced to those of the references. Ten minutes on 2 cores, which must be otherwise idle.
#   examples/latency/run_engines.sh [--from DIR] [--threads N]      DIR as in data-prep/prepare-newstest.py
set -euo pipefail
cd "$(dirname "$0")/../.."
. examples/latency/untrained.sh

scripts/benchmark_latency.py $data --systems examples/latency/engines.yaml --baseline ctranslate2_greedy_fp32 \
  --force-lengths --batch-size 1 8 32 128 --sentences 40 64 64 128 --repeats 3 --threads "$threads" \
  --json examples/latency/engines.json --plot $run/engines.png

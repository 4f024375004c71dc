#!/usr/bin/env bash
# Every bottleneck in the _tiny latent transformer on the embedded corpus, trained alike and for a short time.
# Three quarters of an hour on 2 cores; stop it whenever you like, the same command continues.
#   examples/embedded/compare_bottlenecks.sh [--run DIR] [--seed N]
set -euo pipefail
cd "$(dirname "$0")/../.."
export VQNAT_COMMAND="examples/embedded/compare_bottlenecks.sh${*:+ $*}"
case " $* " in *" --run "*) ;; *) set -- --run runs/compare_bottlenecks "$@" ;; esac
scripts/setup.sh
exec .venv/bin/python scripts/run_workflow.py --config examples/embedded/config.yaml "$@"

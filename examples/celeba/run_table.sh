#!/usr/bin/env bash
# The CelebA columns of the GM-VQ paper, at 128 x 128: every row trained, measured on the test set and printed beside
# the paper's figure.
# It can be stopped at any time; the same command continues it.
#   examples/celeba/run_table.sh [--from DIR] [--budget MINUTES] [--rows A,B] [--run DIR] [--seed N]
#            [--cores N] [--device cuda]
#   --budget MINUTES   training time of the first row of a table; all rows make the same number of updates, at
#                      smaller sizes for a CPU. The default is full size, which needs a GPU
set -euo pipefail
name=$(basename "$(dirname "$(realpath "$0")")")
words=()
while [ $# -gt 0 ]; do
  case $1 in
    --from | --run) [ $# -ge 2 ] || { echo "run_table: $1: its value is missing" >&2; exit 2; }
      words+=("$1" "$(realpath -m -- "$2")"); shift 2 ;;
    *) words+=("$1"); shift ;;
  esac
done
cd "$(dirname "$(realpath "$0")")/../.."
export VQNAT_COMMAND="examples/$name/run_table.sh ${words[*]-}"
scripts/setup.sh
exec .venv/bin/python scripts/run_workflow.py --config "examples/$name/config.yaml" --run "runs/$name" ${words[@]+"${words[@]}"}

#!/usr/bin/env bash
# A table of a paper: every row trained and measured, on this machine or a cluster; stop it whenever you like, the same
# command continues.
#   scripts/reproduce.sh TABLE [--rows NAME,...] [--scale tiny|small|paper] [--seeds 1,2,3] [--run DIR] [--from DIR]
#                        [--cores N] [--profile local|slurm|kubernetes|DIR] [-n]
#   TABLE: roy_t1, roy_t2, roy_t3, roy_t4, roy_t5, roy_fig3, yan_t1, yan_t1_celeba, yan_fig4, peers; several tables of
#          text, with commas, as one experiment, in which rows share what they have in common
#   -n     only say what would run, why, and by which commands
set -euo pipefail
export VQNAT_COMMAND="$0${*:+ $*}"
words=()
while [ $# -gt 0 ]; do
  case $1 in
    --from | --run) [ $# -ge 2 ] || { echo "reproduce: $1: its value is missing" >&2; exit 2; }
      words+=("$1" "$(realpath -m -- "$2")"); shift 2 ;;
    *) words+=("$1"); shift ;;
  esac
done
cd "$(dirname "$(realpath "$0")")/.."
scripts/setup.sh
exec .venv/bin/python -m vqnat.commands.reproduce ${words[@]+"${words[@]}"}

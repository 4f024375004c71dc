#!/usr/bin/env bash
# From a fresh clone to a table: installs into .venv, trains a teacher, distills it, trains the non-autoregressive
# systems, translates in parallel, and prints BLEU and latency beside the teacher's. Half an hour to an hour on 2 cores.
# Stop it whenever you like; the same command continues.
#
#   scripts/quickstart.sh [--full | --only NAME,...] [--run DIR] [--data embedded|multi30k] [--from DIR] [--seed N]
#                         [--cores N]
#
#   --full        every system of the configuration: hard EM, original text, second stages, more text, students
#   --only NAMES  the systems to compare, by their names in the configuration, and those that speed-ups are over
#   --run DIR     where everything is written (default: runs/quickstart, runs/multi30k)
#   --data NAME   embedded (default, needs no download) or multi30k
#   --from DIR    a local copy of the raw data (multi30k)
#   --seed N      of the trainings (default: 1)
#   --cores N     of jobs that run side by side (default: 2)
set -euo pipefail

usage() { sed -n '2,/^set/{s/^# \{0,1\}//p}' "$0"; }
fail() { echo "quickstart: $*" >&2; exit 2; }

export VQNAT_COMMAND="$0${*:+ $*}"
data=embedded run="" rest=()
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --full) rest+=(--full); shift; continue ;;
    --only | --run | --data | --from | --seed | --cores) [ $# -ge 2 ] || fail "$1: its value is missing" ;;
    *) fail "$1: unknown option; valid options: --full, --only, --run, --data, --from, --seed, --cores, --help" ;;
  esac
  case $1 in
    --only) rest+=(--only "$2") ;;
    --data) data=$2 ;;
    --run) run=$(realpath -m -- "$2") ;;
    --from) rest+=(--from "$(realpath -m -- "$2")") ;;
    --seed | --cores) rest+=("$1" "$2") ;;
  esac
  shift 2
done
cd "$(dirname "$0")/.."
case $data in
  embedded) config=examples/quickstart/config.yaml name=quickstart ;;
  multi30k) config=examples/multi30k/config.yaml name=multi30k ;;
  *) fail "--data $data: must be one of embedded, multi30k" ;;
esac
[ -n "$run" ] || run=runs/$name

scripts/setup.sh
exec .venv/bin/python scripts/run_workflow.py --config "$config" --run "$run" ${rest[@]+"${rest[@]}"}

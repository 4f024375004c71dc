#!/usr/bin/env bash
# Makes the small model that ships with the package, vqnat_serving/small_model: a latent transformer of the embedded
# corpus as int8 ONNX, with the words that its codes write and the scores of just that export.
#
#   scripts/make_small_model.sh [--run DIR] [--system NAME] [--out DIR]
#
#   --run DIR      a finished run of scripts/quickstart.sh; without it, one is made in runs/quickstart (40 minutes)
#   --system NAME  a row of the run's table (default: lt_second)
#   --out DIR      where to write it (default: vqnat_serving/small_model)
set -euo pipefail

run="" rest=()
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) sed -n '2,/^set/{s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    --run | --system | --out) [ $# -ge 2 ] || { echo "make_small_model.sh: $1: its value is missing" >&2; exit 2; } ;;
    *) echo "make_small_model.sh: $1: unknown option; valid options: --run, --system, --out, --help" >&2; exit 2 ;;
  esac
  case $1 in
    --run) run=$(realpath -m -- "$2") ;;
    --out) rest+=(--out "$(realpath -m -- "$2")") ;;
    --system) rest+=(--system "$2") ;;
  esac
  shift 2
done
cd "$(dirname "$0")/.."
if [ -z "$run" ]; then
  run=$PWD/runs/quickstart
  scripts/quickstart.sh --only lt_soft_em_distilled,lt_second
fi
exec .venv/bin/python -m vqnat.commands.make_small_model --run "$run" ${rest[@]+"${rest[@]}"}

#!/usr/bin/env bash
# The IWSLT14 table, partial training text: teacher, distillation, NAT and latent transformer. Hours on 2 cores; stop
# it whenever you like, the same command continues.
#   examples/iwslt14/run.sh --from DIR [--direction de-en|en-de] [OPTION...]
# DIR as in data-prep/prepare-iwslt14-de2en.sh; --direction: default de-en; every OPTION goes to scripts/run_workflow.py, such
# as --full, --only NAME,..., --seed N, --run DIR (default: runs/iwslt14.DIRECTION).
set -euo pipefail

fail() { echo "iwslt14: $*" >&2; exit 2; }

export VQNAT_COMMAND="$0${*:+ $*}"
direction=de-en run='' from='' rest=()
while [ $# -gt 0 ]; do
  case $1 in
    --from | --direction | --run)
      [ $# -ge 2 ] || fail "$1: its value is missing"
      case $1 in
        --from) from=$(realpath -m -- "$2") ;; --direction) direction=$2 ;; --run) run=$(realpath -m -- "$2") ;;
      esac
      shift 2 ;;
    *) rest+=("$1"); shift ;;
  esac
done
case $direction in
  de-en) ;;
  en-de) rest+=(--reverse) ;;
  *) fail "--direction $direction: must be de-en or en-de" ;;
esac
[ -n "$from" ] || fail "give the folder with the text: --from DIR"
cd "$(dirname "$0")/../.."
scripts/setup.sh
exec .venv/bin/python scripts/run_workflow.py --config examples/iwslt14/config.yaml \
  --run "${run:-runs/iwslt14.$direction}" --from "$from" ${rest[@]+"${rest[@]}"}

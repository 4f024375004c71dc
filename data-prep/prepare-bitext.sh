#!/usr/bin/env bash
# Any parallel text of your own: cleaned, split, joint subword vocabulary, fairseq's binary format; see --help.
#   data-prep/prepare-bitext.sh --source en --target de --train FILE FILE [--valid ...] [--test ...] [--hold-out N]
#                               [--language] --out DIR
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
python=$root/.venv/bin/python
[ -x "$python" ] || python=python3
PYTHONPATH=$root${PYTHONPATH:+:$PYTHONPATH} exec "$python" -m vqnat.data.prepare_bitext "$@"

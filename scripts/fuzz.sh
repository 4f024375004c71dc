#!/usr/bin/env bash
# Fuzzes every reader of data from elsewhere, and says what was tried and found:
#   scripts/fuzz.sh --inputs 100000 --json benchmarks/fuzzing.json
#   scripts/fuzz.sh --only journal
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
python=$here/.venv/bin/python
[ -x "$python" ] || python=python3
PYTHONPATH="$here/tests:$here${PYTHONPATH:+:$PYTHONPATH}" exec "$python" -m fuzz.command "$@"

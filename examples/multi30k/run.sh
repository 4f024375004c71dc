#!/usr/bin/env bash
# The whole Multi30k table: teacher, distillation, NAT, and the latent transformer with hard and soft EM, nc 3
# and 2, with and without distillation. Hours on 2 cores; stop it whenever you like, the same command continues.
#   examples/multi30k/run.sh [--from DIR] [--run DIR]      DIR as in data-prep/prepare-multi30k.sh
set -euo pipefail
exec "$(dirname "$0")/../../scripts/quickstart.sh" --data multi30k --full "$@"

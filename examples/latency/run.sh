#!/usr/bin/env bash
# Latency and training speed of untrained base-size models on newstest2014; output lengths are forced to those of the
# references. Takes an hour on 2 cores, which must be otherwise idle.
#   examples/latency/run.sh [--from DIR] [--threads N]      DIR as in data-prep/prepare-newstest.py
set -euo pipefail
cd "$(dirname "$0")/../.."
from=() threads=1
while [ $# -gt 0 ]; do
  case $1 in
    --from) from=(--from "${2:?"--from needs a folder"}"); shift 2 ;;
    --threads) threads=${2:?"--threads needs a number"}; shift 2 ;;
    *) echo "run: unknown option $1; valid: --from, --threads" >&2; exit 2 ;;
  esac
done
scripts/setup.sh
PATH=$PWD/.venv/bin:$PATH
export OMP_NUM_THREADS=$threads
data=data/newstest/bin run=runs/latency

[ -f data/newstest/data.json ] || data-prep/prepare-newstest.py "${from[@]}"
[ -f $run/lt_nc3_shallow.pt ] || scripts/make_untrained.py $data --models examples/latency/models.yaml --out $run
[ -d $run/lt_nc3_onnx ] ||
  scripts/export.py --path $run/lt_nc3.pt --data $data --bpe-model data/newstest/spm.model --out $run/lt_nc3_onnx
for model in ar ar_12_1; do
  [ -d $run/${model}_ct2 ] || ct2-fairseq-converter --user_dir vqnat --model_path $run/$model.pt --data_dir $data \
    --output_dir $run/${model}_ct2
done

scripts/benchmark_latency.py $data --systems examples/latency/systems.yaml --baseline beam4 --force-lengths \
  --batch-size 1 8 32 128 --sentences 50 32 64 128 --repeats 3 --threads "$threads" \
  --json examples/latency/latency.json --plot $run/latency.png
scripts/benchmark_training.py $data --systems examples/latency/training.yaml --threads "$threads" \
  --max-tokens 2048 --batches 3 --repeats 3 \
  --json examples/latency/training.json

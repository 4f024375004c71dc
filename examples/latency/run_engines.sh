#!/usr/bin/env bash
# Untrained base-size models in the engines that a user would serve from, on newstest2014, at 1 to 128 sentences; output
# lengths are forced to those of the references. Ten minutes on 2 cores, which must be otherwise idle.
#   examples/latency/run_engines.sh [--from DIR] [--threads N]      DIR as in data-prep/prepare-newstest.py
set -euo pipefail
cd "$(dirname "$0")/../.."
from=() threads=1
while [ $# -gt 0 ]; do
  case $1 in
    --from) from=(--from "${2:?"--from needs a folder"}"); shift 2 ;;
    --threads) threads=${2:?"--threads needs a number"}; shift 2 ;;
    *) echo "run_engines: unknown option $1; valid: --from, --threads" >&2; exit 2 ;;
  esac
done
scripts/setup.sh
PATH=$PWD/.venv/bin:$PATH
export OMP_NUM_THREADS=$threads
data=data/newstest/bin run=runs/latency

[ -f data/newstest/data.json ] || data-prep/prepare-newstest.py "${from[@]}"
for model in ar ar_12_1 lt_nc3 lt_nc3_shallow; do
  [ -f $run/$model.pt ] || scripts/make_untrained.py $data --models examples/latency/models.yaml --out $run
done
for model in lt_nc3 lt_nc3_shallow; do
  [ -d $run/${model}_onnx ] ||
    scripts/export.py --path $run/$model.pt --data $data --bpe-model data/newstest/spm.model --out $run/${model}_onnx
done
for model in ar ar_12_1; do
  [ -d $run/${model}_ct2 ] || ct2-fairseq-converter --user_dir vqnat --model_path $run/$model.pt --data_dir $data \
    --output_dir $run/${model}_ct2
done
scripts/benchmark_latency.py $data --systems examples/latency/engines.yaml --baseline ctranslate2_greedy_fp32 \
  --force-lengths --batch-size 1 8 32 128 --sentences 40 64 64 128 --repeats 3 --threads "$threads" \
  --json examples/latency/engines.json --plot $run/engines.png

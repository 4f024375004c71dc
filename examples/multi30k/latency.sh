#!/usr/bin/env bash
# Trained models in the engines that a user chooses from: fairseq, CTranslate2, ours in torch and in onnxruntime, on
# Multi30k's test set. A quarter of an hour; a quiet machine, or the figures mean little.
#   examples/multi30k/latency.sh RUN [--threads N]      RUN: the folder of a run of gap.yaml
set -euo pipefail
cd "$(dirname "$0")/../.."
run=${1:?"latency: give the folder of a run of examples/multi30k/gap.yaml"}
shift
threads=1
while [ $# -gt 0 ]; do
  case $1 in
    --threads) threads=${2:?"--threads needs a number"}; shift 2 ;;
    *) echo "latency: unknown option $1; valid: --threads" >&2; exit 2 ;;
  esac
done
models=$run/averaged data=$run/prep/bin out=$run/exported
for model in teacher latent_ctc latent_ctc_nc3 ctc; do
  [ -f "$models/$model.pt" ] || { echo "latency: $models/$model.pt: no such file; run gap.yaml first" >&2; exit 2; }
done
scripts/setup.sh
PATH=$PWD/.venv/bin:$PATH
export OMP_NUM_THREADS=$threads PYTHONPATH=$PWD

mkdir -p "$out"
for model in latent_ctc:0 latent_ctc_nc3:1.5 ctc:2; do  # penalties as in gap.yaml
  scripts/export.py --path "$models/${model%:*}.pt" --data "$data" --bpe-model "$run/prep/spm.model" \
    --out "$out/${model%:*}" --ctc-blank-penalty "${model#*:}"
done
[ -d "$out/teacher_ct2" ] || ct2-fairseq-converter --user_dir vqnat --model_path "$models/teacher.pt" \
  --data_dir "$data" --output_dir "$out/teacher_ct2"

limit=max_len_a=1.2,max_len_b=10
systems=(
  "beam4=$models/teacher.pt,beam=4,$limit"
  "greedy=$models/teacher.pt,beam=1,$limit"
  "ctranslate2_beam4=$out/teacher_ct2,beam=4,$limit"
  "ctranslate2_greedy=$out/teacher_ct2,beam=1,$limit"
  "ctranslate2_greedy_int8=$out/teacher_ct2,beam=1,precision=int8,$limit"
)
systems+=("latent_ctc=$models/latent_ctc.pt,beam=1,$limit")
systems+=("latent_ctc_nc3=$models/latent_ctc_nc3.pt,beam=1,ctc_blank_penalty=1.5,$limit")
systems+=("ctc=$models/ctc.pt,ctc_blank_penalty=2")
for model in latent_ctc latent_ctc_nc3; do
  systems+=("${model}_onnx=$out/$model,beam=1,$limit")
  systems+=("${model}_onnx_int8=$out/$model,beam=1,precision=int8,$limit")
done
systems+=("ctc_onnx=$out/ctc" "ctc_onnx_int8=$out/ctc,precision=int8")

scripts/benchmark_latency.py "$data" "${systems[@]/#/--system=}" --baseline ctranslate2_greedy \
  --min-target-words 10 --batch-size 1 8 32 --sentences 100 64 96 --repeats 3 --threads "$threads" \
  --json examples/multi30k/latency.json --plot "$run/latency_trained.png"

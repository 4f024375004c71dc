#!/usr/bin/env bash
# What a user chooses from: the trained models of a run in fairseq, in CTranslate2, and ours in torch, our engine and
# onnxruntime, each with its quality on the whole test set beside its speed. Half an hour on a machine that must be
# otherwise idle.
#   examples/latency/run_trained.sh RUN --json FILE [--only NAME,...] [--threads N] [--rounds N]
# RUN: the folder of a run of examples/quickstart/config.yaml or examples/multi30k/gap.yaml. Its averaged/teacher.pt and
# averaged/student_*.pt go through CTranslate2, all other models, or those of --only, through our runner.
set -euo pipefail
cd "$(dirname "$0")/../.."
run=${1:?"run_trained: give the folder of a run"} only=() threads=1 rounds=3 json=
shift
while [ $# -gt 0 ]; do
  value=${2:?"$1 needs a value"}
  case $1 in
    --only) IFS=, read -ra only <<< "$value" ;;
    --threads) threads=$value ;;
    --rounds) rounds=$value ;;
    --json) json=$value ;;
    *) echo "run_trained: unknown option $1; valid: --only, --threads, --rounds, --json" >&2; exit 2 ;;
  esac
  shift 2
done
: "${json:?"run_trained: --json names the file to write"}"
models=$run/averaged data=$run/prep/bin out=$run/engines
[ -f "$models/teacher.pt" ] || { echo "run_trained: $models/teacher.pt: no such file; run the configuration first" >&2; exit 2; }
scripts/setup.sh
PATH=$PWD/.venv/bin:$PATH
export OMP_NUM_THREADS=$threads
mkdir -p "$out"
if [ ${#only[@]} = 0 ]; then
  for path in "$models"/*.pt; do only+=("$(basename "$path" .pt)"); done
fi

limit=max_len_a=1.2,max_len_b=10
distilled=$run/distilled  # what the students have read, which shortlists are made from
[ ! -d "$run/distilled_extra" ] || distilled=$run/distilled_extra
systems=("beam4=$models/teacher.pt,beam=4,$limit" "greedy=$models/teacher.pt,beam=1,$limit")
teachers=(teacher) corpus=
for path in "$models"/student_*.pt; do [ ! -f "$path" ] || teachers+=("$(basename "$path" .pt)"); done
grep -q '"corpus": "embedded"' "$run/results.json" 2> /dev/null && corpus=embedded
for name in "${teachers[@]}"; do
  if [ ! -d "$out/$name/ctranslate2" ]; then
    vqnat package "$models/$name.pt" --data "$data" --bpe-model "$run/prep/spm.model" --out "$out/$name"
    vqnat export "$out/$name" --shortlist "$distilled"
  fi
  for precision in fp32 int8; do
    for beam in 1 4; do
      systems+=("${name}_ctranslate2_beam${beam}_$precision=$out/$name/ctranslate2,beam=$beam,precision=$precision,$limit")
    done
    systems+=("${name}_ctranslate2_shortlist_$precision=$out/$name/ctranslate2,beam=1,precision=$precision,shortlist=1,$limit")
  done
done
for name in "${only[@]}"; do
  [[ $name == teacher || $name == student_* ]] && continue
  # The blank's penalty of CTC was chosen on validation, see examples/multi30k/gap.yaml.
  case $name in ctc_long | latent_ctc_long) penalty=2 ;; latent_ctc_nc3*) penalty=1 ;; ctc*) penalty=1.5 ;; *) penalty=0 ;; esac
  [[ -d $out/$name || $name == nat_* ]] || vqnat export "$models/$name.pt" --data "$data" --bpe-model "$run/prep/spm.model" \
    --out "$out/$name" --ctc-blank-penalty $penalty --shortlist "$distilled"
  beam=beam=1,
  case $name in ctc*) beam= ;; esac
  if [[ $name == nat_* ]]; then  # fairseq's own
    systems+=("${name}_torch=$models/$name.pt,iter=0,beam=1,iter_decode_eos_penalty=0")
    continue
  fi
  systems+=(
    "${name}_torch=$models/$name.pt,${beam}ctc_blank_penalty=$penalty,$limit"
    "${name}_fairseq_native=$models/$name.pt,${beam}engine=native,ctc_blank_penalty=$penalty,$limit"
    "${name}_onnx_fp32=$out/$name,${beam}engine=onnx,$limit"
    "${name}_fp32=$out/$name,${beam}$limit"
    "${name}_int8=$out/$name,${beam}precision=int8,$limit"
    "${name}_shortlist_fp32=$out/$name,${beam}shortlist=1,$limit"
    "${name}_shortlist_int8=$out/$name,${beam}precision=int8,shortlist=1,$limit"
  )
done

vqnat latency "$data" "${systems[@]/#/--system=}" --baseline teacher_ctranslate2_beam1_fp32 \
  --min-target-words 10 --batch-size 1 8 32 128 --sentences 100 64 96 128 --repeats "$rounds" --threads "$threads" \
  --raw "$run/raw" ${corpus:+--corpus $corpus} \
  --json "$json" --plot "$out/latency.png" --plot-quality "$out/quality.png"

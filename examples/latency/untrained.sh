# Sourced by the scripts beside it: reads --from and --threads, installs, prepares newstest and makes the untrained models.
# Afterwards $data and $run are folders, $threads a number.
name=$(basename "$0" .sh) from=() threads=1
while [ $# -gt 0 ]; do
  case $1 in
    --from) from=(--from "${2:?"--from needs a folder"}"); shift 2 ;;
    --threads) threads=${2:?"--threads needs a number"}; shift 2 ;;
    *) echo "$name: unknown option $1; valid: --from, --threads" >&2; exit 2 ;;
  esac
done
scripts/setup.sh
PATH=$PWD/.venv/bin:$PATH
export OMP_NUM_THREADS=$threads
data=data/newstest/bin run=runs/latency

[ -f data/newstest/data.json ] || data-prep/prepare-newstest.py "${from[@]}"
[ -f $run/lt_nc3_shallow.pt ] || scripts/make_untrained.py $data --models examples/latency/models.yaml --out $run
# Shortlists from the 3,000 pairs of newstest2013: of the usual size, fit for timing only.
for model in lt_nc3 lt_nc3_shallow; do
  [ -d $run/${model}_onnx ] || vqnat export $run/$model.pt --data $data --bpe-model data/newstest/spm.model \
    --out $run/${model}_onnx --shortlist $data
done
for model in ar ar_12_1; do
  [ -d $run/$model ] || vqnat package $run/$model.pt --data $data --bpe-model data/newstest/spm.model --out $run/$model
  [ -d $run/$model/ctranslate2 ] || vqnat export $run/$model --shortlist $data
done

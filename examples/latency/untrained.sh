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
for model in lt_nc3 lt_nc3_shallow; do
  [ -d $run/${model}_onnx ] ||
    scripts/export.py --path $run/$model.pt --data $data --bpe-model data/newstest/spm.model --out $run/${model}_onnx
done
for model in ar ar_12_1; do
  [ -d $run/${model}_ct2 ] || ct2-fairseq-converter --user_dir vqnat --model_path $run/$model.pt --data_dir $data \
    --output_dir $run/${model}_ct2
done

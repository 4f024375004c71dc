#!/usr/bin/env bash
# The quickstart's workflow at toy size on a real Slurm of one node: a training is killed, retried and continued, and the
# result is that of a run without Slurm. Skipped with a reason where Slurm is not installed.
#   tests/workflow/slurm.sh [DIR]      DIR: where everything is written (default: a temporary folder)
set -euo pipefail
here=$(dirname "$(realpath "$0")") root=$(realpath "$(dirname "$0")/../..")
for program in slurmctld slurmd munged; do
  command -v $program >/dev/null || { echo "slurm: skipped: $program is not installed (apt install slurm-wlm munge)"; exit 77; }
done
[ "$(id -u)" = 0 ] || { echo "slurm: skipped: needs to be root to run Slurm's daemons"; exit 77; }
dir=$(realpath -m -- "${1:-$(mktemp -d /tmp/slurm.XXXXXX)}")
python=$root/.venv/bin/python
export PYTHONPATH=$root OMP_NUM_THREADS=1
unset VQNAT_COMMAND
mkdir -p "$dir"
trap '"$here/slurm_node.sh" down "$dir/node"' EXIT
"$here/slurm_node.sh" up "$dir/node"
cd "$root"
"$python" tests/toy_experiment.py "$dir/toy.yaml"

workflow() { # RUN OPTION...
  local run=$1
  shift
  "$python" scripts/run_workflow.py --config "$dir/toy.yaml" --run "$run" "$@"
}

training() { # the process of the teacher's training, if it runs in $dir/slurm
  local process
  for process in /proc/[0-9]*; do
    [ "$(readlink "$process/cwd")" = "$dir/slurm" ] || continue
    tr '\0' ' ' <"$process/cmdline" 2>/dev/null | grep -q 'fairseq_cli.train .*--save-dir models/teacher' || continue
    basename "$process"
    return
  done
}

kill_a_training() {
  while true; do
    if [ -f "$dir/slurm/models/teacher/checkpoint_last.pt" ] && process=$(training) && [ -n "$process" ]; then
      kill -9 "$process" && echo "slurm: killed the teacher's training" && return
    fi
    sleep 0.05
  done
}

kill_a_training &
killer=$!
# Up to the scores of one student: what else there is, such as latency, would only take time.
target=scores/nat_distilled.json
workflow "$dir/slurm" --profile slurm -- $target --slurm-status-command squeue --slurm-no-account \
  --slurm-init-seconds-before-status-checks 2 --default-resources slurm_partition=main mem_mb=500 runtime=30 \
  --set-resources train:mem_mb=500 latency:slurm_extra="''"
kill $killer 2>/dev/null || true
grep -q 'Loaded checkpoint models/teacher/checkpoint_last.pt' "$dir/slurm/logs/train_teacher.log" ||
  { echo "slurm: the training was not killed and continued; see $dir/slurm/logs/train_teacher.log" >&2; exit 1; }
workflow "$dir/local" -- $target >"$dir/local.txt"
for file in $target outputs/nat_distilled.de distilled/train.en-de.{de,en}.{bin,idx}; do
  cmp "$dir/slurm/$file" "$dir/local/$file"
done
echo "slurm: a run on Slurm, with a training that was killed and retried, gave the same translations and scores"
[ $# -gt 0 ] || rm -rf "$dir"

# Trainings, the teacher's among them. fairseq continues a training from its checkpoint, so its folder is no output, which
# Snakemake would remove before it starts again: `begin` empties it, and runs again only if options or data change.
import re


def of_training(w):
    return CONFIG.trainings[w.training]


def starts_from(w):
    return [LAYOUT.ready(name, w.at) for name in CONFIG.starts(w.training)]


def training_options(w):
    seed = LAYOUT.seed(w.at)
    return words(commands.train_options(CONFIG, w.training, LAYOUT.checkpoints(w.at), seed))


def launcher(w):
    """What starts the processes of a training: nothing, torchrun, or Slurm's srun and torchrun on each node."""
    training = of_training(w)
    if training.processes * training.nodes == 1:
        return "-m fairseq_cli.train"
    program = "fairseq_cli.train" if CONFIG.device == "cuda" else "vqnat.commands.train_rank"
    meet = "--standalone"
    if training.nodes > 1:
        first = "$(scontrol show hostnames | head -n 1)"
        meet = f"--nnodes {training.nodes} --rdzv-backend c10d --rdzv-endpoint {first}:29400"
    return f"-m torch.distributed.run {meet} --nproc-per-node {training.processes} -m {program}"


def on_each_node(w):
    nodes = of_training(w).nodes
    return f"srun --nodes {nodes} --ntasks {nodes} " if nodes > 1 else ""


rule begin:
    message:
        "begin_{wildcards.training}: an empty folder"
    input:
        lambda w: LAYOUT.data(w.training, w.at)[1] + starts_from(w),
    output:
        "{at}models/{training}.begun",
    params:
        options=training_options,
    shell:
        "rm -rf {wildcards.at}models/{wildcards.training} {wildcards.at}logs/train_{wildcards.training}.log; "
        "mkdir -p {wildcards.at}models/{wildcards.training}; date +%s.%N > {output}"


rule train:
    message:
        "{wildcards.at}train_{wildcards.training}: {params.updates} updates on {params.text} text"
    input:
        "{at}models/{training}.begun",
    output:
        touch("{at}models/{training}/trained"),
    log:
        "{at}logs/train_{training}.log",
    threads: lambda w: of_training(w).threads * of_training(w).processes
    priority: 20
    resources:
        gpu=lambda w: of_training(w).processes if CONFIG.device == "cuda" else 0,
        nodes=lambda w: of_training(w).nodes,
    params:
        data=lambda w: LAYOUT.data(w.training, w.at)[0],
        text=lambda w: of_training(w).text.replace("_", " + "),
        updates=lambda w: of_training(w).updates,
        options=training_options,
        threads=lambda w, output: of_training(w).threads,
        launcher=lambda w, output: launcher(w),
        alone=lambda w, output: f"flock --nonblock --no-fork {output}.lock" if shutil.which("flock") else "",
        nodes=lambda w, output: on_each_node(w),
    shell:
        "{PYTHON} -m vqnat.commands.repair_checkpoint {wildcards.at}models/{wildcards.training} >> {log} 2>&1; "
        "export OMP_NUM_THREADS={params.threads}; "
        "exec {params.alone} {params.nodes}{PYTHON} {params.launcher} {params.data} --user-dir {PLUGIN} "
        "--save-dir {wildcards.at}models/{wildcards.training} {params.options} >> {log} 2>&1"


rule average:
    message:
        "{wildcards.at}average_{wildcards.training}: the mean of the last {params.last} checkpoints"
    input:
        "{at}models/{training}/trained",
    output:
        "{at}averaged/{training}.pt",
    log:
        "{at}logs/average_{training}.log",
    priority: 30
    params:
        last=lambda w: of_training(w).average,
    shell:
        "exec {PYTHON} -m vqnat.commands.average --inputs {wildcards.at}models/{wildcards.training} "
        "--num-last-checkpoints {params.last} --output {output} > {log} 2>&1"

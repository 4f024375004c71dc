# The teacher translates the training text: shards, each with its journal, then one merge. As with trainings, the folder
# is no output: a shard that was stopped continues, and what is finished stays.


scattergather:
    distill=CONFIG.distillation.jobs,


def distill_options(w):
    teacher = LAYOUT.checkpoint(CONFIG.distillation.teacher, w.at)
    return words(commands.distill_options(CONFIG, w.text, teacher))


localrules:
    begin_distill,


rule begin_distill:
    message:
        "{wildcards.at}begin_{wildcards.text}: an empty folder"
    input:
        LAYOUT.binarized(),
        lambda w: LAYOUT.ready(CONFIG.distillation.teacher, w.at),
    output:
        "{at}{text}.begun",
    params:
        options=distill_options,
    shell:
        "rm -rf {wildcards.at}{wildcards.text}; date +%s.%N > {output}"


rule distill:
    message:
        "{wildcards.at}distill_{wildcards.scatteritem}: the teacher translates a part of the training text"
    input:
        "{at}{text}.begun",
    output:
        touch("{at}{text}.shards/{scatteritem}"),
    log:
        "{at}logs/{text}_{scatteritem}.log",
    priority: 40
    retries: 2
    resources:
        gpu=1 if CONFIG.device == "cuda" else 0,
    params:
        options=distill_options,
        shard=lambda w, output: int(w.scatteritem.split("-")[0]) - 1,
    shell:
        "exec {PYTHON} -m vqnat.commands.distill prep/bin --out {wildcards.at}{wildcards.text} --shard {params.shard} "
        "{params.options} > {log} 2>&1"


rule merge:
    message:
        "{wildcards.at}merge_{wildcards.text}: the shards' translations as training data"
    input:
        gather.distill("{{at}}{{text}}.shards/{scatteritem}"),
    output:
        touch("{at}{text}.merged"),
    log:
        "{at}logs/{text}.log",
    priority: 40
    params:
        options=distill_options,
    shell:
        "exec {PYTHON} -m vqnat.commands.distill prep/bin --out {wildcards.at}{wildcards.text} --merge {params.options} "
        "> {log} 2>&1"

# The text, its subwords, and fairseq's binary format.
from vqnat.experiments import commands
from vqnat.experiments.config import load
from vqnat.experiments.layout import Layout, text_files

CONFIG = load(CONFIGFILE, OVERRIDES)
LAYOUT = Layout(CONFIG)
SYSTEMS = {system.name: system for system in CONFIG.systems}


wildcard_constraints:
    at=r"(seed\d+/)?",
    training="|".join(CONFIG.trainings),
    system="|".join(SYSTEMS),
    text="distilled|distilled_extra",


if CONFIG.data.kind == "embedded":

    rule corpus:
        message:
            f"corpus: writing {CONFIG.data.train} pairs"
        output:
            LAYOUT.raw(),
        log:
            "logs/corpus.log",
        params:
            options=words(commands.embedded_options(CONFIG)),
        shell:
            "exec {PYTHON} -m vqnat.embedded --out raw {params.options} > {log} 2>&1"

elif CONFIG.data.kind == "folder":

    rule corpus:
        message:
            f"corpus: copying {CONFIG.folder or CONFIG.data.path}"
        input:
            [str(path.absolute()) for path in text_files(CONFIG).values()],
        output:
            LAYOUT.raw(),
        log:
            "logs/corpus.log",
        shell:
            "cp {input:q} raw/ > {log} 2>&1"

else:

    rule corpus:
        message:
            "corpus: preparing the text"
        output:
            LAYOUT.raw(),
        log:
            "logs/corpus.log",
        params:
            words=lambda w: CONFIG.data.prepare,  # a function, as Snakemake would take {raw} for a wildcard
            command=lambda w, output: words(commands.prepare_command(CONFIG.data.prepare, RUN / "raw", CONFIG.folder)),
        shell:
            "log=$PWD/{log}; cd {ROOT}; {params.command} > $log 2>&1"


rule binarize:
    message:
        f"binarize: joint vocabulary of {CONFIG.vocabulary} subwords"
    input:
        LAYOUT.raw(),
    output:
        LAYOUT.binarized(),
    log:
        "logs/binarize.log",
    threads: CONFIG.cores
    params:
        options=words(commands.binarize_options(CONFIG)),
    shell:
        "exec {PYTHON} -m vqnat.data.binarize --raw raw --out prep {params.options} > {log} 2>&1"


rule check:
    message:
        "check: fairseq has all options of the configuration"
    output:
        touch("options.checked"),
    log:
        "logs/check.log",
    priority: 100
    params:
        options=lambda w: [
            *(commands.train_options(CONFIG, name, LAYOUT.checkpoints(""), 1) for name in CONFIG.trainings),
            *(commands.generate_options(CONFIG, system, LAYOUT.checkpoints(""), 1) for system in CONFIG.systems),
        ],
        config=lambda w, output: f"--config {shlex.quote(str(CONFIGFILE))} {overrides()}",
    shell:
        "exec {PYTHON} -m vqnat.commands.check_options {params.config} > {log} 2>&1"

# Image tables: the images; length, training, prior and measurement of each row; results. `begin` is as in train.smk.
import logging

from vqnat.image.tables import table_commands as commands
from vqnat.image.tables.table_config import load
from vqnat.image.tables.validation_figures import validate_options

logging.getLogger().handlers.clear()  # importing fairseq's tasks adds one, which would write each line a second time
CONFIG = load(CONFIGFILE, OVERRIDES)
ROWS = {(key, row.name): row for key, rows in CONFIG.chosen.items() for row in rows}
TASKS = {"train": commands.IMAGES, "prior": commands.PRIOR}
IMAGES_PLUGIN = shlex.quote(str(REPOSITORY / "vqnat" / "image"))


wildcard_constraints:
    table="|".join(CONFIG.tables),
    row="|".join(sorted({name for _, name in ROWS})),
    kind="train|prior",


def has_prior(table, row):
    return bool(CONFIG.tables[table].prior) and ROWS[table, row].prior


def options_of(kind, table, row):
    if kind == "prior":
        return commands.prior_options(CONFIG, CONFIG.tables[table], f"train/{table}/{row.name}/checkpoint_last.pt")
    return commands.row_options(CONFIG, CONFIG.tables[table], row)


def timed(w):
    """The row whose training is timed for its table: the first, whichever are asked for; a prior's, of those asked for."""
    table = CONFIG.tables[w.table]
    if w.kind == "train":
        return table.rows[0]
    return next(row for row in CONFIG.chosen[w.table] if has_prior(w.table, row.name))


def trained(w):
    return [f"train/{w.table}/{timed(w).name}/trained"] if w.kind == "prior" else []


def trial_options(w):
    options = options_of(w.kind, w.table, timed(w))
    return words(commands.trial_words(CONFIG, TASKS[w.kind], options))


def row_words(w):
    return words(commands.train_words(CONFIG, TASKS[w.kind], options_of(w.kind, w.table, ROWS[w.table, w.row])))


rule images:
    message:
        "images: preparing them"
    output:
        "data/prepared",
    log:
        "logs/images.log",
    params:
        words=lambda w: CONFIG.prepare,
        source=lambda w, output: f"--from {shlex.quote(CONFIG.folder)}" if CONFIG.folder else "",
        command=lambda w, output: words(CONFIG.prepare),
    shell:
        "run=$PWD; cd {ROOT}; {PYTHON} {params.command} --out $run/data {params.source} > $run/{log} 2>&1; "
        "touch $run/{output}"


rule trial:
    message:
        "trial_{wildcards.table}_{wildcards.kind}: the speed of a training"
    input:
        "data/prepared",
        trained,
    output:
        "lengths/{table}/{kind}.trial.txt",
    log:
        "logs/trial_{table}_{kind}.log",
    threads: CONFIG.cores
    params:
        options=trial_options,
    shell:
        "export OMP_NUM_THREADS=1; exec {PYTHON} -m vqnat.commands.image_train {commands.TRIAL} data "
        "--user-dir {IMAGES_PLUGIN} {params.options} > {output} 2> {log}"


rule length:
    message:
        "length_{wildcards.table}_{wildcards.kind}: {params.epochs} epochs, or less"
    input:
        "data/prepared",
        lambda w: [f"lengths/{w.table}/{w.kind}.trial.txt"] if CONFIG.budget else [],
    output:
        "lengths/{table}/{kind}.json",
    log:
        "logs/length_{table}_{kind}.log",
    params:
        epochs=lambda w: CONFIG.tables[w.table].epochs if w.kind == "train" else CONFIG.tables[w.table].prior_epochs,
        batch=lambda w: options_of(w.kind, w.table, timed(w))["batch-size"],
        minutes=lambda w: (
            f"--minutes {commands.minutes(CONFIG, CONFIG.tables[w.table])} --trial lengths/{w.table}/{w.kind}.trial.txt"
            if CONFIG.budget
            else ""
        ),
    shell:
        "exec {PYTHON} -m vqnat.commands.image_length data --epochs {params.epochs} --batch-size {params.batch} "
        "{params.minutes} --json {output} > {log} 2>&1"


rule begin:
    message:
        "begin_{wildcards.kind}_{wildcards.table}_{wildcards.row}: an empty folder"
    input:
        "data/prepared",
        "lengths/{table}/{kind}.json",
        lambda w: [f"train/{w.table}/{w.row}/trained"] if w.kind == "prior" else [],
    output:
        "{kind}/{table}/{row}.begun",
    params:
        options=row_words,
    shell:
        "rm -rf {wildcards.kind}/{wildcards.table}/{wildcards.row}; mkdir -p {wildcards.kind}/{wildcards.table}/{wildcards.row}; "
        "rm -f logs/{wildcards.kind}_{wildcards.table}_{wildcards.row}.log; date +%s.%N > {output}"


rule train:
    message:
        "{wildcards.kind}_{wildcards.table}_{wildcards.row}: training"
    input:
        "{kind}/{table}/{row}.begun",
        length="lengths/{table}/{kind}.json",
    output:
        touch("{kind}/{table}/{row}/trained"),
    log:
        "logs/{kind}_{table}_{row}.log",
    priority: 10
    resources:
        gpu=1 if CONFIG.device == "cuda" else 0,
    params:
        options=row_words,
        alone=lambda w, output: f"flock --nonblock --no-fork {output}.lock" if shutil.which("flock") else "",
    shell:
        "{PYTHON} -m vqnat.commands.repair_checkpoint {wildcards.kind}/{wildcards.table}/{wildcards.row} >> {log} 2>&1; "
        "exec {params.alone} {PYTHON} -m vqnat.commands.image_train {input.length} data --user-dir {IMAGES_PLUGIN} "
        "--save-dir {wildcards.kind}/{wildcards.table}/{wildcards.row} {params.options} >> {log} 2>&1"


rule validate:
    message:
        "validate_{wildcards.kind}_{wildcards.table}_{wildcards.row}: the test set"
    input:
        "data/prepared",
        lambda w: [f"{kind}/{w.table}/{w.row}/trained" for kind in ("train", "prior")[: 1 + (w.kind == "prior")]],
    output:
        "figures/{table}/{row}.{kind}.txt",
    log:
        "logs/validate_{kind}_{table}_{row}.log",
    params:
        options=lambda w: words(validate_options(TASKS[w.kind], 50, CONFIG.device)),
    shell:
        "exec {PYTHON} -m fairseq_cli.validate data --user-dir {IMAGES_PLUGIN} {params.options} "
        "--path {wildcards.kind}/{wildcards.table}/{wildcards.row}/checkpoint_last.pt > {output} 2> {log}"


def measured(w, what):
    """Of the models of a row: a file of each kind."""
    kinds = ("train", "prior") if has_prior(w.table, w.row) else ("train",)
    return [what.format(kind=kind, **dict(w.items())) for kind in kinds]


def figure_options(w):
    files = ("figures/{table}/{row}.{kind}.txt", "logs/{kind}_{table}_{row}.log", "lengths/{table}/{kind}.json")
    of_kinds = zip(*(measured(w, file) for file in files), strict=True)
    return words(word for kind, names in zip(("--train", "--prior"), of_kinds) for word in (kind, *names))


rule figures:
    message:
        "figures_{wildcards.table}_{wildcards.row}: of the test set"
    input:
        lambda w: measured(w, "figures/{table}/{row}.{kind}.txt"),
    output:
        "figures/{table}/{row}.json",
    log:
        "logs/figures_{table}_{row}.log",
    params:
        options=figure_options,
    shell:
        "exec {PYTHON} -m vqnat.commands.image_figures {params.options} --json {output} > {log} 2>&1"


rule results:
    message:
        "results: one JSON file"
    input:
        [f"figures/{table}/{row}.json" for table, row in ROWS],
    output:
        "results.json",
    log:
        "logs/results.log",
    params:
        rows=lambda w: [[table, row.name, row.title, row.paper, CONFIG.tables[table].columns] for (table, _), row in ROWS.items()],
        config=lambda w, output: f"--config {shlex.quote(str(CONFIGFILE))} {overrides()}",
    shell:
        "exec {PYTHON} -m vqnat.commands.image_results {params.config} > {log} 2>&1"

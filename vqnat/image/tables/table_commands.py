"""The options of every program that image tables run; paths are relative to the run's folder."""

from vqnat.experiments.program_options import arguments
from vqnat.image.tables.table_config import Config, Row, Table

IMAGES, PRIOR = "image_vqvae", "image_latent_transformer"  # tasks
COMMON = {
    "no-epoch-checkpoints": True,
    "disable-validation": True,  # the last checkpoint is measured: none is selected by the reported figures
    "save-interval-updates": 200,
    "keep-interval-updates": 1,
    "num-workers": 0,
}
TRIAL = 12  # updates of a timed trial


def row_options(config: Config, table: Table, row: Row) -> dict:
    """Of fairseq-train for a row's autoencoder; with a budget, at the size for it."""
    if not config.budget:
        return {**COMMON, **table.options, **row.options}
    return {**COMMON, **table.options, **table.budget_options, **row.options, **row.budget_options}


def prior_options(config: Config, table: Table, vqvae: str) -> dict:
    """Of fairseq-train for what learns the codes of the autoencoder ``vqvae``, a checkpoint."""
    return {**COMMON, **table.prior, **(table.budget_prior if config.budget else {}), "vqvae": vqvae}


def train_words(config: Config, task: str, options: dict) -> list[str]:
    """A training's options; its length is not known yet: ``{updates}`` and ``{updates/10}`` stand for it."""
    device = ["--cpu"] if config.device == "cpu" else []
    words = ["--task", task, *arguments(options), "--max-update", "{updates}", "--seed", str(config.seed)]
    return [*words, "--log-format", "json", *device]


def trial_words(config: Config, task: str, options: dict) -> list[str]:
    """A few updates to be timed, with the codebook started right away if it starts from data."""
    quick = {**options, "log-interval": 1, "no-save": True}
    if "codebook-start-updates" in quick:
        quick["codebook-start-updates"] = 2
    return train_words(config, task, quick)


def minutes(config: Config, table: Table) -> float | None:
    """The budget of one training of a row: half of the row's if there is a prior."""
    return config.budget and config.budget * table.budget_times / (2 if table.prior else 1)

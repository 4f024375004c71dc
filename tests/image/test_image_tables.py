"""The papers' tables: every row is a training that can start, lengths fit budgets, and both orders are compared."""

from pathlib import Path

import bitext
import pytest
import torch
from fairseq import options
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from fairseq.models import ARCH_MODEL_REGISTRY

import vqnat.image  # noqa: F401  (registration)
from vqnat.errors import UserError
from vqnat.experiments.program_options import arguments
from vqnat.image.tables import budget
from vqnat.image.tables import table_commands as commands
from vqnat.image.tables.image_markdown import header_and_rows, order
from vqnat.image.tables.table_commands import COMMON
from vqnat.image.tables.table_config import load
from vqnat.image.tables.validation_figures import read_figures

TABLES = {name: bitext.REPO / "examples" / name / "config.yaml" for name in ("cifar10", "celeba")}
ROWS = [
    (dataset, key, row.name)
    for dataset, path in TABLES.items()
    for key, t in load(path).tables.items()
    for row in t.rows
]


def test_the_papers_rows_are_all_there():
    assert [row for dataset, key, row in ROWS if (dataset, key) == ("cifar10", "roy2018")] == [
        "hard_em",
        "soft_em_5",
        "vae",
    ]
    for dataset in TABLES:
        assert sum((d, key) == (dataset, "gmvq") for d, key, _ in ROWS) == 11


@pytest.mark.parametrize(("dataset", "key", "name"), ROWS)
def test_every_row_can_start(dataset, key, name):
    table = load(TABLES[dataset]).tables[key]
    row = next(row for row in table.rows if row.name == name)
    words = budget.fill_updates(arguments({**COMMON, **table.options, **row.options}), 1000)
    parser = options.get_training_parser()
    args = options.parse_args_and_arch(parser, ["data", "--task", "image_vqvae", *words])
    config = convert_namespace_to_omegaconf(args)
    task = type("Task", (), {"image_size": (32, 32) if dataset == "cifar10" else (128, 128)})
    with torch.device("meta"):
        model = ARCH_MODEL_REGISTRY[args.arch].build_model(config.model, task)
    assert model.field[:2] == ((8, 8) if dataset == "cifar10" else (16, 16))
    assert config.lr_scheduler.warmup_updates == 100


def test_lengths():
    assert budget.full_updates(images=45_001, batch=256, epochs=100) == 17_600
    assert budget.updates_within(minutes=10, seconds=2.0, most=17_600) == 300
    assert budget.updates_within(minutes=1, seconds=60.0, most=17_600) == budget.FEWEST
    assert budget.updates_within(minutes=1000, seconds=0.1, most=50) == 50
    filled = budget.fill_updates(["--a", "{updates/10}", "--b", "{updates}", "3"], 205)
    assert filled == ["--a", "20", "--b", "205", "3"]


def test_figures_are_those_of_the_last_report(tmp_path):
    log = tmp_path / "log"
    lines = ['x | INFO | test | {"test_bpd": "7.5"}', 'x | INFO | test | {"test_bpd": "5.25", "test_loss": "inf"}']
    log.write_text("\n".join(lines) + "\n")
    assert read_figures(log) == {"bpd": 5.25}


def table():
    rows = [("A", 3.0, 2.0), ("B", 2.0, 1.0), ("C", 1.0, 1.5)]
    return {
        "columns": ["mse_e3", "code_use"],
        "rows": [
            {"title": t, "paper": {"mse_e3": p}, "figures": {"mse_e3": o, "code_use": 0.5}, "epochs": 2.5}
            for t, p, o in rows
        ],
    }


def test_rendering():
    header, rows = header_and_rows(table())
    assert header == ["method", "MSE × 10⁻³: paper", "ours", "codes in use", "epochs"]
    assert rows[0] == ["A", "3.00", "2.00", "0.500", "2.5"]
    assert "Paper: C, B, A. Ours: B, C, A. 2 of 3 pairs stand alike." in order(table(), "mse_e3")
    assert order(table(), "code_use") is None


def test_mistakes_in_the_file(tmp_path):
    wrong = Path(tmp_path / "wrong.yaml")
    text = TABLES["celeba"].read_text(encoding="utf-8")
    wrong.write_text(text.replace("columns: [mse_e3,", "columns: [mse,"), encoding="utf-8")
    with pytest.raises(
        UserError, match=r"wrong.yaml: tables.gmvq.columns\[0\]: 'mse' is not valid; must be one of bpd"
    ):
        load(wrong)
    wrong.write_text(text.replace("columns:", "colums:", 1), encoding="utf-8")
    with pytest.raises(UserError, match=r"wrong.yaml: tables.gmvq.colums: unknown key; valid keys: title, source"):
        load(wrong)


def test_a_row_has_half_of_its_budget_where_there_is_a_prior():
    config = load(TABLES["cifar10"], {"budget": 4.0, "rows": ["soft_em_5", "vq"]})
    assert {key: [row.name for row in rows] for key, rows in config.chosen.items()} == {
        "roy2018": ["soft_em_5"],
        "gmvq": ["vq"],
    }
    minutes = {key: commands.minutes(config, config.tables[key]) for key in config.chosen}
    assert minutes == {"roy2018": 8.0, "gmvq": 4.0}  # four budgets, half of them each
    assert commands.minutes(load(TABLES["cifar10"]), config.tables["gmvq"]) is None


def test_a_budget_makes_rows_smaller_and_a_rows_own_option_wins():
    for budget_, width in ((None, None), (4.0, 64)):
        config = load(TABLES["cifar10"], {"budget": budget_} if budget_ else {})
        table = config.tables["gmvq"]
        vq, sq_vae = (commands.row_options(config, table, row) for row in table.rows if row.name in ("vq", "sq_vae"))
        assert vq.get("hidden-size") == sq_vae.get("hidden-size") == width
        assert sq_vae["lr"] == 1e-3 and sq_vae.get("sq-variance") == (0 if budget_ else None)
    trial = commands.trial_words(config, commands.IMAGES, {"codebook-start-updates": 500})
    assert trial[trial.index("--codebook-start-updates") + 1] == "2" and "--no-save" in trial

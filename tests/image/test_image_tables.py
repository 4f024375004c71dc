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
from vqnat.image.tables import budget
from vqnat.image.tables import table_command as command
from vqnat.image.tables.image_markdown import header_and_rows, order
from vqnat.image.tables.table_config import load
from vqnat.image.tables.table_stages import COMMON, Plan
from vqnat.image.tables.validation_figures import read_figures
from vqnat.pipeline.program_options import arguments

TABLES = {name: bitext.REPO / "examples" / name / "table.yaml" for name in ("cifar10", "celeba")}
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
    words = arguments(budget.fill_updates({**COMMON, **table.options, **row.options}, 1000))
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
    filled = budget.fill_updates({"a": "{updates/10}", "b": "{updates}", "c": 3}, 205)
    assert filled == {"a": "20", "b": "205", "c": 3}


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


def test_mistakes_in_the_file_and_on_the_command_line(tmp_path):
    config = load(TABLES["cifar10"])
    with pytest.raises(UserError, match="--rows nothing: no such row"):
        Plan(config, tmp_path, None, 1.0, ["nothing"])
    with pytest.raises(UserError, match="--budget 0 is not possible"):
        Plan(config, tmp_path, None, 0.0, [])
    wrong = Path(tmp_path / "wrong.yaml")
    text = TABLES["celeba"].read_text(encoding="utf-8")
    wrong.write_text(text.replace("columns: [mse_e3,", "columns: [mse,"), encoding="utf-8")
    with pytest.raises(UserError, match=r"wrong.yaml: tables.gmvq.columns: 'mse' is not valid; must be one of bpd"):
        load(wrong)


def test_options_of_the_command_line_win(tmp_path, monkeypatch, capsys):
    words = ["--config", str(TABLES["celeba"]), "--run", str(tmp_path), "--from", str(tmp_path), "--budget", "1"]
    assert command.main([*words, "--cores", "0"]) == 2
    assert capsys.readouterr().err.startswith("image_table: --cores 0: must be 1 to ")
    seen = []

    def stop(stages, store, cores, event):
        seen.append((cores, [stage.spec for stage in stages if stage.name == "train_gmvq_vq"]))
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "run_pipeline", stop)
    for more in ([], ["--cores", "1", "--seed", "7"]):
        assert command.main([*words, *more]) == 130
    assert [cores for cores, _ in seen] == [load(TABLES["celeba"]).cores, 1]
    assert seen[0][1] != seen[1][1]  # another seed, another training


def test_stages_of_one_row(tmp_path):
    plan = Plan(load(TABLES["cifar10"]), tmp_path, None, 4.0, ["soft_em_5"])
    assert [stage.name for stage in plan.stages] == [
        "data",
        "length_roy2018",
        "train_roy2018_soft_em_5",
        "length_roy2018_prior",
        "prior_roy2018_soft_em_5",
        "measure_roy2018_soft_em_5",
        "results",
    ]
    minutes = [stage.spec[3] for stage in plan.stages if stage.name.startswith("length")]
    assert minutes == [8.0, 8.0]  # four budgets, half of them each


def test_all_rows_of_a_table_are_as_long_and_a_budget_makes_them_smaller(tmp_path):
    for budget_, width in ((None, None), (4.0, 64)):
        plan = Plan(load(TABLES["cifar10"]), tmp_path, None, budget_, ["vq", "sq_vae"])
        trainings = [stage for stage in plan.stages if stage.name.startswith("train_")]
        assert [stage.inputs[-1] for stage in trainings] == ["length_gmvq"] * 2
        assert [stage.spec[1].get("hidden-size") for stage in trainings] == [width] * 2
        assert trainings[1].spec[1]["lr"] == 1e-3  # a row's own option wins
        assert trainings[1].spec[1].get("sq-variance") == (0 if budget_ else None)
    timed = next(stage for stage in plan.stages if stage.name == "length_gmvq")
    assert timed.spec[1]["bottleneck"] == "vq"  # the table's first row, whichever are asked for

"""Every mistake in the YAML is one line with file, key, value and what is valid."""

import types
from pathlib import Path

import pytest

from vqnat.errors import UserError
from vqnat.pipeline.config import load
from vqnat.pipeline.plan import Plan
from vqnat.pipeline.program_options import arguments

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart" / "quickstart.yaml"


def change(content: dict, where: list, value: object) -> dict:
    inner = content
    for key in where[:-1]:
        inner = inner[key]
    inner[where[-1]] = value
    return content


@pytest.mark.parametrize(
    ("where", "value", "words"),
    [
        (["vocabluary"], 3, ["vocabluary: unknown key", "vocabulary"]),
        (["vocabulary"], "big", ["vocabulary: 'big'", "a whole number"]),
        (["vocabulary"], 5, ["vocabulary: 5", "at least 32"]),
        (["cores"], True, ["cores: True", "a whole number"]),
        (["data", "kind"], "web", ["data.kind: 'web'", "embedded, folder, prepare"]),
        (["data", "kind"], "prepare", ["data.prepare: missing"]),
        (["data"], ["x"], ["data: ['x']", "a mapping with the keys kind"]),
        (["systems"], {}, ["systems: {}", "a list"]),
        (["trainings", "nat"], {"options": {}}, ["trainings.nat.updates: missing"]),
        (["trainings", "nat", "text"], "clean", ["trainings.nat.text: 'clean'", "raw, distilled"]),
        (["trainings", "nat", "options"], {}, ["trainings.nat.options.arch: missing"]),
        (
            ["trainings", "nat", "options", "--lr"],
            1,
            ["trainings.nat.options: '--lr'", "without the leading dashes"],
        ),
        (
            ["trainings", "nat", "options", "save-dir"],
            "x",
            ["trainings.nat.options.save-dir", "sets this option"],
        ),
        (
            ["trainings", "nat", "options", "encoder-from"],
            "{nat_raw}",
            ["trainings.nat.options: the name in braces: 'nat_raw'", "teacher"],
        ),
        (
            ["trainings", "teacher", "options", "encoder-from"],
            "{teacher}",
            ["trainings.teacher.options: the name in braces: 'teacher'"],
        ),
        (["trainings", "Nat"], {"updates": 1, "options": {"arch": "x"}}, ["trainings: 'Nat'", "lower-case"]),
        (["trainings", "nat", "text"], "distilled_extra", ["distillation.source_text: missing; trainings.nat.text"]),
        (["trainings", "teacher", "text"], "distilled", ["trainings.teacher.text", "raw"]),
        (
            ["common", "keep-last-epochs"],
            1,
            ["trainings.teacher.average: 2", "at most keep-last-epochs", "1"],
        ),
        (["distillation"], {"teacher": "tutor"}, ["distillation.teacher: 'tutor'", "teacher, nat"]),
        (["systems", 2, "training"], "nta", ["systems[2].training: 'nta'", "teacher, nat"]),
        (
            ["systems", 2, "decoding"],
            {"rescore-with": "{tutor}"},
            ["systems[2].decoding", "'tutor'", "teacher, nat"],
        ),
        (["systems", 2, "name"], "teacher_beam4", ["'teacher_beam4' is there twice"]),
        (["systems", 2, "full_only"], "yes", ["systems[2].full_only: 'yes'", "true or false"]),
        (["latency"], {"baseline": "nat_raw"}, ["latency.baseline: 'nat_raw'", "teacher_beam4"]),
    ],
)
def test_a_mistake_is_one_line(content, write, where, value, words):
    path = write(change(content, where, value))
    with pytest.raises(UserError) as caught:
        load(path)
    message = str(caught.value)
    assert "\n" not in message
    for word in [str(path), *words]:
        assert word in message


def test_files_that_are_no_yaml(tmp_path):
    with pytest.raises(UserError, match=r"gone\.yaml: cannot be read"):
        load(tmp_path / "gone.yaml")
    (tmp_path / "bad.yaml").write_text("a: [1\nb: 2")
    with pytest.raises(UserError, match=r"bad\.yaml: not YAML"):
        load(tmp_path / "bad.yaml")
    (tmp_path / "empty.yaml").write_text("")
    with pytest.raises(UserError, match=r"empty\.yaml: the file: None .* a mapping"):
        load(tmp_path / "empty.yaml")


def test_options_become_arguments():
    assert arguments({"lr": 0.5, "cpu": True, "fp16": False, "beam": None, "betas": [1, 2], "steps": 0}) == [
        *("--lr", "0.5", "--cpu", "--betas", "1", "2", "--steps", "0")
    ]


def test_quickstart_has_the_promised_systems(tmp_path):
    config = load(QUICKSTART)
    assert [s.name for s in config.chosen(full=False)] == [
        *("teacher_beam4", "teacher_greedy", "nat_distilled", "lt_soft_em_distilled")
    ]
    assert {s.name for s in config.chosen(full=True)} >= {
        *("lt_hard_em_distilled", "nat_raw", "lt_soft_em_raw", "lt_hard_em_raw")
    }
    stages = {stage.name: stage for stage in Plan(config, tmp_path).stages}
    assert "--num-samples" in stages["train_lt_soft_em_distilled"].spec
    full = {stage.name: stage for stage in Plan(config, tmp_path, full=True).stages}
    assert "--num-samples" not in full["train_lt_hard_em_distilled"].spec
    assert full["train_lt_soft_em_distilled"].spec == stages["train_lt_soft_em_distilled"].spec


def test_only_what_the_systems_need_is_planned(content, write, tmp_path):
    config = load(write(content))
    names = [stage.name for stage in Plan(config, tmp_path).stages]
    assert names == [
        *("corpus", "binarize", "train_teacher", "average_teacher", "distill", "train_nat"),
        *("translate_teacher_beam4", "translate_teacher_greedy", "translate_nat_distilled"),
        *("latency", "results", "report"),
    ]
    stages = {stage.name: stage for stage in Plan(config, tmp_path, full=True).stages}
    assert stages["train_nat_raw"].inputs == ["binarize"]
    assert str(tmp_path / "averaged" / "teacher.pt") in stages["translate_nat_distilled"].spec[0]
    assert "average_teacher" in stages["translate_nat_distilled"].inputs


def test_a_training_brings_those_that_it_starts_from(content, write, tmp_path):
    nat = content["trainings"]["nat_raw"]
    for name, start in (("second", "nat_raw"), ("third", "second")):
        options = {**nat["options"], "finetune-from-model": f"{{{start}}}"}
        content["trainings"][name] = {**nat, "options": options}
    content["systems"][2:] = [{"name": "third", "training": "third"}]
    stages = {stage.name: stage for stage in Plan(load(write(content)), tmp_path).stages}
    names = list(stages)
    assert names.index("train_nat_raw") < names.index("train_second") < names.index("train_third")
    assert stages["train_third"].inputs == ["binarize", "train_second"] and "train_nat" not in names
    assert str(tmp_path / "models" / "second" / "checkpoint_best.pt") in stages["train_third"].spec


def test_extra_source_text(content, write, tmp_path):
    content["distillation"] = {"source_text": "{raw}/more.en", "jobs": 2}
    names = [stage.name for stage in Plan(load(write(content)), tmp_path).stages]
    assert "distill" in names and "distill_extra" not in names  # no training asks for it
    content["trainings"]["nat_extra"] = {**content["trainings"]["nat"], "text": "distilled_extra"}
    content["systems"].append({"name": "nat_extra", "training": "nat_extra"})
    stages = {stage.name: stage for stage in Plan(load(write(content)), tmp_path).stages}
    plain, extra = stages["distill"].spec, stages["distill_extra"].spec
    assert "--source-text" not in plain and "--valid-too" in plain and "--valid-too" in extra
    assert extra[extra.index("--source-text") + 1] == str(tmp_path / "raw" / "more.en")
    assert stages["train_nat_extra"].inputs == ["distill_extra"] and stages["train_nat"].inputs == ["distill"]
    assert list(stages["distill_extra"].outputs) == [tmp_path / "distilled_extra"]
    assert str(tmp_path / "distilled_extra") in stages["train_nat_extra"].spec
    for name, both in (("nat", True), ("nat_extra", True), ("teacher", False)):
        assert ("valid,valid1" in stages[f"train_{name}"].spec) == both
    content["systems"][2:] = [{"name": "nat_extra", "training": "nat_extra"}]
    names = [stage.name for stage in Plan(load(write(content)), tmp_path).stages]
    assert "distill" not in names and names.index("distill_extra") < names.index("train_nat_extra")


def test_the_other_direction(content, write, tmp_path):
    config = load(write(content)).reversed()
    assert (config.source, config.target) == ("de", "en")
    stages = {stage.name: stage for stage in Plan(config, tmp_path).stages}
    words = stages["train_nat"].spec
    assert words[words.index("--source-lang") + 1] == "de" and words[words.index("--target-lang") + 1] == "en"


def test_only_some_systems(content, write):
    config = load(write(content))
    chosen = config.only(["nat_raw"])
    assert [system.name for system in chosen.chosen(full=False)] == ["teacher_beam4", "teacher_greedy", "nat_raw"]
    with pytest.raises(UserError, match="--only nat: no such system; must be one of teacher_beam4, teacher_greedy, "):
        config.only(["nat_raw", "nat"])


def test_a_stage_runs_the_command_that_its_fingerprint_is_of(content, write, tmp_path):
    ran = []
    job = types.SimpleNamespace(child=lambda command, *_, **__: ran.append(command), log=tmp_path / "log", task=None)
    programs = [s for s in Plan(load(write(content)), tmp_path, full=True).stages if isinstance(s.spec, list)]
    programs = [s for s in programs if s.name.split("_")[0] in ("corpus", "train", "distill", "latency")]
    for stage in programs:
        stage.work(job)
    assert len(programs) == 6 and ran == [stage.spec for stage in programs]


def test_a_folder_without_the_text(content, write, tmp_path):
    content["data"] = {"kind": "folder", "path": str(tmp_path)}
    with pytest.raises(UserError, match=r"data\.path: .*lacks train\.en, train\.de"):
        Plan(load(write(content)), tmp_path)

"""Every mistake in the YAML is one line with file, key, value and what is valid."""

from pathlib import Path

import pytest

from vqnat.errors import UserError
from vqnat.experiments import commands
from vqnat.experiments.config import load
from vqnat.experiments.layout import Layout, text_files
from vqnat.experiments.program_options import arguments

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart" / "config.yaml"

SOFT_HARD = ("soft", "hard")


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
        (["seeds"], [1, 1], ["seeds: [1, 1]", "without repetitions"]),
        (["seeds"], [], ["seeds: []", "a list of at least 1"]),
        (["full"], "yes", ["full: 'yes'", "true or false"]),
        (["only"], ["x"], ["only: x: no such system", "teacher_beam4"]),
        (["from"], "x", ["from: x", "makes its own text"]),
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


def test_quickstart_has_the_promised_systems():
    config = load(QUICKSTART)
    usual = ["teacher_beam4", "teacher_greedy", "nat_distilled", "lt_soft_em_distilled"]
    assert [s.name for s in config.systems] == usual
    full = load(QUICKSTART, {"full": True})
    assert {s.name for s in full.systems} >= {*usual, "lt_hard_em_distilled", "nat_raw", "lt_soft_em_raw"}
    soft, hard = (commands.train_options(full, f"lt_{kind}_em_distilled", {"teacher": "t.pt"}, 1) for kind in SOFT_HARD)
    assert "--num-samples" in soft and "--num-samples" not in hard  # null removes an option
    assert soft == commands.train_options(config, "lt_soft_em_distilled", {"teacher": "t.pt"}, 1)
    assert soft[soft.index("--encoder-from") + 1] == "t.pt"


def test_only_some_systems(content, write):
    path = write(content)
    chosen = [system.name for system in load(path, {"only": ["nat_raw"]}).systems]
    assert chosen == ["teacher_beam4", "teacher_greedy", "nat_raw"]
    wrong = "only: nat: no such system; must be one of teacher_beam4, teacher_greedy, "
    with pytest.raises(UserError, match=wrong):
        load(path, {"only": ["nat_raw", "nat"]})


def test_the_other_direction(content, write):
    config = load(write(content), {"reverse": True})
    assert (config.source, config.target) == ("de", "en")
    words = commands.train_options(config, "nat", {}, 1)
    assert words[words.index("--source-lang") + 1] == "de" and words[words.index("--target-lang") + 1] == "en"


def test_text_that_a_teacher_has_translated_has_a_second_validation_set(content, write):
    content["distillation"] = {"source_text": "{raw}/more.en", "jobs": 2}
    content["trainings"]["nat_extra"] = {**content["trainings"]["nat"], "text": "distilled_extra"}
    config = load(write(content))
    for name, both in (("nat", True), ("nat_extra", True), ("teacher", False)):
        assert ("valid,valid1" in commands.train_options(config, name, {}, 1)) == both
    plain, extra = (commands.distill_options(config, text, "t.pt") for text in ("distilled", "distilled_extra"))
    assert "--source-text" not in plain and extra[extra.index("--source-text") + 1] == "raw/more.en"
    assert plain[plain.index("--num-shards") + 1] == "2"


def test_seeds_share_the_teacher_and_what_it_starts_from(content, write):
    content["seeds"] = [1, 5]
    nat = content["trainings"]["nat"]
    content["trainings"]["second"] = {**nat, "options": {**nat["options"], "finetune-from-model": "{nat}"}}
    layout = Layout(load(write(content)))
    assert layout.places == ["seed1/", "seed5/"] and [layout.seed(at) for at in layout.places] == [1, 5]
    assert layout.checkpoint("teacher", "seed5/") == "averaged/teacher.pt"
    assert layout.checkpoint("nat", "seed5/") == "seed5/models/nat/checkpoint_best.pt"
    assert layout.data("nat", "seed5/")[0] == "distilled"
    assert [layout.system_place(s, "seed5/") for s in layout.config.systems] == ["", "", "seed5/"]
    assert "seeds.md" in layout.results() and "seed1/results.json" in layout.results()
    content["distillation"] = {"per_seed": True}
    layout = Layout(load(write(content)))
    assert layout.checkpoint("teacher", "seed5/") == "seed5/averaged/teacher.pt"
    assert layout.data("nat", "seed5/")[0] == "seed5/distilled"


def test_a_folder_without_the_text(content, write, tmp_path):
    content["data"] = {"kind": "folder", "path": str(tmp_path)}
    with pytest.raises(UserError, match=r"data\.path: .*lacks train\.en, train\.de"):
        text_files(load(write(content)))

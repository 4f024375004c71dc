"""The model folder: what it holds, and that it is used as its checkpoint is."""

import json
import pickle
import shutil
import sys

import bitext
import folders
import pytest
import torch
from exporting import same
from safetensors import safe_open

from vqnat.commands import package
from vqnat.errors import UserError
from vqnat.hub import LatentTranslator
from vqnat.records.checksums import sha256
from vqnat_serving import ModelFolder, OnnxTranslator
from vqnat_serving.checksums import sealed, unsealed

LINES = ["one two three", "", "nine nine four five six", "zero"]


def test_it_holds_the_model_and_nothing_of_this_machine(latent_folder, latent_checkpoint, digits):
    folder = ModelFolder.read(latent_folder)
    assert (folder.kind, folder.source_lang, folder.target_lang) == ("latent_transformer", "en", "de")
    assert folder.options["compression_steps"] == 1 and folder.training["updates"] == bitext.DECAY
    assert folder.made["checkpoint_sha256"] == sha256(latent_checkpoint)
    there = {path.name for path in latent_folder.iterdir()}
    assert there == {*folder.files, "config.json", "README.md"}
    assert set(folder.files) == {"model.safetensors", "dict.en.txt", "dict.de.txt", "scores.json"}
    folder.check()
    modes = {path.stat().st_mode for path in latent_folder.iterdir()}
    assert len(modes) == 1  # who may read one file may read all
    for path in latent_folder.iterdir():
        content = path.read_bytes()
        for place in (bitext.REPO, digits, latent_checkpoint.parent):
            assert str(place).encode() not in content, path.name


def test_shared_tables_are_kept_once(teacher_folder, teacher_checkpoint):
    with safe_open(teacher_folder / "model.safetensors", framework="pt") as file:
        kept, others = set(file.keys()), file.metadata()
    state = torch.load(teacher_checkpoint, weights_only=True)["model"]
    tables = {"encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "decoder.output_projection.weight"}
    assert len(kept & tables) == 1 and kept | (others.keys() - {"format"}) == state.keys()


@pytest.mark.parametrize("kind", ["latent", "teacher"])
def test_it_translates_as_the_checkpoint_does(request, kind, digits, monkeypatch):
    folder = request.getfixturevalue(f"{kind}_folder")
    checkpoint = LatentTranslator.from_pretrained(request.getfixturevalue(f"{kind}_checkpoint"), digits)
    expected = checkpoint.hypotheses(LINES, beam=3, n_best=2)

    def refuse(*arguments, **options):
        raise AssertionError("something was unpickled")

    for module, name in ((pickle, "load"), (pickle, "loads"), (pickle, "Unpickler"), (torch, "load")):
        monkeypatch.setattr(module, name, refuse)
    translator = LatentTranslator.from_pretrained(str(folder))
    same(translator.hypotheses(LINES, beam=3, n_best=2), expected, tolerance=1e-6)


@pytest.mark.slow
def test_fairseq_generate_and_latency_read_folders_as_model_and_as_teacher(
    latent_folder, teacher_folder, latent_checkpoint, teacher_checkpoint, digits
):
    from vqnat.benchmarking.engines.system_loading import load_system
    from vqnat.benchmarking.engines.system_specs import parse_system
    from vqnat.benchmarking.harness import sentences

    def measured(model, teacher):
        spec = parse_system(f"s={model},beam=3,rescore_with={teacher}")
        system = load_system(spec, test_set, "cpu", 1, None)
        [batch] = sentences.batches(sentences.choose(sentences.read_sentences(test_set)), 60)
        found = system.translate(system.prepare(batch))
        return dict(zip(batch.ids, [system.dictionary.string(tokens) for tokens in found], strict=True))

    test_set = sentences.open_test_set(digits, "test", None, None)
    expected = measured(latent_checkpoint, teacher_checkpoint)
    assert measured(latent_folder, teacher_folder) == expected
    command = ("fairseq-generate", digits, "--user-dir", "vqnat", "--task", "latent_translation", "--cpu")
    search = ("--gen-subset", "test", "--beam", 3, "--rescore-with", teacher_folder)
    done = bitext.run(*command, "--path", latent_folder, *search)
    assert {number: rows[0][1] for number, rows in bitext.hypotheses(done.stdout).items()} == expected


def test_distillation_and_averaging_read_folders(latent_folder, teacher_folder, digits, tmp_path, capsys):
    from vqnat.checkpoints.averaging import average_checkpoints
    from vqnat.commands import distill
    from vqnat.distillation.manifest import NAME

    folders.done(distill, digits, "--path", teacher_folder, "--out", tmp_path / "distilled", "--beam", 1, "--cpu")
    settings = json.loads((tmp_path / "distilled" / NAME).read_text())["settings"]
    assert settings["teacher sha256"] == sha256(teacher_folder / "model.safetensors")

    [one, two] = (average_checkpoints([latent_folder])["model"], average_checkpoints([latent_folder] * 2)["model"])
    assert all(torch.allclose(value, two[name], equal_nan=True) for name, value in one.items())


@pytest.mark.slow
def test_the_teachers_stock_checkpoint_needs_no_plug_in(teacher_folder, teacher_checkpoint, digits, tmp_path):
    """CTranslate2's converter and stock fairseq read it, as users call them; neither has heard of vqnat."""
    converter = "import sys; from ctranslate2.converters.fairseq import main; main(); assert 'vqnat' not in sys.modules"
    paths = (
        "--model_path",
        teacher_folder / "model.pt",
        "--data_dir",
        teacher_folder,
        "--output_dir",
        tmp_path / "ct2",
    )
    bitext.run(sys.executable, "-c", converter, *paths)
    import ctranslate2

    engine = ctranslate2.Translator(str(tmp_path / "ct2"))
    lines = [line for line in LINES if line]
    found = [
        " ".join(one.hypotheses[0]) for one in engine.translate_batch([line.split() for line in lines], beam_size=3)
    ]
    teacher = LatentTranslator.from_pretrained(teacher_checkpoint, digits)
    assert found == teacher.translate(lines, beam=3)

    stock = ("fairseq-generate", digits, "--cpu", "--gen-subset", "test", "--required-batch-size-multiple", 1)
    done = bitext.run(*stock, "--path", teacher_folder / "model.pt", "--beam", 3)
    sources = (digits.parent / "raw" / "test.en").read_text().splitlines()
    texts = bitext.hypotheses(done.stdout)
    assert [texts[number][0][1] for number in range(len(sources))] == teacher.translate(sources, beam=3)


def test_export_converts_a_teacher_for_ctranslate2(teacher_folder, digits, tmp_path, capsys):
    import ctranslate2

    from vqnat.commands import export

    folder = shutil.copytree(teacher_folder, tmp_path / "digits-teacher")
    folders.done(export, folder, "--shortlist", digits)
    ModelFolder.read(folder).check()
    assert ModelFolder.read(folder).has("ctranslate2/model.bin")
    words = dict(line.split("\t") for line in (folder / "ctranslate2" / "vmap.txt").read_text().splitlines())
    assert "zwei" in words["two"].split() and len(words[""].split()) > 5
    assert "- ctranslate2" in (folder / "README.md").read_text()  # a tag
    engine = ctranslate2.Translator(str(folder / "ctranslate2"))
    for mapped in (False, True):
        [found] = engine.translate_batch([["one", "two"]], use_vmap=mapped)
        assert found.hypotheses[0] == ["eins", "zwei"]
    assert "not for a teacher" in folders.refused(capsys, export, folder, "--out", tmp_path / "out")


def test_packaging_replaces_only_model_folders(latent_folder, latent_checkpoint, digits, tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    words = (latent_checkpoint, "--data", digits, "--out")
    line = folders.refused(capsys, package, *words, tmp_path / "mine")
    assert line == f"vqnat package: {tmp_path / 'mine'}: exists and is no model folder; give a new folder"
    assert (tmp_path / "mine" / "thesis.tex").exists()
    folder = shutil.copytree(latent_folder, tmp_path / "digits")
    (folder / "leftover").touch()
    folders.done(package, *words, folder, "--name", "other")
    assert not (folder / "leftover").exists() and ModelFolder.read(folder).name == "other"
    assert "a model folder already" in folders.refused(capsys, package, folder, "--out", tmp_path / "again")
    assert "no such file" in folders.refused(capsys, package, tmp_path / "none.pt", "--out", tmp_path / "again")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["digits", "mine"]


def test_words_of_subword_nmt_and_moses(latent_checkpoint, digits, tmp_path):
    codes = tmp_path / "codes"
    codes.write_text("#version: 0.2\no n\non e</w>\nt w\ntw o</w>\n", encoding="utf-8")
    folder = tmp_path / "words"
    given = ("--bpe", "subword_nmt", "--bpe-model", codes, "--tokenizer", "moses")
    folders.done(package, latent_checkpoint, "--data", digits, "--out", folder, *given)
    codes.unlink()
    translator = LatentTranslator.from_pretrained(folder)
    assert translator.pieces.encode("one, two") == ["one", ",", "two"]


def damage(folder, name, content):
    path = folder / name
    if content is None:
        path.unlink()
    elif isinstance(content, dict):
        path.write_text(json.dumps(sealed(unsealed(json.loads(path.read_text())) | content)))
    else:
        path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "config.json",
            {"version": 3},
            r"config.json: version 3 is newer than this vqnat, which reads 2: upgrade vqnat",
        ),
        (
            "config.json",
            {"kind": "diffusion"},
            r"not the description of a vqnat model \(kind 'diffusion'; valid: latent",
        ),
        ("config.json", {"files": {"../secret": "0"}}, r"file '../secret'"),
        ("config.json", {"source_lang": "../../etc"}, r"source_lang '../../etc'"),
        ("config.json", {"files": {}}, r"dict.en.txt: not listed in .*config.json: package or export"),
        ("config.json", {"surprise": 1}, r"unknown key 'surprise'"),
        (
            "model.safetensors",
            b"no weights",
            r"model.safetensors: its SHA-256 is 8c3b8c4fab0d..., not .* as config.json",
        ),
        (
            "model.safetensors",
            None,
            r"model.safetensors: cannot be read \(No such file or directory\), but config.json",
        ),
        ("dict.de.txt", b"eins 1\n", r"dict.de.txt: its SHA-256 is .* fetch the folder again"),
        ("dict.en.txt", None, r"dict.en.txt: cannot be read"),
    ],
)
def test_damaged_folders_are_named(latent_folder, tmp_path, name, content, message):
    folder = shutil.copytree(latent_folder, tmp_path / "damaged")
    damage(folder, name, content)
    with pytest.raises(UserError, match=message.replace("8c3b8c4fab0d", ".{12}")) as caught:
        LatentTranslator.from_pretrained(folder)
    assert "\n" not in str(caught.value)


def test_the_wrong_folder_is_named(latent_folder, teacher_folder, onnx_folder, tmp_path, capsys):
    from vqnat.commands import export

    for folder, message in (
        (tmp_path / "none", "no such file"),
        (tmp_path, "a folder, but not a model folder"),
    ):
        with pytest.raises(UserError, match=message):
            LatentTranslator.from_pretrained(folder)
    with pytest.raises(UserError, match=r"has no onnx/; to write it: vqnat export .*digits-latent"):
        OnnxTranslator(latent_folder)
    with pytest.raises(UserError, match="a teacher, which torch and CTranslate2 run"):
        OnnxTranslator(teacher_folder)
    with pytest.raises(UserError, match=r"revision 'main': .* is a path"):
        LatentTranslator.from_pretrained(latent_folder, revision="main")
    assert "says that itself" in folders.refused(capsys, export, latent_folder, "--data", tmp_path)
    assert "give --out DIR" in folders.refused(capsys, export, tmp_path / "some.pt")

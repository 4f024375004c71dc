"""ONNX and CTranslate2 as systems: they write what torch writes, and what they are made to write."""

import json
import re
import sys

import bitext
import pytest
import torch
from sacrebleu import corpus_bleu

from vqnat.benchmarking.engines.system_loading import load_system
from vqnat.benchmarking.engines.system_specs import parse_system
from vqnat.benchmarking.engines.untrained import save_untrained
from vqnat.benchmarking.harness import sentences as data
from vqnat.benchmarking.harness.rounds import measure
from vqnat.commands.latency import main
from vqnat.errors import UserError

pytestmark = pytest.mark.slow

SIZES = "--encoder-layers 1 --decoder-layers 1 --encoder-embed-dim 32 --decoder-embed-dim 32 "
SIZES += "--encoder-ffn-embed-dim 64 --decoder-ffn-embed-dim 64 "
SIZES += "--encoder-attention-heads 2 --decoder-attention-heads 2 --share-all-embeddings"
NAT = f"{SIZES} --noise full_mask --pred-length-offset --length-loss-factor 0.1 --apply-bert-init"
LATENT = "--task latent_translation --arch latent_transformer_tiny --share-all-embeddings --codebook-start random"
UNTRAINED = {
    "ar": f"--task translation --arch transformer {SIZES}",
    "nat": f"--task translation_lev --arch nonautoregressive_transformer {NAT} --src-embedding-copy",
    "cmlm": f"--task nat_translation --arch cmlm_transformer {NAT}",
    "lt": f"{LATENT} --codebook-size 64 --compression-steps 2",
}


def convert(checkpoint, digits, out):
    code = "from ctranslate2.converters.fairseq import main; main()"
    paths = ("--model_path", checkpoint, "--data_dir", digits, "--output_dir", out)
    bitext.run(sys.executable, "-c", code, *paths, "--user_dir", "vqnat")
    return out


@pytest.fixture(scope="module")
def test_set(digits):
    return data.open_test_set(digits, "test", None, None)


@pytest.fixture(scope="module")
def trained(digits, teacher_checkpoint, latent_checkpoint, tmp_path_factory):
    """A teacher and a latent transformer, each in torch and in the other engine."""
    folder = tmp_path_factory.mktemp("engines")
    paths = ("--path", latent_checkpoint, "--data", digits, "--out", folder / "onnx")
    bitext.run("scripts/export.py", *paths, "--shortlist", digits)
    converted = convert(teacher_checkpoint, digits, folder / "ct2")
    return {"ar": teacher_checkpoint, "lt": latent_checkpoint, "onnx": folder / "onnx", "ct2": converted}


@pytest.fixture(scope="module")
def untrained(digits, tmp_path_factory):
    """The same and fairseq's non-autoregressive models, with random weights."""
    folder = tmp_path_factory.mktemp("untrained")
    paths = {name: folder / f"{name}.pt" for name in UNTRAINED}
    for name, words in UNTRAINED.items():
        save_untrained(words.split(), digits, paths[name])
    bitext.run("scripts/export.py", "--path", paths["lt"], "--data", digits, "--bpe", "none", "--out", folder / "onnx")
    return {**paths, "onnx": folder / "onnx", "ct2": convert(paths["ar"], digits, folder / "ct2")}


def outputs(text, paths, test_set, size, force_lengths=False):
    """Tokens by sentence of the system that ``NAME,key=value`` describes."""
    name, comma, settings = text.partition(",")
    system = load_system(parse_system(f"s={paths[name]}{comma}{settings}"), test_set, "cpu", 1, None)
    batches = data.batches(data.choose(data.read_sentences(test_set)), size, 30, force_lengths)
    found = measure([system], batches, 1, 0, 1)["s"].outputs
    return {
        number: (tokens, batch.length)
        for batch, group in zip(batches, found, strict=True)
        for number, tokens in zip(batch.ids, group, strict=True)
    }


@pytest.mark.parametrize("size", [1, 8])
@pytest.mark.parametrize(
    "ours, theirs",
    [
        ("lt,beam=1", "onnx,beam=1"),
        ("lt,beam=3", "onnx,beam=3"),
        ("lt,beam=1", "lt,beam=1,engine=native"),
        ("lt,beam=1", "onnx,beam=1,shortlist=1"),
        ("ar,beam=1", "ct2,beam=1"),
        ("ar,beam=4", "ct2,beam=4"),
        ("ar,beam=4", "ar,beam=4,packed=1"),
    ],
)
def test_engines_write_the_same(ours, theirs, size, trained, test_set):
    assert outputs(ours, trained, test_set, size) == outputs(theirs, trained, test_set, size)


@pytest.mark.parametrize(
    ("system", "message"),
    [
        ("ct2,shortlist=1,beam=1", "shortlist=1: no vmap.txt in "),
        ("onnx,shortlist=1,beam=3", "shortlist=1: needs beam=1"),
    ],
)
def test_shortlists_that_would_do_nothing(system, message, trained, test_set):
    with pytest.raises(UserError, match=message):
        outputs(system, trained, test_set, 1)


def test_quality_is_that_of_fairseq_generate(trained, digits, tmp_path):
    generated = bitext.run(
        *("fairseq-generate", digits, "--path", trained["ar"], "--beam", 1, "--batch-size", 1, "--cpu"),
        *("--user-dir", "vqnat", "--required-batch-size-multiple", 1),
    ).stdout
    found, raw = bitext.hypotheses(generated), digits.parent / "raw"
    expected = [found[i][0][1] for i in range(len(found))]
    references = (raw / "test.de").read_text().splitlines()
    systems = [f"--system=torch={trained['ar']},beam=1", f"--system=ct2={trained['ct2']},beam=1"]
    systems += [f"--system=ours={trained['onnx']},beam=1"]
    out, picture = tmp_path / "out.json", tmp_path / "quality.png"
    words = ["--no-memory", "--batch-size", 1, 8, "--sentences", 4, "--repeats", 1, "--raw", raw]
    words += ["--json", out, "--plot-quality", picture]
    assert main([str(word) for word in [digits, "--cpu", *systems, *words]]) == 0
    measured = {system["name"]: system["quality"] for system in json.loads(out.read_text())["systems"]}
    assert measured["torch"]["sacrebleu"] == pytest.approx(corpus_bleu(expected, [references]).score)
    assert measured["torch"] == measured["ct2"] != measured["ours"]
    assert picture.stat().st_size > 1000


SYSTEMS = ["ar,beam=1", "ar,beam=4", "ct2,beam=1", "ct2,beam=4", "nat,iter=0", "cmlm,iter=3", "lt,beam=1", "lt,beam=3"]
SYSTEMS += ["lt,beam=1,precision=bf16", "lt,beam=1,precision=int8_dynamic", "onnx,beam=1", "onnx,beam=3"]


@pytest.mark.parametrize("size", [1, 8])
@pytest.mark.parametrize("text", [*SYSTEMS, "onnx,beam=1,precision=int8", "ct2,beam=1,precision=int8"])
def test_lengths_are_forced(text, size, untrained, test_set):
    found = outputs(text, untrained, test_set, size, force_lengths=True)
    assert len(found) == (30 if size == 1 else 28)  # the last batch has 4
    assert {len(tokens) - length for tokens, length in found.values()} == {0}
    assert len({length for _, length in found.values()}) > 2


def test_forcing_takes_as_many_passes_as_the_length(untrained, test_set):
    system = load_system(parse_system(f"s={untrained['lt']},beam=1"), test_set, "cpu", 1, None)
    positions, step = [], system.model.predictor.step
    system.model.predictor.step = lambda vectors, position, state: (
        positions.append(position) or step(vectors, position, state)
    )
    [batch] = data.batches(data.choose(data.read_sentences(test_set)), 60, force_lengths=True)
    system.translate(system.prepare(batch))
    codes = -(-(batch.length + 1) // 4)
    assert positions == list(range(codes + 1))  # the end is predicted too


@pytest.mark.parametrize(
    "text, message",
    [
        ("onnx,beam=1,iter=2", "iter does nothing with an exported model"),
        ("onnx,precision=bf16", "precision 'bf16': not in"),
        ("ct2,precision=fp16", "precision=fp16: needed one of fp32, bf16, int8"),
        ("ct2,rescore_with=x.pt", "rescore_with does nothing with a model of CTranslate2"),
        ("ar,beam=1,engine=native", "engine does nothing with task translation"),
        ("ar,precision=bf16", "stock fairseq decodes in fp32"),
        ("lt,packed=1", "packed does nothing with task latent_translation"),
        ("nowhere", "neither a model folder nor of vqnat export nor of ct2-fairseq-converter"),
    ],
)
def test_what_is_wrong_is_said(text, message, untrained, test_set, tmp_path):
    with pytest.raises(UserError, match=message) as error:
        outputs(text, {**untrained, "nowhere": tmp_path}, test_set, 1)
    assert "\n" not in str(error.value)


def test_numbers_of_sentences_must_fit_the_batch_sizes(digits, untrained, capsys):
    words = ["--system", f"a={untrained['ar']}", "--batch-size", "1", "8", "--sentences", "1", "2", "3"]
    assert main([str(digits), "--cpu", *words]) == 2
    assert re.search(r"--sentences 1 2 3: needed one number, or 2", capsys.readouterr().err)


@pytest.mark.parametrize(
    "words, message",
    [
        (["--raw", "{here}"], "--raw {here}: has no test.en, the text of the split"),
        (["--plot-quality", "{here}/q.png"], "--plot-quality {here}/q.png: needs --raw, the split as text"),
        (["--raw", "{here}", "--force-lengths"], "--raw: outputs of forced lengths have no quality"),
    ],
)
def test_quality_needs_the_text(words, message, digits, untrained, tmp_path, capsys):
    words = [word.format(here=tmp_path) for word in words]
    assert main([str(digits), "--cpu", "--system", f"a={untrained['ar']}", *words]) == 2
    error = capsys.readouterr().err
    assert message.format(here=tmp_path) in error and error.count("\n") == 1


def test_untrained_models_are_those_of_fairseq(digits, untrained, tmp_path):
    state = torch.load(untrained["lt"], weights_only=True)
    assert (state["model"]["output_proj.weight"][[0, 1, 2, 3]] == 0).all()
    assert state["model"]["output_proj.weight"][4:].abs().sum(1).min() > 0
    save_untrained(UNTRAINED["lt"].split(), digits, tmp_path / "again.pt")
    again = torch.load(tmp_path / "again.pt", weights_only=True)["model"]
    assert all(torch.equal(value, again[name]) for name, value in state["model"].items())
    with pytest.raises(UserError, match=r"fairseq-train does not take .*--arch transformers"):
        save_untrained(["--arch", "transformers"], digits, tmp_path / "x.pt")

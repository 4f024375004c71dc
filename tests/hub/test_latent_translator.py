"""LatentTranslator against fairseq-generate, for latent transformers and for their teachers."""

import math
import shutil
import sys

import bitext
import pytest

from vqnat.errors import UserError
from vqnat.hub import LatentTranslator
from vqnat.hub.translator_options import TranslatorOptions

REMOVED = ("--required-batch-size-multiple", 1)


def generated(data, checkpoint, task, *more):
    """fairseq-generate's n-best lists of the test set, in order."""
    done = bitext.run(
        *("fairseq-generate", data, "--user-dir", "vqnat", "--task", task, "--cpu", "--path", checkpoint),
        *("--gen-subset", "test", *REMOVED, *more),
    )
    found = bitext.hypotheses(done.stdout)
    return [found[number] for number in range(len(found))]


def test_lines(data):
    return (data.parent / "raw" / "test.en").read_text(encoding="utf-8").splitlines()


test_lines.__test__ = False


@pytest.mark.parametrize("kind", ["latent", "teacher"])
@pytest.mark.parametrize("beam", [1, 3])
def test_it_writes_what_fairseq_generate_writes(request, digits, kind, beam):
    checkpoint = request.getfixturevalue(f"{kind}_checkpoint")
    task = {"latent": "latent_translation", "teacher": "translation"}[kind]
    expected = generated(digits, checkpoint, task, "--beam", beam, "--nbest", beam)
    lines = test_lines(digits)
    for batches in ({"max_sentences": 1}, {"max_tokens": 5000, "max_sentences": 60}):
        translator = LatentTranslator.from_pretrained(checkpoint, digits, **batches)
        found = translator.hypotheses(lines, beam, beam)
        assert [[h.text for h in one] for one in found] == [[text for _, text in one] for one in expected]
        scores = [h.score / math.log(2) for one in found for h in one]  # fairseq prints logarithms to base 2
        assert scores == pytest.approx([score for one in expected for score, _ in one], abs=2e-3)
        assert all((h.codes is None) == (kind == "teacher") for one in found for h in one)
    if kind == "latent":  # nc = 1: two words a code
        assert all(2 * len(one[0].codes) >= len(one[0].tokens) for one in found)
    assert translator.translate(lines) == [one[0].text for one in translator.hypotheses(lines)]


def test_dictionaries_are_found(digits, latent_checkpoint, tmp_path):
    # Where it was trained, and beside the checkpoint.
    assert LatentTranslator.from_pretrained(latent_checkpoint).translate(["one two"]) == ["eins zwei"]
    moved = shutil.copyfile(latent_checkpoint, tmp_path / "moved.pt")
    for language in ("en", "de"):
        shutil.copyfile(digits / f"dict.{language}.txt", tmp_path / f"dict.{language}.txt")
    languages = {"source_lang": "en", "target_lang": "de"}  # without data no file names tell them
    assert LatentTranslator.from_pretrained(str(moved), **languages).translate(["three four"]) == ["drei vier"]
    small = LatentTranslator.from_pretrained(moved, dtype="bf16", **languages)
    assert small.translate(["three four"]) == ["drei vier"]


def test_the_old_names_of_precisions_still_work():
    with pytest.warns(FutureWarning, match="now called 'bf16'"):
        assert TranslatorOptions(dtype="bfloat16").checked().dtype == "bf16"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"data": "nowhere"}, "nowhere: no such folder"),
        ({"data": "."}, "does not start with \\."),
        ({"path": "nowhere.pt"}, "nowhere.pt: no such file"),
        ({"path": "README.md"}, "README.md: not a readable fairseq checkpoint"),
        ({"bpe": "wordpiece"}, "bpe 'wordpiece' is unknown; choose from: auto, sentencepiece, subword_nmt, none"),
        ({"bpe": "sentencepiece"}, "no sentencepiece model \\(spm.model\\) in "),
        ({"bpe_model": "none.model"}, "none.model: no such sentencepiece model"),
        ({"bpe_model": "README.md"}, "README.md: not a sentencepiece model"),
        ({"bpe": "subword_nmt"}, "'subword_nmt' needs the codes"),
        ({"tokenizer": "spacy"}, "tokenizer 'spacy' is unknown; choose from: moses"),
        ({"dtype": "int3"}, "dtype 'int3' is unknown; choose from: fp32, bf16, fp16"),
        ({"device": "abacus"}, "device 'abacus': "),
        ({"packed": False, "compiled": True}, "compiled: not with packed=False"),
        ({"packed": False, "cuda_graphs": True}, "cuda_graphs: not with packed=False"),
        ({"cuda_graphs": True}, "--decode-cuda-graphs: needs a GPU; the model is on cpu"),
    ],
)
def test_mistakes_are_named(digits, latent_checkpoint, monkeypatch, options, message):
    monkeypatch.chdir(bitext.REPO)
    with pytest.raises(UserError, match=message) as caught:
        LatentTranslator.from_pretrained(**{"path": latent_checkpoint, "data": digits, **options})
    assert "\n" not in str(caught.value)


def test_a_teacher_is_not_compiled(digits, teacher_checkpoint):
    with pytest.raises(UserError, match=r"compiled: .* has no latents"):
        LatentTranslator.from_pretrained(teacher_checkpoint, digits, compiled=True)


def test_pieces_that_are_not_announced_are_told_by_the_dictionary(digits, latent_checkpoint, tmp_path):
    for symbol, message in (("▁zehn", "no sentencepiece model"), ("zehn@@", "'subword_nmt' needs the codes")):
        other = shutil.copytree(digits, tmp_path / symbol)
        for language in ("en", "de"):  # one symbol replaced, so that the sizes still fit
            path = other / f"dict.{language}.txt"
            lines = path.read_text(encoding="utf-8").splitlines()
            path.write_text("\n".join([*lines[:-1], f"{symbol} 1"]) + "\n", encoding="utf-8")
        with pytest.raises(UserError, match=message):
            LatentTranslator.from_pretrained(latent_checkpoint, other)


def test_subword_nmt_and_moses(tmp_path):
    from vqnat.hub.subwords import build_pieces
    from vqnat_serving.vocabulary import SPECIALS, Vocabulary

    codes = tmp_path / "codes"
    codes.write_text("#version: 0.2\nl o\nlo w</w>\n", encoding="utf-8")
    vocabulary = Vocabulary([*SPECIALS, "b@@", "low"])
    pieces, _ = build_pieces("auto", codes, "moses", ("en", "de"), vocabulary, [])
    cut = pieces.encode("Low, blow!")
    assert cut == ["L@@", "o@@", "w", ",", "b@@", "low", "!"]
    assert pieces.decode(cut) == "Low, blow!"


def test_command_line(digits, latent_checkpoint, tmp_path):
    def hub(*more, text="", **options):
        return bitext.run(sys.executable, "-m", "vqnat.hub", "--data", digits, *more, input=text, **options)

    lines = ["one two three", "", "unheard", "nine"]
    expected = LatentTranslator.from_pretrained(latent_checkpoint, digits).hypotheses(lines)
    done = hub("--path", latent_checkpoint, "--interactive", "--buffer-size", 3, "--codes", text="\n".join(lines))
    assert done.stdout.splitlines() == [f"{h.text}\t{' '.join(map(str, h.codes or ()))}" for [h] in expected]
    for checkpoint, message in (
        (tmp_path / "none.pt", "none.pt: no such file"),
        (bitext.REPO / "README.md", "not a readable"),
    ):
        failed = hub("--path", checkpoint, check=False)
        assert failed.returncode == 2 and "Traceback" not in failed.stderr
        assert failed.stderr.strip().splitlines()[-1].startswith("vqnat.hub: ")
        assert message in failed.stderr.strip().splitlines()[-1]

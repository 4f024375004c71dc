"""Shortlists: made by the real export from a real bitext, read by the runner's own engine."""

import json
import shutil
from dataclasses import replace

import bitext
import numpy as np
import pytest
from exporting import same
from safetensors.numpy import save_file

from vqnat.export.lexical_shortlist import shortlist
from vqnat_serving import OnnxTranslator
from vqnat_serving.checksums import sha256
from vqnat_serving.cores import usable_cores
from vqnat_serving.description import Description
from vqnat_serving.errors import UserError
from vqnat_serving.native.library import LEVELS, Engine, find_library
from vqnat_serving.native.weights import FILE as WEIGHTS
from vqnat_serving.native.weights import read_weights
from vqnat_serving.shortlist import FILE, FORMAT, Shortlist

KINDS = ("trained", "ctc", "expecting", "parallel_ctc")


def with_shortlist(exported, folder, starts, words, metadata=None):
    """A copy of an export with this shortlist."""
    shutil.copytree(exported.folder, folder)
    tensors = {"starts": np.array(starts, np.int32), "words": np.array(words, np.int32)}
    save_file(tensors, folder / FILE, metadata or {"format": FORMAT})
    about = Description.read(folder)
    replace(about, files={**about.files, FILE: sha256(folder / FILE)}).write(folder)
    return folder


ALWAYS = [0, 2, 3]  # what CTC may write in any sentence


def own_word(token, exported):
    """The one word that a source symbol allows in these tests; not its translation."""
    return 4 + token % (len(exported.runner.target) - 4)


@pytest.fixture(scope="module")
def listed(ctc, tmp_path_factory):
    """An export whose sentences have only a few words each."""
    count = len(ctc.runner.source)
    words = [*(own_word(token, ctc) for token in range(count)), *ALWAYS]
    folder = tmp_path_factory.mktemp("listed") / "export"
    return with_shortlist(ctc, folder, [*range(count + 1), len(words)], words)


def test_words_that_translate_each_other_are_found():
    """In sentences of three to twelve of ten words, each with its translation somewhere on the other side."""
    numbers = np.random.default_rng(1)
    sources = [numbers.integers(4, 14, numbers.integers(3, 13)) for _ in range(300)]
    targets = [numbers.permutation(source + 10) for source in sources]
    *lists, always = shortlist(sources, targets, 14, 24, translations=1, frequent=2, always=[2])
    assert [one.tolist() for one in lists] == [[]] * 4 + [[word + 10] for word in range(4, 14)]
    counts = np.bincount(np.concatenate(targets))
    assert set(always.tolist()) == {2, *np.argsort(-counts, kind="stable")[:2].tolist()}


def test_a_list_of_all_words_changes_nothing(request, tmp_path):
    for kind in KINDS:
        exported = request.getfixturevalue(kind)
        source, target = len(exported.runner.source), len(exported.runner.target)
        folder = with_shortlist(exported, tmp_path / kind, [0] * (source + 1) + [target], range(target))
        for precision in exported.description.precisions:
            full, listed = (OnnxTranslator(folder, precision, shortlist=one) for one in (False, True))
            assert full.hypotheses(exported.sentences) == listed.hypotheses(exported.sentences)
            assert full.translate(exported.sentences) == listed.translate(exported.sentences)


def test_a_sentence_uses_its_own_words_whatever_its_batch(listed, ctc):
    for precision in ("fp32", "int8"):
        runner = OnnxTranslator(listed, precision, shortlist=True)
        sources = [source for source in runner.encode_all(ctc.sentences) if len(source) > 1]
        together = runner.decode(sources, 1)
        for source, [decoded] in zip(sources, together, strict=True):
            assert set(decoded.symbols) <= {*ALWAYS, *(own_word(token, ctc) for token in source)}
            assert runner.decode([source], 1) == [[decoded]]
        parts = OnnxTranslator(listed, precision, threads=min(2, usable_cores()), shortlist=True)
        assert parts.decode(sources, 1) == together
        every = OnnxTranslator(listed, precision).decode(sources, 1)
        assert any(set(one.symbols) != set(other.symbols) for [one], [other] in zip(together, every, strict=True))


def test_every_build_chooses_from_the_same_words(listed):
    runner = OnnxTranslator(listed, shortlist=True)
    sizes, weights = read_weights(listed / "fp32" / WEIGHTS)
    words = Shortlist.read(listed / FILE, len(runner.source), len(runner.target))
    sources = runner.encode_all(["one two three four five", "six", "seven eight nine nine"])
    found = [
        Engine(find_library(), sizes, weights, level).translate(sources, [3] * 3, False, False, shortlist=words)
        for level in LEVELS[: LEVELS.index(runner.native.level) + 1]
    ]
    written = [[(one.words, one.codes) for one in level] for level in found]
    assert all(one == written[0] for one in written)


def test_a_trained_model_translates_as_without_it(trained, tmp_path):
    paths = ("--path", trained.checkpoint, "--data", trained.data, "--out", tmp_path / "export", "--precision", "fp32")
    bitext.run("scripts/export.py", *paths, "--shortlist", trained.data)
    full, listed = (OnnxTranslator(tmp_path / "export", shortlist=one) for one in (False, True))
    assert full.translate(trained.sentences) == listed.translate(trained.sentences)
    same(listed.hypotheses(trained.sentences[:9], beam=3), trained.onnx().hypotheses(trained.sentences[:9], beam=3))
    done = bitext.run("-m", "vqnat", "translate", "--model", tmp_path / "export", "--shortlist", "one two")
    assert done.stdout == "eins zwei\n"


def test_shortlists_that_cannot_be_used(ctc, dag, pieces, tmp_path):
    def refused(folder, **options):
        with pytest.raises(UserError) as error:
            OnnxTranslator(folder, shortlist=True, **options)
        return str(error.value)

    assert refused(ctc.folder) == f"{ctc.folder}: has no shortlist; to make one: vqnat export --shortlist DATA_BIN"
    assert refused(ctc.folder, engine="onnx").startswith("shortlist: needs the engine 'native'")
    source, target = len(ctc.runner.source), len(ctc.runner.target)
    right, again = [0] * (source + 1) + [3], "export again"
    ascend = "not a shortlist (its starts do not ascend from 0 to 3)"
    for name, starts, words, metadata, message in [
        ("a", right, [0, 2, 3], {"format": "x"}, f"format 'x', this runner reads 'vqnat-shortlist-1': {again}"),
        ("b", right[1:], [0, 2, 3], None, f"for {source - 1} source symbols, the model has {source}: {again}"),
        ("c", right, [0, 2, target], None, f"words 0 to {target}, the model has {target}: {again}"),
        ("d", [*right[:-2], 3, 3], [0, 2, 3], None, ascend),  # no words that every sentence may use
        ("e", [0, 2, *right[2:]], [0, 2, 3], None, ascend),
    ]:
        folder = with_shortlist(ctc, tmp_path / name, starts, words, metadata)
        assert refused(folder) == f"{folder / FILE}: {message}"
    folder = with_shortlist(ctc, tmp_path / "cut", right, [0, 2, 3])
    (folder / FILE).write_bytes((folder / FILE).read_bytes()[:-4])
    assert refused(folder).startswith(f"{folder / FILE}: damaged")
    about = json.loads((folder / "export.json").read_text())
    del about["files"], about["checksum"]
    (folder / "export.json").write_text(json.dumps(about))
    assert refused(folder).endswith("has no shortlist; to make one: vqnat export --shortlist DATA_BIN")

    paths = ("--path", ctc.checkpoint, "--data", ctc.data, "--out", tmp_path / "out", "--precision", "fp32")
    done = bitext.run("scripts/export.py", *paths, "--shortlist", pieces.data, check=False)
    assert (done.returncode, done.stderr.strip().splitlines()[-1].partition(": ")[2]) == (
        2,
        f"--shortlist {pieces.data}: its dict.en.txt is not the model's",
    )
    done = bitext.run("scripts/export.py", *paths, "--shortlist", tmp_path / "nowhere", check=False)
    assert f"--shortlist {tmp_path / 'nowhere'}: " in done.stderr and "no such folder" in done.stderr
    paths = ("--path", dag.checkpoint, "--data", dag.data, "--out", tmp_path / "out", "--precision", "fp32")
    done = bitext.run("scripts/export.py", *paths, "--shortlist", dag.data, check=False)
    assert "not for the output layer dag; valid: plain, ctc" in done.stderr
    assert not (tmp_path / "out").exists()

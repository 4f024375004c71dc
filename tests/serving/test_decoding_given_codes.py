"""Words of given codes, and which codes wrote which words: the runner against torch."""

import itertools
import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from exporting import same
from hypothesis import given
from hypothesis import strategies as st

from vqnat.diagnosis.decoding import decode_given
from vqnat_serving.errors import UserError
from vqnat_serving.output_layers import BLANK, read_ctc, read_dag, read_plain
from vqnat_serving.vocabulary import BOS, EOS, PAD
from vqnat_serving.written import Written

SLOW = pytest.mark.slow
KINDS = ("trained", "pieces", "ratio", *(pytest.param(kind, marks=SLOW) for kind in ("ctc", "expecting", "dag")))


@pytest.fixture(params=KINDS)
def exported(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def swapped(exported):
    """Sentences with the codes that the search finds, one of them (or more) swapped at random."""
    numbers = random.Random(2)
    lines = [line for line in exported.sentences if line.strip()]
    codes = [list(one[0].codes) for one in exported.runner.hypotheses(lines)]
    for one in codes:
        for place in numbers.sample(range(len(one)), min(len(one), numbers.randint(1, 2))):
            one[place] = numbers.randrange(exported.description.end)
    return lines, codes


def test_codes_of_the_search_are_decoded_as_by_the_search(exported):
    runner = exported.runner
    # A beam reads codes; a greedy search reads them too, except where it reads expectations.
    beam = 2 if exported.description.expectation else 1
    found = runner.hypotheses(exported.sentences, beam)
    again = runner.from_codes(exported.sentences, [one[0].codes or () for one in found])
    same([[one] for one in again], found)


def test_other_codes_are_decoded_as_by_torch(exported, swapped):
    lines, codes = swapped
    torch_translator = exported.torch()
    sources = [torch.tensor(torch_translator.encode(line)) for line in lines]
    options = SimpleNamespace(max_tokens=1000, batch_size=16)
    expected = decode_given(torch_translator, sources, [torch.tensor(one) for one in codes], options)
    for batches in ({"max_sentences": 1}, {"max_tokens": 2000}):
        found = exported.onnx(**batches).from_codes(lines, codes)
        assert [one.text for one in found] == [one.text for one in expected]
        assert [one.codes for one in found] == [tuple(one) for one in codes]


@torch.no_grad()
def test_likely_codes_are_torchs(exported, swapped):
    runner, model = exported.runner, exported.torch(packed=False).model
    for line, codes in list(zip(*swapped, strict=True))[:6]:
        source = runner.encode(line)
        encoded = model.encoder(torch.tensor([source]))
        logits = model.predictor(model.bottleneck.embed(torch.tensor([codes])), encoded)[0, : len(codes)]
        expected = logits.softmax(-1)[:, : runner.description.end].topk(3)
        found = runner.likely_codes(source, codes, 3)
        shares = [[share for _, share in step] for step in found]
        np.testing.assert_allclose(shares, expected.values, rtol=1e-3, atol=1e-5)
        assert [[code for code, _ in step] for step in found] == expected.indices.tolist()


def test_the_score_counts_the_codes(exported, swapped):
    """It is that of the words alone, and of the codes as torch's predictor tells."""
    runner, model = exported.runner, exported.torch(packed=False).model
    lines, codes = swapped
    scored = runner.from_codes(lines, codes)
    has, runner.models.scores_codes = runner.models.scores_codes, False
    try:
        words_only = runner.from_codes(lines, codes)
    finally:
        runner.models.scores_codes = has
    about = runner.description
    for row in range(6):
        source, one = runner.encode(lines[row]), codes[row]
        with torch.no_grad():
            encoded = model.encoder(torch.tensor([source]))
            logits = model.predictor(model.bottleneck.embed(torch.tensor([one])), encoded)[0]
        ended = len(one) == runner.code_limit(len(source)) or about.length_mode == "ratio"
        classes = torch.tensor(one if ended else [*one, about.end])
        prior = float(logits.log_softmax(-1)[range(len(classes)), classes].sum())
        length = len(scored[row].tokens) + 1
        assert scored[row].score - words_only[row].score == pytest.approx(prior / length, abs=2e-3)


def aligned(exported, lines):
    runner = exported.runner
    for line in lines:
        [[decoded]] = runner.decode([runner.encode(line)], 1)
        yield decoded, runner.align(decoded)


def test_words_go_back_to_codes(exported):
    about = exported.description
    lines = [line for line in exported.sentences if line.strip()]
    upsample = exported.torch().model.decoder.upsample
    for decoded, found in aligned(exported, lines):
        hypothesis = exported.runner.hypothesis(decoded)
        words = hypothesis.text.split()
        assert [word.text for word in found.words] == words
        assert [hypothesis.text[word.start : word.end] for word in found.words] == words
        codes = len(decoded.codes)
        assert len(found.positions) == upsample.length(codes * about.stride)
        # Where torch's upsampling copies from, and the expander's code of that position.
        copied = (upsample.index(codes * about.stride, torch.device("cpu")) // about.stride).tolist()
        assert [position.code for position in found.positions] == copied
        kept = [number for number, position in enumerate(found.positions) if position.kept]
        assert all(word.codes for word in found.words)
        symbols = [token for token in decoded.tokens if token not in (BOS, PAD, EOS)]
        spans = [span for token, span in zip(decoded.tokens, decoded.spans, strict=True) if token in symbols]
        assert [decoded.symbols[start] for start, _ in spans] == symbols
        assert kept == [first for first, _ in spans]
        wrote = {copied[number] for span in spans for number in range(*span)}
        assert {code for word in found.words for code in word.codes} <= wrote


@SLOW
@torch.no_grad()
def test_vertices_of_the_graph_are_torchs(dag):
    model, runner = dag.torch(packed=False).model, dag.runner
    for line in [line for line in dag.sentences if line.strip()][:8]:
        source = runner.encode(line)
        [[decoded]] = runner.decode([source], 1)
        codes = torch.tensor([decoded.codes])
        real = torch.ones_like(codes, dtype=torch.bool)
        features = model.decode(codes, real, model.encoder(torch.tensor([source])))
        scores = model.output_proj(features).log_softmax(-1)
        scores[..., list(model.output_layer.forbidden)] = -torch.inf
        real = torch.ones(1, features.shape[1], dtype=torch.bool)
        following, _ = model.output_layer.graph(features, real, scores.amax(-1))
        path, vertex = [], 0
        while vertex < features.shape[1] - 1:
            vertex = int(following[0, vertex])
            path.append((vertex, vertex + 1))
        assert list(decoded.spans) == path


@given(st.lists(st.sampled_from([BLANK, 5, 6, 7]), min_size=1, max_size=20))
def test_runs_of_ctc(symbols):
    found = read_ctc(Written(symbols, [0.0] * len(symbols)))
    runs, start = [], 0
    for symbol, run in itertools.groupby(symbols):
        length = len(list(run))
        if symbol != BLANK:
            runs.append((symbol, (start, start + length)))
        start += length
    assert found.tokens == [*(symbol for symbol, _ in runs), EOS]
    assert found.spans == [*(span for _, span in runs), (len(symbols), len(symbols))]
    assert len(found.scores) == len(found.tokens)


def test_positions_of_the_others():
    nothing = [0.0] * 4
    assert read_plain(Written([7, 7, EOS, 9], nothing)).spans == [(0, 1), (1, 2), (2, 3)]
    assert read_plain(Written([7, 8, 9, 5], nothing)).spans == [(0, 1), (1, 2), (2, 3), (3, 4), (4, 4)]
    path = read_dag(Written([5, 6, 7, 8], nothing, following=[2, 3, 3, 3], links=nothing))
    assert (path.tokens, path.spans) == ([7, EOS], [(2, 3), (3, 4)])


def test_characters_of_pieces(pieces):
    """Spaces, pieces within words, unknown ones."""
    tokenizer = pieces.runner.aligned_pieces
    symbols = tokenizer.encode("eins zwei fünf")
    assert len(symbols) > 3  # some words are several pieces
    for some in (symbols, ["<unk>", *symbols, "<unk>"], symbols[1:], []):
        text, spans = tokenizer.decode_aligned(some)
        assert text == tokenizer.decode(some)
        assert "".join(text[start:end] for start, end in spans) == text


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        ([[1], [2]], "2 code sequences for 1 sentences"),
        ([[]], "0 codes for one sentence: needed 1 to "),
        ([[64]], "code 64: needed 0 to 63"),
        ([[-1]], "code -1: needed 0 to 63"),
    ],
)
def test_codes_that_are_not_the_models(trained, codes, message):
    with pytest.raises(UserError, match=message):
        trained.runner.from_codes(["one two"], codes)


@SLOW
def test_models_without_latents_have_no_codes(parallel_ctc):
    with pytest.raises(UserError, match="this model has no latents"):
        parallel_ctc.runner.from_codes(["one two"], [[1]])
    for decoded, found in aligned(parallel_ctc, ["one two three"]):
        assert [word.codes for word in found.words] == [()] * len(found.words)
        assert {position.code for position in found.positions} == {None} and decoded.codes is None


def test_an_export_without_the_graph(pieces, tmp_path):
    """As exports before this version: codes are decoded, their probabilities are not known."""
    import shutil

    folder = shutil.copytree(pieces.folder, tmp_path / "older")
    (folder / "fp32" / "predictor.onnx").unlink()
    from vqnat_serving import OnnxTranslator

    runner = OnnxTranslator(folder)
    assert not runner.models.scores_codes
    assert runner.translate(pieces.sentences) == pieces.runner.translate(pieces.sentences)
    assert runner.likely_codes(runner.encode("one two"), [1, 2], 3) == [[], []]
    assert [one.text for one in runner.from_codes(["one two"], [[1, 2]])] == [
        one.text for one in pieces.runner.from_codes(["one two"], [[1, 2]])
    ]

"""Codes of given texts, and texts of given codes, against one sentence at a time without any of the machinery."""

import math
from types import SimpleNamespace

import pytest
import torch

from vqnat.data.bitext import open_split
from vqnat.diagnosis.code_figures import code_figures
from vqnat.diagnosis.decoding import decode_given, text_of, translate
from vqnat.diagnosis.given_prefix import translate_after
from vqnat.diagnosis.models import longest_pair
from vqnat.diagnosis.pairs import read_pairs
from vqnat.diagnosis.teacher_forcing import force
from vqnat.diagnosis.text_measures import text_figures
from vqnat.hub import LatentTranslator

pytestmark = pytest.mark.slow

BATCHES = SimpleNamespace(max_tokens=4000, batch_size=128)
ALONE = SimpleNamespace(max_tokens=1, batch_size=1)


@pytest.fixture(scope="module")
def model(digits, latent_checkpoint):
    return LatentTranslator.from_pretrained(latent_checkpoint, digits, max_len_a=1.2, max_len_b=10)


@pytest.fixture(scope="module")
def pairs(digits):
    return read_pairs(open_split(digits, "test", None, None), None, 1)


@pytest.fixture(scope="module")
def forced(model, pairs):
    return force(model, pairs, BATCHES)


@pytest.fixture(scope="module")
def plain(digits, latent_checkpoint):
    """The model as it was trained: nothing packed."""
    return LatentTranslator.from_pretrained(latent_checkpoint, digits, packed=False).model.eval()


@torch.no_grad()
def one_by_one(model, source, target, codes):
    """How much farther than the nearest each given code of a text is, log-probabilities of each and of the end, which
    of them the predictor guesses, the posterior, and the words written from them.
    """
    target = torch.nn.functional.pad(target, (0, -len(target) % model.stride), value=model.pad).unsqueeze(0)
    encoded = model.encoder(source.unsqueeze(0))
    z = model.target_encoder(target, encoded)
    vectors = model.bottleneck.codebook.vectors()
    distances = (z[0].double().unsqueeze(1) - vectors.double()).square().sum(-1)  # torch.cdist is not exact enough
    farther = distances.gather(-1, codes.unsqueeze(-1)).squeeze(-1) - distances.amin(-1)
    logits = model.predictor(model.bottleneck.embed(codes.unsqueeze(0)), encoded)[0]
    classes = torch.cat([codes, torch.tensor([model.predictor.end])])
    log_probs = logits.log_softmax(-1)[range(len(classes)), classes]
    real = torch.ones(1, len(codes), dtype=torch.bool)
    words = model.output_proj(model.decode(codes.unsqueeze(0), real, encoded))[0].argmax(-1)
    return farther, log_probs, logits.argmax(-1) == classes, (-distances).softmax(-1).float(), words


def test_codes_of_the_reference_are_those_of_each_sentence_alone(model, plain, pairs, forced):
    samples = model.model.config.num_samples
    for source, target, row in zip(pairs.sources, pairs.targets, forced, strict=True):
        farther, log_probs, right, posterior, words = one_by_one(plain, source, target, row.codes)
        assert farther.max() < 1e-4  # in a batch, rounding may decide between two codes at the same distance
        assert len(row.codes) == -(-len(target) // 2)
        torch.testing.assert_close(row.nats, -log_probs, rtol=1e-3, atol=1e-3)
        assert row.right.tolist() == right.tolist()
        torch.testing.assert_close(row.best, posterior.amax(-1), rtol=1e-3, atol=1e-3)
        entropy = torch.special.entr(posterior).sum(-1)
        torch.testing.assert_close(row.entropy, entropy, rtol=1e-2, atol=1e-3)
        torch.testing.assert_close(row.agree, posterior.pow(samples).sum(-1), rtol=1e-2, atol=1e-3)
        assert row.wrong.tolist() == (words[: len(target)] != target).tolist()


def test_the_mean_is_what_validation_logs(model, plain, pairs, forced):
    # The criterion's own sums over the whole set as one batch, padded as fairseq pads it.
    task = model.task
    task.load_dataset("test")
    dataset = task.dataset("test")
    sample = dataset.collater([dataset[i] for i in range(len(dataset))])
    with torch.no_grad():
        net_input = sample["net_input"]
        output = plain(net_input["src_tokens"], net_input["src_lengths"], sample["target"])
    counts = output.bottleneck.code_counts
    share = counts[counts > 0] / counts.sum()
    found = code_figures(forced, model.model.bottleneck.num_codes)
    assert found["perplexity"] == pytest.approx(float((-share * share.log()).sum().exp()), rel=1e-4)
    assert found["codes"] == int(counts.sum())
    assert found["codes"] + found["sentences"] == int(output.code_mask.sum())


def test_a_model_that_reconstructs_writes_the_reference(model, pairs, forced):
    written = decode_given(model, pairs.sources, [row.codes for row in forced], BATCHES)
    references = [text_of(model, target) for target in pairs.targets]
    perfect = [n for n, row in enumerate(forced) if not row.wrong.any()]
    assert len(perfect) >= 50  # of 60: it has learned the digits
    assert all(written[n].text == references[n] for n in perfect)
    figures = text_figures([written[n].text for n in perfect], [references[n] for n in perfect], None)
    assert figures["sacrebleu"] == pytest.approx(100)
    assert all(one.codes.tolist() == row.codes.tolist() for one, row in zip(written, forced, strict=True))


def test_given_codes_decide_on_the_words(model, pairs, forced):
    # The codes of the next sentence: its words, whatever the source says of them, and so not the reference.
    turned = [row.codes for row in [*forced[1:], forced[0]]]
    written = decode_given(model, pairs.sources, turned, BATCHES)
    references = [text_of(model, target) for target in pairs.targets]
    assert sum(one.text == text for one, text in zip(written, references, strict=True)) <= 5


def test_no_batch_matters(model, pairs, forced):
    few = slice(0, 20)
    part = type(pairs)(pairs.split, pairs.ids[few], pairs.sources[few], pairs.targets[few])
    for one, row in zip(force(model, part, ALONE), forced, strict=False):
        assert one.codes.tolist() == row.codes.tolist() and one.wrong.tolist() == row.wrong.tolist()
        torch.testing.assert_close(one.nats, row.nats, rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(one.entropy, row.entropy, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("beam", [1, 3])
def test_searches_are_those_of_the_translator(model, pairs, beam):
    lines = [model.task.source_dictionary.string(source) for source in pairs.sources]
    expected = model.hypotheses(lines, beam)
    found = translate(model, pairs.sources, BATCHES, beam)
    assert [one.text for one in found] == [h[0].text for h in expected]
    assert [tuple(one.codes.tolist()) for one in found] == [h[0].codes for h in expected]
    assert not any(one.at_limit for one in found)


def test_the_limit_is_seen(digits, latent_checkpoint, teacher_checkpoint, pairs):
    short = {"max_len_a": 0.0, "max_len_b": 4}
    for checkpoint, codes in ((latent_checkpoint, 2), (teacher_checkpoint, None)):
        translator = LatentTranslator.from_pretrained(checkpoint, digits, **short)
        found = translate(translator, pairs.sources, BATCHES, 1)
        # Texts have 3 to 12 words; with their end those of 3 are the only ones that four places hold.
        for source, one in zip(pairs.sources, found, strict=True):
            assert one.codes is None or len(one.codes) <= codes
            if len(source) > 6:
                assert one.at_limit, one


def test_from_first_codes_lies_between_search_and_given_codes(model, pairs, forced):
    codes = [row.codes for row in forced]
    greedy = translate(model, pairs.sources, BATCHES, 1)
    none = translate_after(model, pairs.sources, codes, 0, BATCHES)
    assert [one.codes.tolist() for one in none] == [one.codes.tolist() for one in greedy]
    every = translate_after(model, pairs.sources, codes, 100, BATCHES)
    assert [one.codes.tolist() for one in every] == [one.tolist() for one in codes]
    # Codes of another sentence are kept as far as they are given; from there the model goes on alone.
    turned = [*codes[1:], codes[0]]
    two = translate_after(model, pairs.sources, turned, 2, BATCHES)
    for one, given in zip(two, turned, strict=True):
        assert one.codes[:2].tolist() == given[:2].tolist()


def test_lengths_that_the_model_reads(model):
    source, target = longest_pair(model)
    assert source == 1024 and target == math.floor(1024 / model.model.stride) * model.model.stride

"""Latent search against exhaustive and cache-free computations, on a trained checkpoint.

What both engines promise is in ``tests/serving/test_search_specification.py``.
"""

import itertools
from argparse import Namespace

import pytest
import torch
from fairseq import checkpoint_utils

import vqnat.plugin  # noqa: F401
from vqnat.decoding.latent_search import beam_codes, greedy_codes


@pytest.fixture(scope="module")
def loaded(digits, latent_checkpoint):
    models, _, task = checkpoint_utils.load_model_ensemble_and_task(
        [str(latent_checkpoint)], arg_overrides={"data": str(digits)}
    )
    task.load_dataset("test")
    return models[0].eval(), task


def batch_of(task, size):
    dataset = task.dataset("test")
    return dataset.collater([dataset[i] for i in range(size)])


@pytest.fixture(scope="module")
def encoded(loaded):
    model, task = loaded
    sample = batch_of(task, 6)
    with torch.no_grad():
        source = model.encoder(sample["net_input"]["src_tokens"])
    return model, source, torch.full((6,), 8)


@torch.no_grad()
def log_probability(model, source, row, codes):
    """log p(codes, end | source row), in one pass without any cache."""
    one = type(source)(source.vectors[row : row + 1], source.mask[row : row + 1])
    logits = model.predictor(model.bottleneck.embed(torch.tensor([codes])), one)
    log_probs = logits.log_softmax(-1)[0]
    targets = [*codes, model.predictor.end]
    return sum(float(log_probs[i, c]) for i, c in enumerate(targets))


@torch.no_grad()
def test_greedy_with_cache_is_greedy_without(encoded):
    model, source, limits = encoded
    found = greedy_codes(model, source, limits, fixed=False)
    for row, length in enumerate(found.lengths.tolist()):
        one = type(source)(source.vectors[row : row + 1], source.mask[row : row + 1])
        codes = []
        while len(codes) < 8:
            vectors = model.bottleneck.embed(torch.tensor([codes], dtype=torch.long))
            scores = model.predictor(vectors, one)[0, -1]
            if not codes:
                scores[model.predictor.end] = -torch.inf
            if int(scores.argmax()) == model.predictor.end:
                break
            codes.append(int(scores.argmax()))
        assert found.codes[row, :length].tolist() == codes
        assert (found.codes[row, length:] == 0).all()
        assert float(found.scores[row]) == pytest.approx(log_probability(model, source, row, codes), abs=1e-3)


@torch.no_grad()
def test_expectations_are_of_each_step(encoded):
    model, source, limits = encoded
    table = model.bottleneck.embed(torch.arange(model.predictor.end))
    plain = greedy_codes(model, source, limits, fixed=False)
    found = greedy_codes(model, source, limits, fixed=False, table=table)
    assert torch.equal(found.codes, plain.codes) and plain.vectors is None
    assert found.vectors.shape == (*found.codes.shape, table.shape[1])
    read = model.predictor(model.bottleneck.embed(found.codes), source)[:, :-1, : model.predictor.end].softmax(-1)
    real = found.real()
    torch.testing.assert_close(found.vectors[real], (read @ table)[real], rtol=1e-3, atol=1e-3)


@torch.no_grad()
def test_beam_scores_are_the_models_and_sorted(encoded):
    model, source, limits = encoded
    found = beam_codes(model, source, limits, fixed=False, beam=5, length_penalty=1.0)
    scores = found.scores.view(6, 5)
    normalized = scores / (found.lengths.view(6, 5) + 1)
    assert (normalized.diff(dim=1) <= 1e-5).all()
    for row in range(6):
        seen = set()
        for place in range(5):
            index = row * 5 + place
            codes = found.codes[index, : found.lengths[index]].tolist()
            seen.add(tuple(codes))
            assert float(scores[row, place]) == pytest.approx(log_probability(model, source, row, codes), abs=2e-3)
        assert len(seen) == 5


@torch.no_grad()
def test_a_wide_beam_finds_the_best_of_all_sequences(encoded):
    model, source, _ = encoded
    limits = torch.full((6,), 2)
    # With at most two codes, all pairs can be scored: the beam of K keeps every first code.
    size = model.predictor.end
    found = beam_codes(model, source, limits, fixed=True, beam=size, length_penalty=0.0)
    for row in range(2):
        best = -torch.inf
        one = type(source)(source.vectors[row : row + 1], source.mask[row : row + 1])
        pairs = torch.tensor(list(itertools.product(range(size), range(size))))
        for part in pairs.split(1024):
            logits = model.predictor(model.bottleneck.embed(part), one.repeat(len(part)))
            # The end is not predicted when the length is given.
            first = logits[:, 0].log_softmax(-1).gather(1, part[:, :1])
            second = logits[:, 1].log_softmax(-1).gather(1, part[:, 1:])
            best = max(best, float((first + second).max()))
        assert float(found.scores[row * size]) == pytest.approx(best, abs=1e-3)


@torch.no_grad()
def test_unusual_words_are_never_produced(loaded):
    model, task = loaded
    generator = task.build_generator([model], Namespace(beam=1))
    sample = batch_of(task, 4)
    source = generator.encode(sample["net_input"]["src_tokens"])
    codes = generator.predict_codes(source, sample["net_input"]["src_lengths"])
    model.output_proj.weight.data[task.target_dictionary.pad()] = 1e3  # pad would win everywhere
    try:
        words, _ = generator.decode_codes(codes, source)
    finally:
        model.output_proj.weight.data[task.target_dictionary.pad()] = 0
    written = codes.real().repeat_interleave(model.stride, 1)
    assert torch.equal(words == task.target_dictionary.pad(), ~written)  # pads only where nothing is written


def test_logits_made_in_parts_are_the_same_words(loaded, monkeypatch):
    model, task = loaded
    sample, options = batch_of(task, 20), Namespace(beam=2)
    latent = task.build_generator([model], options)
    whole = task.inference_step(latent, [model], sample)
    monkeypatch.setattr(
        "vqnat.decoding.word_generator.CPU_LOGITS", 7 * len(task.target_dictionary)
    )  # seven words at a time
    parts = task.inference_step(latent, [model], sample)
    for expected, found in zip(itertools.chain(*whole), itertools.chain(*parts), strict=True):
        assert found["tokens"].tolist() == expected["tokens"].tolist()
        torch.testing.assert_close(found["positional_scores"], expected["positional_scores"], rtol=1e-4, atol=1e-4)

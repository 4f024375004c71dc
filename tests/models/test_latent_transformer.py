"""The model's contracts, on random weights."""

import math

import pytest
import torch
from fairseq.data import Dictionary

from vqnat.criterions.latent_transformer_loss import LatentTransformerLoss, code_cross_entropy
from vqnat.models.latent_transformer import LatentTransformer
from vqnat.models.presets import TinyConfig


class Task:
    """The two dictionaries that a model is built from."""

    def __init__(self):
        dictionary = Dictionary()
        for symbol in range(30):
            dictionary.add_symbol(str(symbol))
        self.source_dictionary = self.target_dictionary = dictionary


def build(**options):
    torch.manual_seed(1)
    config = TinyConfig()
    defaults = {
        **{"encoder_layers": 2, "decoder_layers": 2, "embed_dim": 32, "ffn_embed_dim": 64, "compression_steps": 2},
        **{"max_source_positions": 64, "max_target_positions": 64, "codebook_size": 16, "codebook_start": "random"},
        **{"bottleneck": "hard_em", "share_all_embeddings": True, "dropout": 0.0},
    }
    for name, value in (defaults | options).items():
        setattr(config, name, value)
    return LatentTransformer.build_model(config, Task())


def sample(lengths=((5, 9), (7, 4), (3, 13)), left_pad=True, seed=2):
    generator = torch.Generator().manual_seed(seed)
    pairs = [[torch.randint(4, 34, (n,), generator=generator) for n in pair] for pair in lengths]
    for pair in pairs:
        pair[0][-1] = pair[1][-1] = 2  # end of sentence
    return [collate([pair], left_pad) for pair in pairs], collate(pairs, left_pad)


def collate(pairs, left_pad):
    sources, targets = zip(*pairs, strict=True)
    src = torch.ones(len(pairs), max(map(len, sources)), dtype=torch.long)
    tgt = torch.ones(len(pairs), max(map(len, targets)), dtype=torch.long)
    for row, (source, target) in enumerate(pairs):
        src[row, -len(source) :] = source
        if not left_pad:
            src[row] = 1
            src[row, : len(source)] = source
        tgt[row, : len(target)] = target
    lengths = torch.tensor([len(source) for source in sources])
    return {"net_input": {"src_tokens": src, "src_lengths": lengths}, "target": tgt}


OPTIONS = [
    {},
    {"target_encoder_attends_source": True},
    {"length_mode": "ratio", "length_ratio": 1.5},
    {"compression_steps": 3},
    {"predictor_layers": 1},
    {"encoder_normalize_before": True},
    {"tie_predictor_output": True},
    {"predictable_codes": 0.5, "predictable_codes_floor": 0.0},
]


@pytest.mark.parametrize("options", OPTIONS)
@torch.no_grad()
def test_a_batch_is_the_sum_of_its_sentences(options):
    model = build(**options).eval()
    criterion = LatentTransformerLoss(None, 0.1, 1.0)
    singles, batch = sample()
    alone = [criterion(model, single) for single in singles]
    loss, words, log = criterion(model, batch)
    torch.testing.assert_close(loss, sum(one[0] for one in alone), rtol=1e-4, atol=1e-3)
    assert words == sum(one[1] for one in alone) == 26
    for key in ("nll_loss", "predictor_loss", "commitment_loss", "ncodes", "correct_codes", "_code_counts"):
        torch.testing.assert_close(log[key] * 1.0, sum(one[2][key] for one in alone) * 1.0, rtol=1e-4, atol=1e-3)


@torch.no_grad()
def test_source_padding_side_does_not_matter():
    model = build().eval()
    criterion = LatentTransformerLoss(None, 0.0, 1.0)
    left, right = sample(left_pad=True)[1], sample(left_pad=False)[1]
    torch.testing.assert_close(criterion(model, left)[0], criterion(model, right)[0], rtol=1e-4, atol=1e-3)


@torch.no_grad()
def test_code_targets_end_after_the_last_code():
    model = build().eval()
    batch = sample()[1]
    output = model(**batch["net_input"], target=batch["target"])
    # 9, 4 and 13 words with 4 words per code: 3, 1 and 4 codes, then the end (index K = 16).
    assert output.code_mask.sum(1).tolist() == [4, 2, 5]
    for row, codes in enumerate((3, 1, 4)):
        assert output.code_targets[row, codes].tolist() == [16]
        assert output.code_targets[row, :codes, 0].tolist() == output.bottleneck.codes[row, :codes].tolist()
    assert torch.equal(output.positions.real, output.target != 1)
    assert output.target[output.positions.real].tolist() == batch["target"][batch["target"] != 1].tolist()


def test_number_of_codes():
    source, target = torch.tensor([3, 10]), torch.tensor([9, 8])
    assert build().num_codes(source, target).tolist() == [3, 2]
    ratio = build(length_mode="ratio", length_ratio=1.5)
    assert ratio.num_codes(source, target).tolist() == [3, 4]
    assert ratio.num_codes(source).tolist() == [2, 4]


@torch.no_grad()
def test_predictor_reads_no_later_code_and_its_step_is_its_forward():
    model = build().eval()
    source = model.encoder(sample()[1]["net_input"]["src_tokens"])
    vectors = torch.randn(3, 6, 32)
    logits = model.predictor(vectors, source)
    changed = vectors.clone()
    changed[:, 3] = torch.randn(3, 32)  # not a shift, which the LayerNorm takes away
    other = model.predictor(changed, source)
    torch.testing.assert_close(other[:, :4], logits[:, :4])
    assert (other[:, 4:] - logits[:, 4:]).abs().amax(-1).min() > 1e-3
    state = model.predictor.begin(source, 1, 6)
    for position in range(7):
        step = model.predictor.step(vectors[:, position - 1] if position else None, position, state)
        torch.testing.assert_close(step, logits[:, position], rtol=1e-4, atol=1e-5)


def test_no_gradient_from_the_predictor_to_codes_and_target_encoder():
    model = build().train()
    batch = sample()[1]
    output = model(**batch["net_input"], target=batch["target"])
    output.code_logits[0].sum().backward()
    assert all(p.grad is None or not p.grad.any() for p in model.target_encoder.compressor.parameters())
    assert any(p.grad is not None and p.grad.any() for p in model.encoder.parameters())


def test_every_parameter_learns():
    model = build(target_encoder_attends_source=True).train()
    loss, _, _ = LatentTransformerLoss(None, 0.1, 1.0)(model, sample()[1])
    loss.backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_soft_cross_entropy_is_that_of_the_dense_target():
    logits = torch.randn(4, 5, 9, dtype=torch.double)
    samples = torch.randint(9, (4, 5, 3))
    dense = torch.nn.functional.one_hot(samples, 9).double().mean(-2)
    expected = -(dense * logits.log_softmax(-1)).sum(-1)
    for smoothing in (0.0, 0.2):
        loss, plain = code_cross_entropy(logits, samples, smoothing)
        uniform = -logits.log_softmax(-1).mean(-1)
        wanted = (1 - smoothing) * expected + smoothing * uniform
        torch.testing.assert_close(loss.double(), wanted, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(plain.double(), expected, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_before_the_start_codes_cost_what_chance_would():
    model = build(codebook_start="kmeans").train()
    _, _, log = LatentTransformerLoss(None, 0.0, 1.0)(model, sample()[1])
    assert float(log["predictor_loss"]) == pytest.approx(11 * math.log(17))

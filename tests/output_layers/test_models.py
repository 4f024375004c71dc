"""Models with each output layer, on random weights: batches, pads, checkpoints, search, export."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
from test_latent_transformer import Task, build, sample

from vqnat.criterions.latent_transformer_loss import LatentTransformerLoss
from vqnat.criterions.parallel_loss import ParallelLoss, glancing_shares
from vqnat.decoding.latent_generator import LatentGenerator
from vqnat.decoding.parallel_generator import ParallelGenerator
from vqnat.errors import UserError
from vqnat.export.folder import write_models
from vqnat.models.parallel_transformer import ParallelTransformer
from vqnat.models.parallel_transformer_options import TinyParallelConfig

LAYERS = ("ctc", "dag")
LONG = ((9, 9), (12, 4), (7, 6))  # sources whose positions hold the targets


def parallel(**options):
    torch.manual_seed(1)
    config = TinyParallelConfig()
    defaults = {
        **{"encoder_layers": 2, "decoder_layers": 2, "embed_dim": 32, "ffn_embed_dim": 64, "dropout": 0.0},
        **{"max_source_positions": 64, "max_target_positions": 64, "share_all_embeddings": True},
    }
    for name, value in (defaults | options).items():
        setattr(config, name, value)
    return ParallelTransformer.build_model(config, Task())


def made(latents, **options):
    if latents:
        return build(**options), LatentTransformerLoss(None, 0.1, 1.0)
    return parallel(**options), ParallelLoss(None, 0.1, "0", 0)


CASES = [(latents, layer, factor) for latents in (True, False) for layer in LAYERS for factor in (0.0, 1.5)]


@pytest.mark.parametrize("latents, layer, factor", CASES)
@torch.no_grad()
def test_a_batch_is_the_sum_of_its_sentences(latents, layer, factor):
    model, criterion = made(latents, output_layer=layer, output_upsample=factor)
    model.eval()
    singles, batch = sample(LONG)
    alone = [criterion(model, single) for single in singles]
    loss, words, log = criterion(model, batch)
    torch.testing.assert_close(loss, sum(one[0] for one in alone), rtol=1e-4, atol=1e-3)
    assert words == sum(one[1] for one in alone) == 19
    for key in ("nll_loss", "nwords", "unreachable"):
        torch.testing.assert_close(log[key] * 1.0, sum(one[2][key] for one in alone) * 1.0, rtol=1e-4, atol=1e-3)
    other = criterion(model, sample(LONG, left_pad=False)[1])[0]
    torch.testing.assert_close(other, loss, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("latents", [True, False])
@pytest.mark.parametrize("layer", LAYERS)
def test_every_parameter_learns(latents, layer):
    model, criterion = made(latents, output_layer=layer, share_all_embeddings=False)
    criterion(model.train(), sample(LONG)[1])[0].backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize("layer", LAYERS)
def test_targets_that_do_not_fit_are_logged(layer):
    model, criterion = made(False, output_layer=layer)
    loss, words, log = criterion(model.train(), sample(((2, 30), (9, 5)))[1])
    loss.backward()
    assert int(log["unreachable"]) == 1 and int(log["nwords"]) == 5 and words == 35
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
    logged = {}
    from fairseq.logging import metrics

    with metrics.aggregate() as meters:
        criterion.reduce_metrics([log])
        logged = meters.get_smoothed_values()
    assert logged["unreachable"] == 0.5


@pytest.mark.parametrize("layer", LAYERS)
def test_glancing_shows_what_is_wrong(layer):
    model, criterion = made(False, output_layer=layer)
    batch, model = sample(LONG)[1], model.train()
    output = model(**batch["net_input"], target=batch["target"], glancing=1.0)
    # Random weights get next to nothing right: nearly all that can be shown is.
    assert 0.8 * int(output.alignable) <= int(output.glanced) <= int(output.alignable)
    if layer == "dag":
        assert int(output.alignable) == 19 - 3  # all words, no end of sentence
    plain = model(**batch["net_input"], target=batch["target"])
    assert plain.glanced is None
    assert not torch.equal(plain.positions.features, output.positions.features)
    criterion.start = criterion.end = 0.5
    log = criterion(model, batch)[2]
    assert 0 < int(log["glanced"]) < int(log["alignable"])
    assert "glanced" not in criterion(model.eval(), batch)[2]


def test_glancing_goes_from_start_to_end():
    criterion = ParallelLoss(None, 0.0, "0.5:0.1", 100)
    assert [criterion.glancing(n) for n in (0, 50, 100, 1000)] == pytest.approx([0.5, 0.3, 0.1, 0.1])
    assert ParallelLoss(None, 0.0, "0.4", 0).glancing(7) == 0.4
    for value, updates in (("x", 0), ("0.5:2", 9), ("0.1:0.2:0.3", 9), ("0.5:0.1", 0)):
        with pytest.raises(UserError, match=f"--glancing {value}"):
            glancing_shares(value, updates)


@pytest.mark.parametrize("latents", [True, False])
@pytest.mark.parametrize("layer, how", [("ctc", ""), ("dag", "greedy"), ("dag", "lookahead"), ("dag", "beam")])
@torch.no_grad()
def test_output_does_not_depend_on_the_batch(latents, layer, how):
    model = made(latents, output_layer=layer)[0].eval()
    model.output_proj.weight.data.mul_(3)  # or random weights repeat one word
    if how:
        model.output_layer.how = how
    dictionary = Task().target_dictionary
    if latents:
        generator = LatentGenerator(model, dictionary, beam=2, word_beam=3)
    else:
        generator = ParallelGenerator(model, dictionary, beam=3)
    singles, batch = sample(((5, 9), (17, 4), (3, 13)))
    together = generator.generate([model], batch)
    for row, single in zip(together, singles, strict=True):
        [alone] = generator.generate([model], single)
        assert len(alone) == len(row) == (2 if latents else 3 if how == "beam" else 1)
        for one, other in zip(alone, row, strict=True):
            assert one["tokens"].tolist() == other["tokens"].tolist()
            torch.testing.assert_close(one["positional_scores"], other["positional_scores"], rtol=1e-3, atol=1e-3)
            assert one["tokens"][-1] == 2 and not {0, 1, 2} & set(one["tokens"][:-1].tolist())
            assert len(one["tokens"]) == len(one["positional_scores"])


@torch.no_grad()
def test_limits_and_the_penalty_of_unknown_words():
    model = parallel(output_layer="ctc").eval()
    model.output_proj.weight.data[3] = 0
    batch, dictionary = sample(LONG)[1], Task().target_dictionary
    short = ParallelGenerator(model, dictionary, max_len_b=2).generate([model], batch)
    assert all(len(one["tokens"]) <= 3 and one["tokens"][-1] == 2 for [one] in short)
    fond = ParallelGenerator(model, dictionary, unk_penalty=-100.0).generate([model], batch)
    assert all(one["tokens"].tolist() == [3, 2] for [one] in fond)


@pytest.mark.parametrize("trained, loaded", [("plain", "ctc"), ("ctc", "dag"), ("dag", "plain"), ("ctc", "plain")])
def test_a_checkpoint_of_another_layer_is_named(trained, loaded):
    state = build(output_layer=trained).state_dict()
    message = f"trained with --output-layer {trained}, this model has --output-layer {loaded}"
    with pytest.raises(UserError, match=message):
        build(output_layer=loaded).load_state_dict(state)
    build(output_layer=trained).load_state_dict(state)


def test_impossible_options_are_named():
    for options, message in (
        ({"output_layer": "crf"}, "--output-layer crf is not possible; valid: plain, ctc, dag"),
        ({"output_upsample": 2.0}, "--output-upsample 2 is not possible with --output-layer plain"),
        ({"output_layer": "ctc", "output_upsample": 0.5}, "--output-upsample 0.5 is not possible"),
    ):
        with pytest.raises(UserError, match=message):
            build(**options)
    with pytest.raises(UserError, match=r"--output-layer plain is not possible without latents.*; valid: ctc, dag"):
        parallel(output_layer="plain")
    with pytest.raises(UserError, match="parallel_loss: only with --arch parallel_transformer"):
        ParallelLoss(None, 0.0, "0", 0)(build(), sample()[1])
    with pytest.raises(UserError, match="latent_transformer_loss: only with --arch latent_transformer"):
        LatentTransformerLoss(None, 0.0, 1.0)(parallel(), sample()[1])


@pytest.mark.parametrize("layer", LAYERS)
def test_it_learns(layer):
    """To copy, with each word doubled: more words than a source has, so that order and length must be found."""
    model = parallel(output_layer=layer, output_upsample=3.0).train()
    criterion = ParallelLoss(None, 0.0, "0.3", 0)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    generator = torch.Generator().manual_seed(1)
    for _ in range(300):
        words = torch.randint(4, 14, (16, 4), generator=generator)
        end = torch.full((16, 1), 2)
        source, target = torch.cat([words, end], 1), torch.cat([words.repeat_interleave(2, 1), end], 1)
        target[:, 1:8:2] += 10
        net_input = {"src_tokens": source, "src_lengths": torch.full((16,), 5)}
        loss, count, _ = criterion(model, {"net_input": net_input, "target": target})
        optimizer.zero_grad()
        (loss / count).backward()
        optimizer.step()
    found = ParallelGenerator(model, Task().target_dictionary).generate([model], {"net_input": net_input})
    assert sum(one["tokens"].tolist() == target[row].tolist() for row, [one] in enumerate(found)) >= 13


@pytest.mark.slow
@pytest.mark.parametrize("latents", [True, False])
@pytest.mark.parametrize("layer", LAYERS)
def test_graphs_are_the_model(latents, layer, tmp_path):
    """write_models holds every graph against torch and raises where they differ."""
    model = made(latents, output_layer=layer, output_upsample=1.5)[0].eval()
    write_models(model, list(model.output_layer.forbidden), tmp_path, ("fp32",))
    parts = {"encoder", "decoder"} | ({"greedy", "beam", "predictor"} if latents else set())
    assert {path.stem for path in (tmp_path / "fp32").glob("*.onnx")} == parts

"""Every bottleneck by its name on the command line: the model is built, makes a step and decodes."""

import argparse

import pytest
import torch
from fairseq import options
from fairseq.data import Dictionary
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from fairseq.models import ARCH_MODEL_REGISTRY
from fairseq.optim.adam import FairseqAdam, FairseqAdamConfig
from omegaconf import OmegaConf
from quantizing import SMALL, label

from vqnat.bottlenecks import bottleneck_names, bottleneck_options
from vqnat.tasks.latent_translation import LatentTranslationTask

CASES = [
    *SMALL.items(),
    ("vq", SMALL["vq"] | {"estimator": "rotation", "codebook_affine": 2.0, "codebook_inner_lr": 1.0}),
    ("product", {"codebook_size": 16, "product_inner": "soft_em", "codebook_start": "random", "codebook_l2": True}),
    *((name, {"codebook_size": 16}) for name in ("hard_em", "vq", "gm_vq", "product")),  # k-means: not started
]


def configure(*words):
    parser = options.get_training_parser()
    command = ["data", "--user-dir", "vqnat", "--task", "latent_translation", "--arch", "latent_transformer_tiny"]
    command += ["--criterion", "latent_transformer_loss", "--optimizer", "adam", "--share-all-embeddings"]
    return convert_namespace_to_omegaconf(options.parse_args_and_arch(parser, [*command, *map(str, words)]))


def system(name, settings):
    """The task, the model, the criterion and an optimizer, as fairseq-train builds them."""
    words = ["--encoder-layers", 1, "--decoder-layers", 1, "--embed-dim", 32, "--ffn-embed-dim", 32, "--dropout", 0]
    words += ["--attention-heads", 2, "--compression-steps", 1, "--bottleneck", name]
    for option, value in settings.items():
        words += [f"--{option.replace('_', '-')}", *([] if value is True else [value])]
    config = configure(*words)
    dictionary = Dictionary()
    for symbol in range(20):
        dictionary.add_symbol(str(symbol))
    torch.manual_seed(1)
    task = LatentTranslationTask(config.task, dictionary, dictionary)
    model, criterion = task.build_model(config.model), task.build_criterion(config.criterion)
    learned = [p for p in model.parameters() if p.requires_grad]
    return task, model, criterion, FairseqAdam(OmegaConf.structured(FairseqAdamConfig(lr=[0.01], tpu=False)), learned)


def sentences():
    generator = torch.Generator().manual_seed(2)
    source, target = (torch.randint(4, 24, (4, n), generator=generator) for n in (5, 7))
    source[:, -1] = target[:, -1] = 2
    return {"net_input": {"src_tokens": source, "src_lengths": torch.full((4,), 5)}, "target": target}


def test_defaults_are_ours_where_fairseq_has_an_option_of_the_same_name():
    config = configure()
    for option in bottleneck_options():
        assert getattr(config.model, option.name) == option.default, option.name
    given = configure("--ema-decay", 0.5, "--temperature-start", 2, "--temperature-updates", 7, "--codebook-l2").model
    assert (given.ema_decay, given.temperature_start, given.temperature_updates) == (0.5, 2.0, 7)
    assert given.codebook_l2 is True and given.temperature_end is None


def test_help_has_every_name_and_option():
    parser = argparse.ArgumentParser(prog="fairseq-train")
    ARCH_MODEL_REGISTRY["latent_transformer"].add_args(parser)
    text = " ".join(parser.format_help().split())
    assert f"discrete bottleneck: {', '.join(bottleneck_names())}" in text
    for option in bottleneck_options():
        assert f"--{option.name.replace('_', '-')} " in text
        assert " ".join(option.metadata["help"].split()) in text


@pytest.mark.parametrize(("name", "settings"), CASES, ids=[label(case) for case in CASES])
def test_a_step_and_a_translation(name, settings):
    task, model, criterion, optimizer = system(name, settings)
    sample = sentences()
    losses = []
    for update in range(4):
        optimizer.zero_grad()
        torch.manual_seed(3)
        loss, size, log = task.train_step(sample, model, criterion, optimizer, update)
        assert loss.isfinite() and size == 28
        losses.append(float(log["nll_loss"]))
        # Before the codebook's start the latent predictor waits; everything else has a gradient.
        missing = [
            n
            for n, p in model.named_parameters()
            if p.requires_grad and p.grad is None and (model.bottleneck.started or not n.startswith("predictor"))
        ]
        assert missing == []
        task.optimizer_step(optimizer, model, update)
    assert losses[-1] < losses[0]
    moved = [n for n, p in model.bottleneck.named_parameters() if p.requires_grad and p.grad.any()]
    if model.bottleneck.started and any(p.requires_grad for p in model.bottleneck.parameters()):
        assert moved

    model.eval()
    hypotheses = task.inference_step(task.build_generator([model], configure().generation), [model], sample)
    assert len(hypotheses) == 4
    for best, *_ in hypotheses:
        assert best["tokens"].max() < 24 and best["tokens"][-1] == 2

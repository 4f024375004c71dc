"""The model and its teacher, and all that can be wrong with them."""

from pathlib import Path
from typing import Any

import torch
from fairseq import checkpoint_utils

import vqnat.plugin  # noqa: F401  (registration)
from vqnat.benchmarking.harness.sentences import TestSet
from vqnat.diagnosis.options import Options
from vqnat.distillation.bitext import Bitext
from vqnat.distillation.vocabulary import check_contents
from vqnat.errors import UserError
from vqnat.hub.translator import LatentTranslator
from vqnat.models.latent_transformer import LatentTransformer


def load_model(options: Options, split: TestSet) -> LatentTranslator:
    """The latent transformer on its device. Raises UserError when it is none, or cannot read the data."""
    search = {"ctc_blank_penalty": options.ctc_blank_penalty, "dag_search": options.dag_search}
    found = _load(options.checkpoint, options, split, **search)
    if not isinstance(found.model, LatentTransformer):
        raise UserError(f"{options.checkpoint}: a {type(found.model).__name__}; needed a latent transformer")
    _check_dictionaries(options.checkpoint, split, "CHECKPOINT")
    return found


def load_teacher(options: Options, split: TestSet) -> LatentTranslator | None:
    """The teacher, None when there is none. Raises UserError as :func:`load_model`."""
    if options.teacher is None:
        return None
    try:
        found = _load(options.teacher, options, split)
    except UserError as error:
        raise UserError(f"--teacher {error}") from error
    if isinstance(found.model, LatentTransformer):
        raise UserError(f"--teacher {options.teacher}: a latent transformer; needed an autoregressive model")
    _check_dictionaries(options.teacher, split, "--teacher")
    return found


def _load(path: Path, options: Options, split: TestSet, **search: Any) -> LatentTranslator:
    device = "cuda" if torch.cuda.is_available() and not options.cpu else "cpu"
    return LatentTranslator.from_pretrained(
        path,
        split.folder,
        bpe=options.bpe,
        bpe_model=options.bpe_model,
        tokenizer=options.tokenizer,
        source_lang=split.source,
        target_lang=split.target,
        device=device,
        length_penalty=options.lenpen,
        max_len_a=options.max_len_a,
        max_len_b=options.max_len_b,
        **search,
    )


def _check_dictionaries(path: Path, split: TestSet, option: str) -> None:
    # Sizes were compared while loading; a dictionary of the same size may still be another one.
    state = checkpoint_utils.load_checkpoint_to_cpu(str(path))
    saved = state.get("args") or state["cfg"]
    bitext = Bitext(split.folder, split.source, split.target, split.pair)
    check_contents(path, getattr(saved, "task", saved), bitext, option)


def longest_pair(translator: LatentTranslator) -> tuple[int, int]:
    """(source, target) lengths in tokens that a latent transformer reads, the end of sentence included."""
    model = translator.model
    source, target = model.max_positions()
    return min(int(source), translator.max_source_tokens), min(int(target), model.max_codes * model.stride)


def describe(translator: LatentTranslator, path: Path) -> dict[str, Any]:
    """What the model is, for the record."""
    config = translator.model.config
    bottleneck = translator.model.bottleneck
    return {
        "checkpoint": path.name,
        "bottleneck": config.bottleneck,
        "codes": bottleneck.num_codes,
        "compression_steps": config.compression_steps,
        "output_layer": getattr(config, "output_layer", "plain"),
        "length_mode": config.length_mode,
        "samples": samples_drawn(translator.model),
        "parameters": sum(p.numel() for p in translator.model.parameters()),
    }


def samples_drawn(model: LatentTransformer) -> int | None:
    """m, how many codes training draws for a position; None for a bottleneck that draws none or has no such option."""
    return getattr(getattr(model.bottleneck, "config", None), "num_samples", None)

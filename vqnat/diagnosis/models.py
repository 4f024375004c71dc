"""The model and its teacher, loaded and checked."""

from pathlib import Path
from typing import Any

import torch

import vqnat.plugin  # noqa: F401  (registration)
from vqnat.data.bitext import Split
from vqnat.diagnosis.diagnose_options import Options
from vqnat.errors import UserError
from vqnat.hub.translator import LatentTranslator
from vqnat.models.latent_transformer import LatentTransformer


def load_model(options: Options, split: Split) -> LatentTranslator:
    """The latent transformer on its device. Raises UserError if it is another model, or has other dictionaries."""
    search = {"ctc_blank_penalty": options.ctc_blank_penalty, "dag_search": options.dag_search}
    found = _load(options.checkpoint, options, split, **search)
    if not isinstance(found.model, LatentTransformer):
        raise UserError(f"{options.checkpoint}: a {type(found.model).__name__}; needed a latent transformer")
    return found


def load_teacher(options: Options, split: Split) -> LatentTranslator | None:
    """The teacher, None if there is none. Raises UserError as :func:`load_model` does."""
    if options.teacher is None:
        return None
    try:
        found = _load(options.teacher, options, split)
    except UserError as error:
        raise UserError(f"--teacher {error}") from error
    if isinstance(found.model, LatentTransformer):
        raise UserError(f"--teacher {options.teacher}: a latent transformer; needed an autoregressive model")
    return found


def _load(path: Path, options: Options, split: Split, **search: Any) -> LatentTranslator:
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
        compare_dictionaries=True,
        **search,
    )


def longest_pair(translator: LatentTranslator) -> tuple[int, int]:
    """Longest (source, target) in tokens that a latent transformer reads, end-of-sentence included."""
    model = translator.model
    source, target = model.max_positions()
    return min(int(source), translator.max_source_tokens), min(int(target), model.max_codes * model.stride)


def describe(translator: LatentTranslator, path: Path) -> dict[str, Any]:
    """The model's description for the result file."""
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
    """m, the number of codes sampled per position in training; None for a bottleneck that does not sample."""
    return getattr(getattr(model.bottleneck, "config", None), "num_samples", None)

"""Command-line options for translating with a checkpoint, and the translator that they ask for."""

import argparse
from typing import TYPE_CHECKING, Any

from vqnat.choices import SUBWORDS, TOKENIZERS
from vqnat.hub.search_options import add_search_options, search_values
from vqnat.silence import silence_imports

if TYPE_CHECKING:
    from vqnat.hub.translator import LatentTranslator


def add_checkpoint_options(parser: Any) -> None:
    """Add what a checkpoint needs besides itself.

    Args:
        parser: a parser, or a group of one.
    """
    parser.add_argument("--data", metavar="DIR", help="its dictionaries (default: beside it, or where it was trained)")
    parser.add_argument("--bpe", choices=SUBWORDS, default="auto", help="subwords (default: auto, by the dictionary)")
    parser.add_argument("--bpe-model", metavar="FILE", help="sentencepiece model or subword-nmt codes")
    parser.add_argument("--tokenizer", choices=TOKENIZERS, help="of text that was tokenized before subwords")
    for option in ("source-lang", "target-lang"):
        parser.add_argument(f"--{option}", metavar="LANG", help="default: as in training, or as the data's file names")
    parser.add_argument("--device", default="cpu", metavar="NAME", help="of torch, such as cuda (default: cpu)")
    add_search_options(parser)


def load_checkpoint(path: str, options: argparse.Namespace, precision: str, **more: Any) -> "LatentTranslator":
    """The translator of a command line.

    Args:
        path: the checkpoint.
        options: those of :func:`add_checkpoint_options`, with ``threads``, ``max_tokens`` and ``batch_size``.
        precision: one of :data:`vqnat.choices.PRECISIONS`.
        **more: other arguments of :meth:`LatentTranslator.from_pretrained`.

    Raises:
        UserError: a file is missing or of the wrong kind.
    """
    silence_imports()
    import torch

    from vqnat.hub.translator import LatentTranslator

    if options.threads:
        torch.set_num_threads(options.threads)
    return LatentTranslator.from_pretrained(
        path,
        options.data,
        bpe=options.bpe,
        bpe_model=options.bpe_model,
        tokenizer=options.tokenizer,
        source_lang=options.source_lang,
        target_lang=options.target_lang,
        device=options.device,
        dtype=precision,
        max_tokens=options.max_tokens,
        max_sentences=options.batch_size,
        **search_values(options),
        **more,
    )

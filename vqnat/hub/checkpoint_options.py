"""Command-line options for translating with a checkpoint, and the translator that they ask for."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vqnat.choices import SUBWORDS, TOKENIZERS
from vqnat.hub.search_options import add_search_options, search_values
from vqnat.silence import silence_imports

if TYPE_CHECKING:
    from vqnat.hub.translator import LatentTranslator


def add_text_options(parser: Any) -> None:
    """Add what a checkpoint does not say of its text: dictionaries, subwords, languages.

    Args:
        parser: a parser, or a group of one.
    """
    text = "its dictionaries (default: beside it, or where it was trained)"
    parser.add_argument("--data", type=Path, metavar="DIR", help=text)
    text = "subwords (default: auto, by the dictionary); none: text in pieces"
    parser.add_argument("--bpe", choices=SUBWORDS, default="auto", help=text)
    text = "sentencepiece model or subword-nmt codes (default: a sentencepiece model near the data)"
    parser.add_argument("--bpe-model", type=Path, metavar="FILE", help=text)
    parser.add_argument("--tokenizer", choices=TOKENIZERS, help="of text that was tokenized before subwords")
    for option in ("source-lang", "target-lang"):
        parser.add_argument(f"--{option}", metavar="LANG", help="default: as in training, or as the data's file names")


def text_values(options: argparse.Namespace) -> dict[str, Any]:
    """The options as keyword arguments of :meth:`LatentTranslator.from_pretrained`."""
    names = ("data", "bpe", "bpe_model", "tokenizer", "source_lang", "target_lang")
    return {name: getattr(options, name) for name in names}


def add_checkpoint_options(parser: Any) -> None:
    """Add what a checkpoint needs besides itself to translate.

    Args:
        parser: a parser, or a group of one.
    """
    add_text_options(parser)
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
        device=options.device,
        dtype=precision,
        max_tokens=options.max_tokens,
        max_sentences=options.batch_size,
        **text_values(options),
        **search_values(options),
        **more,
    )

"""Translates standard input with a checkpoint: ``python -m vqnat.hub --path CKPT --data DATA --interactive``."""

import argparse
import logging

import torch

from vqnat.hub.search_options import add_search_options, search_values
from vqnat.hub.subwords import BPE
from vqnat.hub.translator import LatentTranslator
from vqnat.hub.translator_options import OLD_PRECISIONS
from vqnat.models.inference import PRECISIONS
from vqnat_serving.command_line import add_options, run


def load(options: argparse.Namespace) -> LatentTranslator:
    """The translator that the command line asks for."""
    logging.disable(logging.INFO)  # what fairseq logs for each dictionary
    if options.threads:
        torch.set_num_threads(options.threads)
    return LatentTranslator.from_pretrained(
        options.path,
        options.data,
        bpe=options.bpe,
        bpe_model=options.bpe_model,
        tokenizer=options.tokenizer,
        source_lang=options.source_lang,
        target_lang=options.target_lang,
        device=options.device,
        dtype=options.dtype,
        max_tokens=options.max_tokens,
        max_sentences=options.batch_size,
        **search_values(options),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="vqnat.hub", description=__doc__)
    parser.add_argument("--path", required=True, metavar="CKPT", help="latent transformer or autoregressive model")
    parser.add_argument("--data", metavar="DIR", help="its dictionaries (default: beside it, or where it was trained)")
    parser.add_argument("--bpe", choices=BPE, default="auto", help="subwords (default: auto, told by the dictionary)")
    parser.add_argument("--bpe-model", metavar="FILE", help="sentencepiece model or subword-nmt codes")
    parser.add_argument("--tokenizer", choices=["moses"], help="of text that was tokenized before subwords")
    for option in ("source-lang", "target-lang"):
        parser.add_argument(f"--{option}", metavar="LANG", help="default: as in training, or as the data's file names")
    parser.add_argument("--device", default="cpu", help="default: cpu")
    about = f"{', '.join(PRECISIONS)} (default: fp32)"
    parser.add_argument("--dtype", choices=(*PRECISIONS, *OLD_PRECISIONS), default="fp32", metavar="NAME", help=about)
    parser.add_argument("--threads", type=int, default=0, help="of torch (default: torch's)")
    add_search_options(parser)
    add_options(parser, max_tokens=1024)
    run("vqnat.hub", parser, load)

"""Translate standard input with an exported model: ``python -m vqnat_serving --model DIR --interactive``."""

import argparse

from vqnat_serving.command_line import add_options, run
from vqnat_serving.description import PRECISIONS
from vqnat_serving.onnx_translator import MAX_TOKENS, OnnxTranslator


def load(options: argparse.Namespace) -> OnnxTranslator:
    """The translator of the options."""
    return OnnxTranslator(
        options.model,
        options.precision,
        options.threads,
        max_tokens=options.max_tokens,
        max_sentences=options.batch_size,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="vqnat_serving", description=__doc__)
    parser.add_argument("--model", metavar="DIR", help="model folder, export, or org/name (default: the small model)")
    parser.add_argument("--precision", choices=PRECISIONS, help="default: fp32 if it is there")
    parser.add_argument("--threads", type=int, default=1, help="of onnxruntime; 0: one for each core (default: 1)")
    add_options(parser, max_tokens=MAX_TOKENS)
    run("vqnat_serving", parser, load)

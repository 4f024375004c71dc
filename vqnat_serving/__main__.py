"""Translate standard input with an exported model: ``python -m vqnat_serving --model DIR --interactive``.

``vqnat translate`` does the same and more; this needs nothing but the runner.
"""

import argparse
import sys
from collections.abc import Sequence

from vqnat_serving.arguments import CommandParser, at_least
from vqnat_serving.command_line import SHORTLIST_HELP, add_options, check, translate_lines
from vqnat_serving.console import run_program
from vqnat_serving.description import PRECISIONS
from vqnat_serving.onnx_translator import MAX_TOKENS, OnnxTranslator


def parser() -> CommandParser:
    """All options."""
    p = CommandParser("vqnat_serving", "Translates standard input with an exported model.", extra="serving")
    p.add_argument("--model", metavar="DIR", help="model folder, export, or org/name (default: the small model)")
    p.add_argument("--precision", choices=PRECISIONS, help="default: fp32 if it is there")
    p.add_argument("--threads", type=at_least(0), default=1, metavar="N", help="0: one for each core (default: 1)")
    p.add_argument("--shortlist", action="store_true", help=SHORTLIST_HELP)
    add_options(p, max_tokens=MAX_TOKENS)
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Translate."""
    return run_program(parser(), _translate, argv)


def _translate(options: argparse.Namespace) -> None:
    check(options)
    more = {"max_tokens": options.max_tokens, "max_sentences": options.batch_size, "shortlist": options.shortlist}
    translate_lines(OnnxTranslator(options.model, options.precision, options.threads, **more), options)


if __name__ == "__main__":
    sys.exit(main())

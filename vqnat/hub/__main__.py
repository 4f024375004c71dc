"""Translates standard input with a checkpoint: ``python -m vqnat.hub --path CKPT --data DATA --interactive``.

``vqnat translate --model CKPT`` does the same and more.
"""

import argparse
import sys
from collections.abc import Sequence

from vqnat.choices import OLD_PRECISIONS, PRECISIONS
from vqnat.hub.checkpoint_options import add_checkpoint_options, load_checkpoint
from vqnat_serving.arguments import CommandParser, at_least
from vqnat_serving.command_line import add_options, check, translate_lines
from vqnat_serving.console import run_program


def parser() -> CommandParser:
    """All options."""
    p = CommandParser("vqnat.hub", "Translates standard input with a checkpoint.", extra="train")
    p.add_argument("--path", required=True, metavar="CKPT", help="latent transformer or autoregressive model")
    add_checkpoint_options(p)
    about = f"{', '.join(PRECISIONS)} (default: fp32)"
    p.add_argument("--dtype", choices=(*PRECISIONS, *OLD_PRECISIONS), default="fp32", metavar="NAME", help=about)
    p.add_argument("--threads", type=at_least(0), default=0, metavar="N", help="of torch (default: torch's)")
    add_options(p, max_tokens=1024)
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Translate."""
    return run_program(parser(), _translate, argv)


def _translate(options: argparse.Namespace) -> None:
    check(options)
    translate_lines(load_checkpoint(options.path, options, options.dtype), options)


if __name__ == "__main__":
    sys.exit(main())

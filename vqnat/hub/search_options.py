"""Command-line options for the search of an output layer, wherever a checkpoint is loaded."""

import argparse
from typing import Any

from vqnat.choices import DAG_SEARCHES


def add_search_options(parser: Any) -> None:
    """Add ``--ctc-blank-penalty`` and ``--dag-search``, as fairseq-generate has them."""
    parser.add_argument(
        "--ctc-blank-penalty",
        type=float,
        default=0.0,
        metavar="X",
        help="with --output-layer ctc: subtracted from the blank's log-probability (default: 0)",
    )
    parser.add_argument(
        "--dag-search", choices=DAG_SEARCHES, default="lookahead", help="with --output-layer dag (default: lookahead)"
    )


def search_values(options: argparse.Namespace) -> dict[str, Any]:
    """The options as keyword arguments of :meth:`LatentTranslator.from_pretrained`."""
    return {"ctc_blank_penalty": options.ctc_blank_penalty, "dag_search": options.dag_search}

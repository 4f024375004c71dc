"""``python -m vqnat.commands.score``: the output of fairseq-generate as text, and its scores as JSON."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from vqnat_serving.arguments import CommandParser
from vqnat_serving.console import run_program


def parser() -> CommandParser:
    """All options."""
    p = CommandParser("score", "Joins the subwords of fairseq-generate's output and scores it.", extra="train")
    p.add_argument("generated", type=Path, metavar="FILE", help="what fairseq-generate printed for the test set")
    p.add_argument("--model", type=Path, required=True, metavar="FILE", help="sentencepiece model")
    p.add_argument("--source", type=Path, required=True, metavar="FILE", help="the test sentences")
    p.add_argument(
        "--reference", type=Path, required=True, metavar="FILE", help="their translations; .LANGUAGE at the end"
    )
    p.add_argument("--corpus", default="", metavar="KIND", help="embedded: also the share of right translations")
    p.add_argument("--tokenized", action="store_true", help="the text is tokenized: BLEU of its tokens")
    p.add_argument("--out", type=Path, required=True, metavar="FILE", help="translations to write, one a line")
    p.add_argument("--json", type=Path, required=True, metavar="FILE", help="scores to write")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Score. Returns the exit status."""
    return run_program(parser(), _score, argv)


def _score(options: argparse.Namespace) -> None:
    from vqnat.experiments.scores import right_rate, score
    from vqnat.experiments.translations import read_hypotheses, read_lines, write_lines
    from vqnat.records.results import write_json

    sources, references = read_lines(options.source), read_lines(options.reference)
    with options.generated.open(encoding="utf-8") as lines:
        outputs = read_hypotheses(lines, len(sources), options.model)
    write_lines(options.out, outputs)
    language = options.reference.suffix.removeprefix(".")
    write_json(
        options.json, score(sources, outputs, references, language, right_rate(options.corpus), options.tokenized)
    )


if __name__ == "__main__":
    sys.exit(main())

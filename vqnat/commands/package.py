"""``vqnat package``: a checkpoint as a model folder."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from vqnat.hub.checkpoint_options import add_text_options, text_values
from vqnat.silence import silence_imports
from vqnat_serving.arguments import CommandParser
from vqnat_serving.console import run_program
from vqnat_serving.errors import UserError

DESCRIPTION = """\
Make a model folder of a checkpoint: weights, dictionaries, subword model, options, scores and a model card.
Torch, the ONNX runner (after vqnat export) and fairseq-generate --path read it; so does the Hugging Face Hub.
"""
EXAMPLES = """\
vqnat package checkpoints/average.pt --out my_model
vqnat package average.pt --data data-bin --scores results.json --license mit --data-note "..." --out my_model
"""
CARD = ("license", "data_note", "dataset", "example")  # options that are for the model card


def parser() -> CommandParser:
    """All options."""
    p = CommandParser("vqnat package", DESCRIPTION, EXAMPLES, extra="train")
    p.add_argument(
        "checkpoint",
        type=Path,
        metavar="CHECKPOINT",
        help="of a latent or parallel transformer, or of an autoregressive fairseq model (a teacher)",
    )
    p.add_argument("--out", type=Path, required=True, metavar="DIR", help="model folder to write")
    add_text_options(p)
    p.add_argument("--name", metavar="NAME", help="what the model is called (default: the name of the folder)")
    p.add_argument("--license", metavar="ID", help="the Hugging Face Hub's identifier, such as mit or cc-by-4.0")
    p.add_argument("--data-note", metavar="TEXT", help="what it was trained on, for the model card")
    p.add_argument("--dataset", metavar="ID", help="the Hub's identifier of that data, or its name")
    p.add_argument("--example", metavar="TEXT", help="a source sentence for the model card")
    p.add_argument(
        "--scores",
        type=Path,
        metavar="FILE.json",
        help="an experiment's results.json, or an object with sacrebleu, chrf, ... (default: nothing was measured)",
    )
    p.add_argument(
        "--system", metavar="NAME", help="row of results.json (default: those of the training named as CHECKPOINT)"
    )
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Package. Returns the exit status."""
    return run_program(parser(), _package, argv)


def _package(options: argparse.Namespace) -> None:
    if options.system is not None and options.scores is None:
        raise UserError(f"--system {options.system}: needs --scores")
    silence_imports()
    from vqnat.hub.packaging import About, check_replaceable, package
    from vqnat.hub.scores import read_scores
    from vqnat.hub.subwords import subword_nmt_codes
    from vqnat.hub.translator import LatentTranslator

    check_replaceable(options.out)
    scores = None if options.scores is None else read_scores(options.scores, options.checkpoint.stem, options.system)
    translator = LatentTranslator.from_pretrained(options.checkpoint, packed=False, **text_values(options))
    about = About(
        name=options.name or options.out.absolute().name,
        card={name: value for name in CARD if (value := getattr(options, name)) is not None},
        scores=scores,
        bpe_codes=subword_nmt_codes(translator.pieces, options.bpe_model),
        tokenizer=options.tokenizer,
    )
    folder = package(translator, options.checkpoint, options.out, about)
    print(f"{options.out}: {folder.kind}, {folder.source_lang}-{folder.target_lang}")


if __name__ == "__main__":
    sys.exit(main())

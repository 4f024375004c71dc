"""Write a model folder: weights, dictionaries, subword model, options, scores and a model card.

vqnat package checkpoints/average.pt --out my_model
vqnat package average.pt --data data-bin --bpe-model spm.model --scores results.json --license mit --out my_model
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from vqnat_serving.errors import UserError


def parser() -> argparse.ArgumentParser:
    """All options."""
    p = argparse.ArgumentParser(
        prog="vqnat package", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument(
        "checkpoint",
        type=Path,
        metavar="CHECKPOINT",
        help="of a latent or parallel transformer, or of an autoregressive fairseq model (a teacher)",
    )
    p.add_argument("--out", type=Path, required=True, metavar="DIR", help="model folder to write")
    p.add_argument(
        "--data", type=Path, metavar="DIR", help="dictionaries (default: beside CHECKPOINT, or its training's)"
    )
    p.add_argument(
        "--bpe",
        choices=("auto", "sentencepiece", "subword_nmt", "none"),
        default="auto",
        help="subwords (default: auto, told by the dictionary); none: text in pieces",
    )
    p.add_argument(
        "--bpe-model",
        type=Path,
        metavar="FILE",
        help="sentencepiece model or subword-nmt codes (default: near the data)",
    )
    p.add_argument("--tokenizer", choices=["moses"], help="of text that was tokenized before subwords")
    for option in ("source-lang", "target-lang"):
        p.add_argument(f"--{option}", metavar="LANG", help="default: as in training, or as the data's file names")
    p.add_argument("--name", metavar="NAME", help="what the model is called (default: the name of the folder)")
    p.add_argument("--license", metavar="ID", help="the Hugging Face Hub's identifier, such as mit or cc-by-4.0")
    p.add_argument("--data-note", metavar="TEXT", help="what it was trained on, for the model card")
    p.add_argument("--dataset", metavar="ID", help="the Hub's identifier of that data, or a name")
    p.add_argument(
        "--scores",
        type=Path,
        metavar="FILE.json",
        help="a pipeline's results.json, or an object with sacrebleu, chrf, ... (default: nothing was measured)",
    )
    p.add_argument(
        "--system", metavar="NAME", help="row of results.json (default: those of the training named as CHECKPOINT)"
    )
    p.add_argument("--example", default="A sentence.", metavar="TEXT", help="source sentence for the model card")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Package. Returns 0, or 2 after a user's mistake."""
    options = parser().parse_args(argv)
    try:
        if options.system is not None and options.scores is None:
            raise UserError(f"--system {options.system}: needs --scores")
        _package(options)
    except UserError as error:
        print(f"vqnat package: {error}", file=sys.stderr)
        return 2
    return 0


def _package(options: argparse.Namespace) -> None:
    import logging

    logging.disable(logging.INFO)  # before fairseq is imported, which logs
    try:
        from vqnat.hub.packaging import About, check_replaceable, package
        from vqnat.hub.scores import read_scores
        from vqnat.hub.subwords import subword_nmt_codes
        from vqnat.hub.translator import LatentTranslator
    except ImportError as error:
        raise UserError(f"{error.name} is not installed: pip install 'vqnat[train]'") from error
    check_replaceable(options.out)
    scores = options.scores and read_scores(options.scores, options.checkpoint.stem, options.system)
    translator = LatentTranslator.from_pretrained(
        options.checkpoint,
        options.data,
        bpe=options.bpe,
        bpe_model=options.bpe_model,
        tokenizer=options.tokenizer,
        source_lang=options.source_lang,
        target_lang=options.target_lang,
        packed=False,
    )
    about = About(
        name=options.name or options.out.absolute().name,
        license=options.license,
        data_note=options.data_note,
        dataset=options.dataset,
        scores=scores or None,
        example=options.example,
        bpe_codes=subword_nmt_codes(translator.pieces, options.bpe_model),
        tokenizer=options.tokenizer,
    )
    folder = package(translator, options.checkpoint, options.out, about)
    print(f"package: {options.out} ({folder.kind}, {folder.source_lang}-{folder.target_lang})")


if __name__ == "__main__":
    sys.exit(main())

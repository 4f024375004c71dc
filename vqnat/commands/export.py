"""``vqnat export``: ONNX graphs for the runner, or a teacher for CTranslate2."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from vqnat.hub.checkpoint_options import add_text_options, text_values
from vqnat.hub.search_options import add_search_options, search_values
from vqnat.silence import silence_imports
from vqnat_serving.arguments import CommandParser
from vqnat_serving.console import run_program
from vqnat_serving.description import PRECISIONS
from vqnat_serving.errors import UserError
from vqnat_serving.model_folder import CODE_WORDS, CTRANSLATE2, ONNX, TEACHER, ModelFolder, is_model_folder

DESCRIPTION = """\
Export a latent or parallel transformer to ONNX graphs for vqnat translate, vqnat serve and vqnat_serving.
In a model folder it writes onnx/; in a teacher's, ctranslate2/. A checkpoint is exported to a folder of its own.
"""
EXAMPLES = """\
vqnat export my_model                                   # writes my_model/onnx
vqnat export my_model --code-words source.txt           # and what each code most often writes
vqnat export my_model --shortlist data-bin/distilled    # and which words a sentence may use
vqnat export my_model --out served --precision int8     # a copy without the weights, for serving alone
vqnat export my_teacher                                 # writes my_teacher/ctranslate2
vqnat export checkpoints/average.pt --data data-bin --out exported
"""
# Options that a model folder answers itself.
OF_CHECKPOINTS = ("data", "bpe_model", "tokenizer", "source_lang", "target_lang")


def parser() -> CommandParser:
    """All options."""
    p = CommandParser("vqnat export", DESCRIPTION, EXAMPLES, extra="export")
    p.add_argument("model", nargs="?", type=Path, metavar="MODEL", help="model folder, or checkpoint (with --out)")
    p.add_argument("--path", type=Path, metavar="CKPT", help="the same as MODEL")
    p.add_argument("--out", type=Path, metavar="DIR", help="folder to write (default: the model folder itself)")
    p.add_argument("--precision", nargs="+", choices=PRECISIONS, default=["fp32", "int8"], help="default: fp32 int8")
    p.add_argument(
        "--code-words",
        type=Path,
        metavar="FILE",
        help="translate these source sentences and write what each code most often writes, for the page of vqnat serve",
    )
    text = "learn from this folder's training set which words a sentence may use, for vqnat translate --shortlist"
    p.add_argument("--shortlist", type=Path, metavar="DATA_BIN", help=text)
    add_text_options(p)
    add_search_options(p)
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Export. Returns the exit status."""
    return run_program(parser(), _export, argv)


def _export(options: argparse.Namespace) -> None:
    model = options.model or options.path
    if model is None or (options.model and options.path):
        raise UserError("MODEL: give one model folder or checkpoint")
    silence_imports()
    if is_model_folder(model):
        _export_folder(ModelFolder.read(model), options)
    else:
        _export_checkpoint(model, options)


def _export_folder(folder: ModelFolder, options: argparse.Namespace) -> None:
    for name in OF_CHECKPOINTS:
        if getattr(options, name) is not None:
            raise UserError(f"--{name.replace('_', '-')} {getattr(options, name)}: {folder.path} says that itself")
    if folder.kind == TEACHER:
        for name in ("out", "code_words"):
            if getattr(options, name) is not None:
                raise UserError(f"--{name.replace('_', '-')} {getattr(options, name)}: not for a teacher")
        from vqnat.export.ctranslate2_folder import convert_teacher

        convert_teacher(folder, options.shortlist)
        print(f"{folder.path}: {CTRANSLATE2}")
        return
    from vqnat.export.model_folder import add_code_words, export_folder, export_for_serving
    from vqnat.hub.translator import LatentTranslator

    translator = LatentTranslator.from_pretrained(folder.path, bpe=options.bpe, packed=False, **search_values(options))
    if options.out is not None:
        folder = export_for_serving(translator, options.precision, options.out, options.code_words, options.shortlist)
    else:
        folder = export_folder(translator, options.precision, options.shortlist)
        if options.code_words is not None:
            folder = add_code_words(folder, options.code_words)
    written = [f"{ONNX} ({', '.join(options.precision)})", *([CODE_WORDS] if options.code_words else [])]
    print(f"{folder.path}: {', '.join(written)}")


def _export_checkpoint(checkpoint: Path, options: argparse.Namespace) -> None:
    if options.out is None:
        raise UserError(f"{checkpoint}: not a model folder; to export a checkpoint, give --out DIR")
    if options.code_words is not None:
        raise UserError(f"--code-words {options.code_words}: only in a model folder (vqnat package makes one)")
    from vqnat.export.folder import check_replaceable, export
    from vqnat.hub.translator import LatentTranslator

    check_replaceable(options.out)
    translator = LatentTranslator.from_pretrained(
        checkpoint, packed=False, **text_values(options), **search_values(options)
    )
    export(translator, checkpoint, options.out, options.precision, options.shortlist)
    print(f"{options.out}: {', '.join(options.precision)}")


if __name__ == "__main__":
    sys.exit(main())

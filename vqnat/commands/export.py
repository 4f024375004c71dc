"""Export a latent or parallel transformer to ONNX graphs for vqnat_serving, in fp32 and int8.

scripts/export.py --path checkpoints/average.pt --data DATA --out exported
python -m vqnat_serving --model exported --interactive
"""

import argparse
import logging
from pathlib import Path

logging.disable(logging.INFO)  # before fairseq is imported, which logs

from vqnat.errors import UserError, run_command  # noqa: E402
from vqnat.hub import LatentTranslator  # noqa: E402
from vqnat.hub.search_options import add_search_options, search_values  # noqa: E402
from vqnat_serving.description import PRECISIONS  # noqa: E402


def main() -> None:
    """Export. Raises UserError."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--path", type=Path, required=True, metavar="CKPT", help="latent or parallel transformer")
    parser.add_argument("--data", type=Path, help="its dictionaries (default: beside it, or where it was trained)")
    parser.add_argument("--bpe", choices=("auto", "sentencepiece", "none"), default="auto", help="none: text in pieces")
    parser.add_argument("--bpe-model", type=Path, metavar="FILE", help="sentencepiece model (default: near the data)")
    for option in ("source-lang", "target-lang"):
        parser.add_argument(f"--{option}", metavar="LANG", help="default: as in training, or as the data's file names")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    parser.add_argument(
        "--precision",
        nargs="+",
        choices=PRECISIONS,
        default=["fp32", "int8"],
        help="default: fp32 int8",
    )
    add_search_options(parser)
    args = parser.parse_args()
    try:
        from vqnat.export.folder import check_replaceable, export
    except ImportError as error:
        raise UserError(f"{error.name} is not installed: pip install 'vqnat[export]'") from error
    check_replaceable(args.out)
    languages = {"source_lang": args.source_lang, "target_lang": args.target_lang}
    translator = LatentTranslator.from_pretrained(
        args.path, args.data, bpe=args.bpe, bpe_model=args.bpe_model, packed=False, **languages, **search_values(args)
    )
    export(translator, args.path, args.out, args.precision)
    print(f"export: {args.out} ({', '.join(args.precision)})")


if __name__ == "__main__":
    run_command("export", main)

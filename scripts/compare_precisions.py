#!/usr/bin/env python3
"""What lower precision costs: one trained latent transformer, by torch and by onnxruntime, in every precision.

scripts/compare_precisions.py --path checkpoints/average.pt --data DATA --source test.en --reference test.de \\
  --json precisions.json
"""

import argparse
import logging
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
logging.disable(logging.INFO)  # what fairseq says when it is imported

from tabulate import tabulate  # noqa: E402

from vqnat.benchmarking.precisions import ENGINES, compare  # noqa: E402
from vqnat.errors import UserError, run_command  # noqa: E402
from vqnat.records.results import provenance, write_json  # noqa: E402
from vqnat_serving.command_line import read_lines  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--path", type=Path, required=True, metavar="CKPT", help="trained latent transformer")
    parser.add_argument("--data", type=Path, help="its dictionaries (default: beside it, or where it was trained)")
    parser.add_argument("--bpe-model", type=Path, metavar="FILE", help="sentencepiece model (default: near the data)")
    parser.add_argument("--source", type=Path, required=True, metavar="FILE", help="plain text, a sentence a line")
    parser.add_argument("--reference", type=Path, required=True, metavar="FILE", help="its translations")
    parser.add_argument("--beam", type=int, default=1, help="code sequences (default: 1)")
    parser.add_argument("--engines", nargs="+", choices=list(ENGINES), default=list(ENGINES), help="default: all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    args = parser.parse_args()
    if args.beam < 1:
        raise UserError(f"--beam {args.beam}: needed 1 or more")
    sources, references = read(args.source), read(args.reference)
    if len(sources) != len(references):
        raise UserError(f"{args.source} has {len(sources)} lines, {args.reference} {len(references)}: must be equal")
    with tempfile.TemporaryDirectory() as folder:
        systems = compare(
            args.path, args.data, args.bpe_model, sources, references, args.engines, args.beam, Path(folder), say
        )
    rows = [
        {
            "engine": system["engine"],
            "precision": system["precision"],
            "sacreBLEU": f"{system['sacrebleu']:.2f}",
            "chrF": f"{system['chrf']:.2f}",
            "as in fp32": f"{system['identical']:.1%}",
        }
        for system in systems
    ]
    print(tabulate(rows, headers="keys", disable_numparse=True))
    if args.json:
        files = {path.name: path for path in (args.path, args.source, args.reference)}
        result = {"beam": args.beam, "sentences": len(sources), "systems": systems}
        write_json(args.json, result | provenance(None, files))


def read(path: Path) -> list[str]:
    try:
        with path.open("rb") as stream:
            return list(read_lines(stream, str(path)))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error


def say(line: str) -> None:
    print(f"compare_precisions: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    run_command("compare_precisions", main)

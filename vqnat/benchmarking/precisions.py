"""What lower precision costs, the comparison behind ``scripts/compare_precisions.py``: one model, several engines."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sacrebleu.metrics import BLEU, CHRF
from tabulate import tabulate

from vqnat.checkpoints.reading import checkpoint_file
from vqnat.errors import UserError
from vqnat.hub import LatentTranslator
from vqnat.records.results import provenance, write_json
from vqnat_serving.text_lines import read_texts
from vqnat_serving.translator import Translator

DESCRIPTION = """What lower precision costs: one latent transformer, by torch and onnxruntime, in every precision.

scripts/compare_precisions.py --path checkpoints/average.pt --data DATA --source test.en --reference test.de \\
  --json precisions.json
"""

# name -> engine, and the engine's name of the precision; the first is the reference for ``identical``
ENGINES = {
    "torch_fp32": ("torch", "fp32"),
    "torch_bf16": ("torch", "bf16"),
    "torch_int8_dynamic": ("torch", "int8_dynamic"),
    "onnx_fp32": ("onnxruntime", "fp32"),
    "onnx_int8": ("onnxruntime", "int8"),
}


def parser() -> argparse.ArgumentParser:
    """All options."""
    p = argparse.ArgumentParser(description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--path", type=Path, required=True, metavar="CKPT", help="trained latent transformer")
    p.add_argument("--data", type=Path, help="its dictionaries (default: beside it, or where it was trained)")
    p.add_argument("--bpe-model", type=Path, metavar="FILE", help="sentencepiece model (default: near the data)")
    p.add_argument("--source", type=Path, required=True, metavar="FILE", help="plain text, one sentence per line")
    p.add_argument("--reference", type=Path, required=True, metavar="FILE", help="its translations")
    p.add_argument("--beam", type=int, default=1, help="code sequences kept by the latent search (default: 1)")
    p.add_argument("--engines", nargs="+", choices=list(ENGINES), default=list(ENGINES), help="default: all")
    p.add_argument("--json", type=Path, metavar="FILE", help="write all figures to this file")
    return p


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare, print, write.

    Raises:
        UserError: an option is impossible, or a file is missing.
    """
    args = parser().parse_args(arguments)
    if args.beam < 1:
        raise UserError(f"--beam {args.beam}: needed 1 or more")
    sources, references = _read(args.source), _read(args.reference)
    if len(sources) != len(references):
        raise UserError(f"{args.source} has {len(sources)} lines, {args.reference} {len(references)}: must be equal")
    with tempfile.TemporaryDirectory() as folder:
        systems = compare(
            args.path, args.data, args.bpe_model, sources, references, args.engines, args.beam, Path(folder), _say
        )
    print(table(systems))
    if args.json:
        files = {path.name: checkpoint_file(path) for path in (args.path, args.source, args.reference)}
        result = {"beam": args.beam, "sentences": len(sources), "systems": systems}
        write_json(args.json, result | provenance(None, files))


def compare(
    checkpoint: Path,
    data: Path | None,
    bpe_model: Path | None,
    sources: Sequence[str],
    references: Sequence[str],
    engines: Sequence[str],
    beam: int,
    folder: Path,
    progress: Callable[[str], None] = lambda line: None,
) -> list[dict[str, Any]]:
    """Translate and score with every engine.

    Args:
        checkpoint: a trained latent transformer.
        data: as in :meth:`LatentTranslator.from_pretrained`.
        bpe_model: as in :meth:`LatentTranslator.from_pretrained`.
        sources: plain text.
        references: one translation per source.
        engines: keys of :data:`ENGINES`.
        beam: code sequences kept by the latent search.
        folder: an empty folder for the exported model.
        progress: called with the name of each step as it begins.

    Returns:
        One record per engine: ``name``, ``engine``, ``precision``, ``sacrebleu``, ``signature``, ``chrf``, and
        ``identical``, the share of sentences translated as by torch in fp32.

    Raises:
        UserError: the checkpoint is not a latent transformer, or onnxruntime is missing.
    """
    given = {"data": data, "bpe_model": bpe_model}
    exported = folder / "exported"
    needed = [ENGINES[name][1] for name in engines if ENGINES[name][0] == "onnxruntime"]
    if needed:
        progress(f"export ({', '.join(needed)})")
        try:
            from vqnat.export.folder import export
        except ImportError as error:
            raise UserError(f"{error.name} is not installed: pip install 'vqnat[export]'") from error
        export(LatentTranslator.from_pretrained(checkpoint, packed=False, **given), checkpoint, exported, needed)

    def load(name: str) -> Translator:
        engine, precision = ENGINES[name]
        if engine == "torch":
            return LatentTranslator.from_pretrained(checkpoint, dtype=precision, **given)
        from vqnat_serving import OnnxTranslator

        return OnnxTranslator(exported, precision=precision)

    metric, chrf, records = BLEU(), CHRF(), []
    first = next(iter(ENGINES))
    progress(first)
    full = load(first).translate(list(sources), beam=beam)
    for name in engines:
        if name != first:
            progress(name)
        outputs = full if name == first else load(name).translate(list(sources), beam=beam)
        engine, precision = ENGINES[name]
        records.append(
            {
                "name": name,
                "engine": engine,
                "precision": precision,
                "sacrebleu": metric.corpus_score(outputs, [list(references)]).score,
                "signature": str(metric.get_signature()),
                "chrf": chrf.corpus_score(outputs, [list(references)]).score,
                "identical": sum(a == b for a, b in zip(outputs, full, strict=True)) / len(full),
            }
        )
    return records


def table(systems: Sequence[Mapping[str, Any]]) -> str:
    """The records as text for the terminal."""
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
    return tabulate(rows, headers="keys", disable_numparse=True)


def _read(path: Path) -> list[str]:
    try:
        with path.open("rb") as stream:
            return list(read_texts(stream, str(path)))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error


def _say(line: str) -> None:
    print(f"compare_precisions: {line}", file=sys.stderr, flush=True)

"""One trained model translating one text in several precisions, and by two engines."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sacrebleu.metrics import BLEU, CHRF

from vqnat.errors import UserError
from vqnat.hub import LatentTranslator
from vqnat_serving.translator import Translator

# name -> engine, and what the engine calls the precision; the first is what the others are compared with
ENGINES = {
    "torch_fp32": ("torch", "float32"),
    "torch_bf16": ("torch", "bfloat16"),
    "torch_int8_dynamic": ("torch", "int8_dynamic"),
    "onnx_fp32": ("onnxruntime", "fp32"),
    "onnx_int8": ("onnxruntime", "int8"),
}


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
    """Translate and score; a record for each engine.

    Args:
        checkpoint: of a latent transformer.
        data: as in :meth:`LatentTranslator.from_pretrained`, like ``bpe_model``.
        bpe_model: likewise.
        sources: plain text.
        references: one for each.
        engines: keys of :data:`ENGINES`.
        beam: code sequences.
        folder: an empty one, for the exported model.
        progress: is told what begins.

    Returns:
        ``name``, ``engine``, ``precision``, ``sacrebleu``, ``signature``, ``chrf``, and ``identical``, the share of
        sentences whose translation is that of torch in fp32.

    Raises:
        UserError: the checkpoint is no latent transformer, or onnxruntime is missing.
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

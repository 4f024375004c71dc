"""The figures of a finished distillation, for its manifest."""

from typing import Any

import numpy as np

from vqnat.distillation.hypotheses import Hypotheses
from vqnat.distillation.sources import DISTILLED_VALID, Sources

SHOWN = 20  # at most so many line numbers of dropped lines


def figures_of(sources: Sources, hypotheses: Hypotheses, max_source: int, raw: np.ndarray) -> dict[str, Any]:
    """Counts, mean score and speed.

    Args:
        sources: what was translated.
        hypotheses: the translations.
        max_source: tokens in the longest source that the teacher accepts.
        raw: the original pairs that ``--mix-raw`` adds.
    """
    train, valid, extra = (slice(part.start, part.stop) for part in sources.parts)
    counts, lengths = hypotheses.counts[train], sources.lengths[train]
    kept = counts == 0
    too_long, empty = lengths > max_source, lengths <= 1
    in_train = np.r_[train, extra]
    figures = {
        "counts": {
            "sentences": len(lengths),
            "distilled_pairs": int(counts.sum()),
            "raw_kept_source_too_long": int((kept & too_long).sum()),
            "raw_kept_source_empty": int((kept & empty).sum()),
            "raw_kept_no_hypothesis": int((kept & ~too_long & ~empty).sum()),
            "raw_mixed_in": len(raw),
            "pairs": int(np.maximum(1, counts).sum()) + len(raw) + int(hypotheses.counts[extra].sum()),
            "target_tokens_distilled": hypotheses.tokens_of(in_train),
            "batches": hypotheses.batches,
        },
        "mean_score": hypotheses.mean_score,
        "teacher_max_source_tokens": max_source,
        # summed over parallel processes: the work, not the elapsed time
        "decoding_seconds": round(hypotheses.seconds, 3),
        "sentences_per_process_second": round(len(sources.lengths) / max(1e-9, hypotheses.seconds), 2),
    }
    if sources.text:
        figures["source_text"] = _extra(sources, hypotheses.counts[extra], max_source)
    if sources.with_valid:
        none = int((hypotheses.counts[valid] == 0).sum())
        figures[DISTILLED_VALID] = {"pairs": len(sources.parts[1]), "raw_kept": none}
    return figures


def _extra(sources: Sources, counts: np.ndarray, max_source: int) -> dict[str, Any]:
    """How many lines of ``--source-text`` were translated and dropped."""
    text, too_long = sources.text, sources.text.lengths > max_source
    found = {"path": str(text.path), **text.counts, "translated": int((counts > 0).sum()), "pairs": int(counts.sum())}
    for name, which in (("dropped_too_long", too_long), ("dropped_no_hypothesis", (counts == 0) & ~too_long)):
        found[name] = int(which.sum())
        found[f"{name}_lines"] = text.numbers[which][:SHOWN].tolist()
    return found

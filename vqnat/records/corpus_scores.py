"""sacreBLEU's scores of corpora of any size."""

from collections.abc import Sequence

from sacrebleu.metrics import BLEU, CHRF

PART = 20_000  # pairs


def corpus_score(metric: BLEU | CHRF, outputs: Sequence[str], references: Sequence[str]) -> float:
    """``metric.corpus_score(outputs, [references]).score`` with the n-grams of :data:`PART` pairs in memory.

    sacreBLEU keeps those of all references that it is given, some 50 KiB a pair. Its statistics add up.
    """
    if len(outputs) <= PART:
        return float(metric.corpus_score(outputs, [references]).score)
    sums = []
    for start in range(0, len(outputs), PART):
        here = slice(start, start + PART)
        rows = metric._extract_corpus_statistics(outputs[here], [references[here]])
        sums.append([sum(column) for column in zip(*rows, strict=True)])
    return float(metric._aggregate_and_compute(sums).score)

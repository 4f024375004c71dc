"""What larger corpora would take, from the measured speed of base-size trainings and the formats of files."""

from typing import Any

from vqnat.records.tables import machine_name, markdown_table

TOKENS = 30  # target tokens of a sentence, about WMT's
UPDATES, BATCH = 100_000, 32_768  # of the teacher at scale paper, and target tokens of each
CORPORA = {"4.5 million": 4_500_000, "1 billion": 1_000_000_000}
BYTES = 2 * 2 * TOKENS + 2 * 12  # a binarized pair: two sides of 16-bit tokens, and 12 bytes of index for each
CLEANING = 120  # bytes of memory for a pair's digest in Python's set
INDICES = 3 * 8  # bytes of memory for a pair's order, length and place while training


def markdown_scale(results: dict[str, Any]) -> str:
    """Hours, disk and memory of two corpora.

    Args:
        results: of ``scripts/benchmark_training.py``, with the system ``ar``.
    """
    speeds = {system["name"]: system["tokens_per_second"] for system in results["systems"]}
    header = [
        "pairs",
        "binarized text",
        "cleaning, memory",
        "training, memory of the data",
        "one epoch",
        "100,000 updates",
    ]
    rows = []
    for name, pairs in CORPORA.items():
        epoch, schedule = pairs * TOKENS / speeds["ar"] / 3600, UPDATES * BATCH / speeds["ar"] / 3600
        sizes = [_bytes(pairs * BYTES), _bytes(pairs * CLEANING), _bytes(pairs * INDICES)]
        rows.append([name, *sizes, f"{epoch:,.0f} h", f"{schedule:,.0f} h"])
    note = (
        f"From {speeds['ar']:.0f} target tokens a second, a base Transformer on {results['threads']} thread of "
        f"{machine_name(results['machine'])}; {TOKENS} tokens a sentence. With N processes, or on a device that is N "
        "times as fast, hours are divided by N at best."
    )
    return f"{markdown_table(header, rows)}\n\n{note}"


def _bytes(count: float) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.0f} MB"


TEMPLATES = {"corpora": markdown_scale}

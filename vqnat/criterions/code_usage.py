"""How a criterion logs the use of codes: perplexity and share of the codebook."""

from collections.abc import Sequence

import torch
from fairseq.logging import metrics

from vqnat.bottlenecks import perplexity


def log_code_usage(logging_outputs: Sequence[dict], priority: int, num_codebooks: int = 1) -> None:
    """Log ``code_ppl`` and ``code_use`` of the counts (num_codebooks * K,) under ``_code_counts``, where there are any.

    Counts are summed over the whole subset, so that perplexity is the subset's and not a batch's. With several
    codebooks that are used equally often it is the geometric mean of their perplexities.
    """
    found = [log["_code_counts"] for log in logging_outputs if "_code_counts" in log]
    if not found:
        return
    metrics.log_scalar("_code_counts", sum(found).cpu().numpy())

    def counts(meters) -> torch.Tensor:
        return torch.as_tensor(meters["_code_counts"].sum).float()

    metrics.log_derived(
        "code_ppl", lambda meters: round(float(perplexity(counts(meters))) / num_codebooks, 2), priority=priority
    )
    metrics.log_derived(
        "code_use", lambda meters: round(float((counts(meters) > 0).float().mean()), 4), priority=priority + 1
    )

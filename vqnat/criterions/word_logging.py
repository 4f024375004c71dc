"""What every criterion logs about an output layer's loss."""

import math
from collections.abc import Sequence

from fairseq.logging import metrics


def word_log(found) -> dict:
    """Sums of a :class:`vqnat.output_layers.WordLoss` for a logging output."""
    log = {"nll_loss": found.nll, "nwords": found.words, "unreachable": found.unreachable}
    return log if found.correct is None else log | {"correct_words": found.correct}


def reduce_words(logging_outputs: Sequence[dict]) -> None:
    """Log loss and nll_loss in bits per word, ppl, word_acc, and the share of sentences that are unreachable.

    Where no words were written, as while only the latent predictor is trained, it is the loss alone.
    A sentence is unreachable when no way through its positions writes its target: it is left out of nll_loss.
    """

    def total(key):
        return sum(log.get(key, 0) for log in logging_outputs)

    tokens, words, bits = total("ntokens"), total("nwords"), math.log(2)
    metrics.log_scalar("loss", total("loss") / tokens / bits, tokens, priority=10, round=3)
    if not any("nll_loss" in log for log in logging_outputs):  # the decoder did not run
        return
    metrics.log_scalar("nll_loss", total("nll_loss") / max(words, 1) / bits, words, priority=20, round=3)
    metrics.log_derived("ppl", lambda meters: 2 ** float(meters["nll_loss"].avg), priority=30)
    if any("correct_words" in log for log in logging_outputs):
        metrics.log_scalar("word_acc", total("correct_words") / words, words, priority=40, round=4)
    else:
        sentences = total("nsentences")
        metrics.log_scalar("unreachable", total("unreachable") / sentences, sentences, priority=41, round=5)

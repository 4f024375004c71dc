"""Reconstruction + latent predictor + bottleneck losses."""

import math
from dataclasses import dataclass, field

import torch
from fairseq.criterions import FairseqCriterion, register_criterion
from fairseq.dataclass import FairseqDataclass
from fairseq.logging import metrics
from torch import Tensor

from vqnat.argmax import argmax
from vqnat.criterions.code_usage import log_code_usage
from vqnat.criterions.smoothed_cross_entropy import smoothed_cross_entropy
from vqnat.errors import UserError


@dataclass
class LatentTransformerLossConfig(FairseqDataclass):
    """Options of ``--criterion latent_transformer_loss``."""

    label_smoothing: float = field(default=0.0, metadata={"help": "label smoothing of the target words, 0 to 1"})
    predictor_weight: float = field(default=1.0, metadata={"help": "weight of the latent predictor's cross-entropy"})


def code_cross_entropy(logits: Tensor, samples: Tensor) -> Tensor:
    """Cross-entropy of each position against the mean of its m one-hot codes, in nats.

    Gathers m logits; the dense (N, K) target of section 3.2 of Roy et al. 2018 is never made.

    Args:
        logits: (..., K).
        samples: (..., m) codes.

    Returns:
        (...) float32.
    """
    logits = logits.float()
    return logits.logsumexp(-1) - logits.gather(-1, samples).mean(-1)


@register_criterion("latent_transformer_loss", dataclass=LatentTransformerLossConfig)
class LatentTransformerLoss(FairseqCriterion):
    """Sums over positions, so that unequal batches and replicas weigh what they hold.

    loss = sum over words of CE  +  2^nc * (predictor_weight * sum over codes of CE + bottleneck losses)

    and fairseq divides the gradient by the number of target words. A code stands for 2^nc words; the factor makes
    the two parts weigh as means over words and over codes, as in the original.
    """

    def __init__(self, task, label_smoothing: float, predictor_weight: float):
        super().__init__(task)
        if not 0 <= label_smoothing < 1:
            raise UserError(f"--label-smoothing {label_smoothing} is not possible; valid: 0 <= value < 1")
        self.label_smoothing = label_smoothing
        self.predictor_weight = predictor_weight

    def forward(self, model, sample, reduce=True):
        """fairseq's contract: (loss, number of target words, what to log)."""
        net_input = sample["net_input"]
        output = model(net_input["src_tokens"], net_input["src_lengths"], sample["target"])
        words = output.token_targets.numel()
        loss, nll = smoothed_cross_entropy(output.token_logits, output.token_targets, self.label_smoothing)
        loss, nll = loss.sum(), nll.sum()
        log = {
            "ntokens": words,
            "nsentences": sample["target"].shape[0],
            "sample_size": words,
            "nll_loss": nll,
            "correct_words": argmax(output.token_logits.detach()).eq(output.token_targets).sum(),
        }

        stride = model.stride
        log["ncodes"] = output.code_mask.sum()
        if output.code_logits is not None:
            each = code_cross_entropy(output.code_logits, output.code_targets)  # (B, T + 1)
            predictor_loss = (each * output.code_mask).sum()
            with torch.no_grad():
                hit = argmax(output.code_logits).eq(output.code_targets[..., 0]) & output.code_mask
                log["correct_codes"] = hit.sum()
        else:
            # Before the codebook's start nothing is known of the codes. Without this constant, losses of that
            # time would be the best of the whole training, and checkpoint_best.pt a model without codes.
            predictor_loss = log["ncodes"] * math.log(model.predictor.end + 1)
        loss = loss + stride * self.predictor_weight * predictor_loss
        log["predictor_loss"] = predictor_loss.detach()
        for name, (total, count) in output.bottleneck.losses.items():
            loss = loss + stride * total
            log[f"{name}_loss"] = total.detach()
            log["nlatents"] = count
        if not model.training:
            log["_code_counts"] = output.bottleneck.code_counts
        log["loss"] = loss.detach()
        return loss, words, log

    @staticmethod
    def reduce_metrics(logging_outputs) -> None:
        """Per-word losses in bits, shares of right words and codes, perplexity and use of the codebook."""

        def total(key):
            return sum(log.get(key, 0) for log in logging_outputs)

        words, codes, latents = total("ntokens"), total("ncodes"), total("nlatents")
        bits = math.log(2)
        metrics.log_scalar("loss", total("loss") / words / bits, words, priority=10, round=3)
        metrics.log_scalar("nll_loss", total("nll_loss") / words / bits, words, priority=20, round=3)
        metrics.log_derived("ppl", lambda meters: 2 ** float(meters["nll_loss"].avg), priority=30)
        metrics.log_scalar("word_acc", total("correct_words") / words, words, priority=40, round=4)
        if codes > 0:
            metrics.log_scalar("predictor_loss", total("predictor_loss") / codes / bits, codes, priority=50, round=3)
            metrics.log_scalar("code_acc", total("correct_codes") / codes, codes, priority=60, round=4)
        for key in {key for log in logging_outputs for key in log if key.endswith("_loss")}:
            if key not in ("nll_loss", "predictor_loss"):
                metrics.log_scalar(key, total(key) / latents, latents, priority=70, round=4)
        log_code_usage(logging_outputs, priority=80)

    @staticmethod
    def logging_outputs_can_be_summed() -> bool:
        return True

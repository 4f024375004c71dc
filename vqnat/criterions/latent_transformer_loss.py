"""The latent transformer's loss: reconstruction + latent predictor + bottleneck."""

import math
from dataclasses import dataclass, field

import torch
from fairseq.criterions import FairseqCriterion, register_criterion
from fairseq.dataclass import FairseqDataclass
from fairseq.logging import metrics
from torch import Tensor

from vqnat.criterions.code_usage import log_code_usage
from vqnat.criterions.word_logging import reduce_words, word_log
from vqnat.errors import UserError
from vqnat.kernels.argmax import argmax
from vqnat.kernels.smoothed_cross_entropy import smoothed_cross_entropy


@dataclass
class LatentTransformerLossConfig(FairseqDataclass):
    """Options of ``--criterion latent_transformer_loss``."""

    label_smoothing: float = field(default=0.0, metadata={"help": "label smoothing of the target words, 0 to 1"})
    predictor_weight: float = field(default=1.0, metadata={"help": "weight of the latent predictor's cross-entropy"})
    helper_weight: float = field(
        default=1.0, metadata={"help": "weight of the autoregressive helper's cross-entropy (--helper-layers)"}
    )
    code_label_smoothing: float = field(default=0.0, metadata={"help": "label smoothing of the codes, 0 to 1"})
    code_rdrop: float = field(
        default=0.0,
        metadata={
            "help": "R-Drop of the latent predictor: weight of the divergence between two passes with different "
            "dropout masks (Liang et al. 2021, arXiv:2106.14448); 0: one pass"
        },
    )


def code_cross_entropy(logits: Tensor, samples: Tensor, smoothing: float = 0.0) -> tuple[Tensor, Tensor]:
    """Cross-entropy of each position against the mean of its m one-hot codes, in nats.

    Gathers m logits; the dense (N, K) target of section 3.2 of Roy et al. 2018 is never made.

    Args:
        logits: (..., K).
        samples: (..., m) codes.
        smoothing: share of the target that is uniform over all K, 0 <= value < 1.

    Returns:
        the loss and, without a gradient, the cross-entropy without smoothing; (...) float32 each.
    """
    logits = logits.float()
    normalizer = logits.logsumexp(-1)
    plain = normalizer - logits.gather(-1, samples).mean(-1)
    if not smoothing:
        return plain, plain.detach()
    return (1 - smoothing) * plain + smoothing * (normalizer - logits.mean(-1)), plain.detach()


def divergence(one: Tensor, other: Tensor) -> Tensor:
    """(KL(p || q) + KL(q || p)) / 2 of softmaxes of logits (..., K), in nats: (...) float32."""
    one, other = one.float().log_softmax(-1), other.float().log_softmax(-1)
    return ((one.exp() - other.exp()) * (one - other)).sum(-1) / 2


@register_criterion("latent_transformer_loss", dataclass=LatentTransformerLossConfig)
class LatentTransformerLoss(FairseqCriterion):
    """Sums over positions, so that batches and replicas of unequal size weigh as much as they hold.

    loss = sum over words of CE  +  2^nc * (predictor_weight * sum over codes of CE + bottleneck losses)

    and fairseq divides the gradient by the number of target words. A code stands for 2^nc words; the factor makes
    the two parts weigh as means over words and over codes, as in the original.
    """

    def __init__(
        self,
        task,
        label_smoothing: float,
        predictor_weight: float,
        code_label_smoothing: float = 0.0,
        code_rdrop: float = 0.0,
        helper_weight: float = 1.0,
    ):
        super().__init__(task)
        for option, value in (("label", label_smoothing), ("code-label", code_label_smoothing)):
            if not 0 <= value < 1:
                raise UserError(f"--{option}-smoothing {value} is not possible; valid: 0 <= value < 1")
        for option, value in (("code-rdrop", code_rdrop), ("helper-weight", helper_weight)):
            if value < 0:
                raise UserError(f"--{option} {value} is not possible; valid: 0 or more")
        self.label_smoothing = label_smoothing
        self.predictor_weight = predictor_weight
        self.code_label_smoothing = code_label_smoothing
        self.code_rdrop = code_rdrop
        self.helper_weight = helper_weight

    def check_model(self, model) -> None:
        """Raise UserError for a model without codes."""
        if not hasattr(model, "bottleneck"):
            raise UserError("--criterion latent_transformer_loss: only with --arch latent_transformer and its presets")

    def forward(self, model, sample, reduce=True):
        """fairseq's contract: (loss, number of target words, what to log)."""
        self.check_model(model)
        net_input = sample["net_input"]
        passes = 2 if self.code_rdrop and model.training else 1
        output = model(net_input["src_tokens"], net_input["src_lengths"], sample["target"], passes)
        words, loss = int(output.target.ne(model.pad).sum()), 0.0
        log = {"ntokens": words, "nsentences": sample["target"].shape[0], "sample_size": words}
        if output.positions is not None:
            found = model.output_layer.loss(output.positions, output.target, self.label_smoothing)
            loss = found.loss
            log |= word_log(found)

        stride = model.stride
        log["ncodes"] = output.code_mask.sum()
        if output.code_logits:
            predictor_loss, log["predictor_loss"] = self.predictor_losses(output)
            with torch.no_grad():
                hit = argmax(output.code_logits[0]).eq(output.code_targets[..., 0]) & output.code_mask
                log["correct_codes"] = hit.sum()
        else:
            # Before the codebook starts there are no codes to predict. Without this constant the losses of that time
            # would be the lowest of the whole training, and checkpoint_best.pt a model without codes.
            predictor_loss = log["predictor_loss"] = log["ncodes"] * math.log(model.predictor.end + 1)
            # Gradients of 0 rather than none: data-parallel training makes zeros of what is missing, or waits for it,
            # and Adam counts steps with a gradient of 0 but not those without one. One process is to count alike.
            predictor_loss = predictor_loss + sum(p.sum() * 0 for p in model.predictor.parameters() if p.requires_grad)
        loss = loss + stride * self.predictor_weight * predictor_loss
        for name, (total, count) in output.bottleneck.losses.items():
            loss = loss + stride * total
            log[f"{name}_loss"] = total.detach()
            log["nlatents"] = count
        if output.helper_logits is not None:
            written = output.target[output.target.ne(model.pad)]  # (N,)
            each, plain = smoothed_cross_entropy(output.helper_logits, written, self.label_smoothing)
            loss = loss + self.helper_weight * each.sum()
            log["helper_loss"] = plain.sum()
        if not model.training:
            log["_code_counts"] = output.bottleneck.code_counts
        log["loss"] = loss.detach()
        return loss, words, log

    def predictor_losses(self, output) -> tuple[Tensor, Tensor]:
        """The predictor's loss and its plain cross-entropy, each summed over codes and averaged over its passes."""
        passes = [
            code_cross_entropy(logits, output.code_targets, self.code_label_smoothing) for logits in output.code_logits
        ]
        loss, plain = (sum(each) / len(passes) for each in zip(*passes, strict=True))  # (B, T + 1)
        if len(passes) > 1:
            loss = loss + self.code_rdrop * divergence(*output.code_logits)
        return (loss * output.code_mask).sum(), (plain * output.code_mask).sum()

    @staticmethod
    def reduce_metrics(logging_outputs) -> None:
        """Per-word losses in bits, accuracy of words and codes, perplexity and use of the codebook."""

        def total(key):
            return sum(log.get(key, 0) for log in logging_outputs)

        codes, latents, bits = total("ncodes"), total("nlatents"), math.log(2)
        reduce_words(logging_outputs)
        if codes > 0:
            metrics.log_scalar("predictor_loss", total("predictor_loss") / codes / bits, codes, priority=50, round=3)
            metrics.log_scalar("code_acc", total("correct_codes") / codes, codes, priority=60, round=4)
        for key in {key for log in logging_outputs for key in log if key.endswith("_loss")}:
            if key == "helper_loss":
                words = total("ntokens")
                metrics.log_scalar(key, total(key) / words / bits, words, priority=60, round=3)
            elif key not in ("nll_loss", "predictor_loss"):
                metrics.log_scalar(key, total(key) / latents, latents, priority=70, round=4)
        log_code_usage(logging_outputs, priority=80)

    @staticmethod
    def logging_outputs_can_be_summed() -> bool:
        return True

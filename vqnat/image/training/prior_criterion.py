"""``--criterion image_prior_loss``: cross-entropy of the codes; in validation also bits per dimension of the image."""

import math
from dataclasses import dataclass, field

import torch
from fairseq.criterions import FairseqCriterion, register_criterion
from fairseq.dataclass import FairseqDataclass
from fairseq.logging import metrics
from torch import Tensor

from vqnat.criterions.latent_transformer_loss import code_cross_entropy
from vqnat.errors import UserError
from vqnat.image.autoencoders.codebooks import as_in_training, draws
from vqnat.image.autoencoders.likelihood import bits_per_dim, pixel_nats
from vqnat.image.priors.image_prior import ImagePrior

BITS = math.log(2)
LEARNED = ("samples", "nearest")


@dataclass
class ImagePriorLossConfig(FairseqDataclass):
    """Options of ``--criterion image_prior_loss``."""

    codes_from: str = field(
        default="samples",
        metadata={
            "help": "codes to learn: samples (drawn as in the VQ-VAE's training, as Roy et al. 2018 do with soft EM) "
            "or nearest"
        },
    )


@register_criterion("image_prior_loss", dataclass=ImagePriorLossConfig)
class ImagePriorLoss(FairseqCriterion):
    """Cross-entropy with the codes of an image (the mean over m one-hot samples), summed over positions, in nats.

    In validation, ``bpd`` is the code length of Roy et al. 2018, section 5.2, with the nearest code at every position.
    ``bpd_soft`` is their figure for soft EM with m samples: the decoder reads the mean of m codes while the prior is
    charged their mean cost, so it is not a code length.
    """

    def __init__(self, task, codes_from: str):
        super().__init__(task)
        if codes_from not in LEARNED:
            raise UserError(f"--codes-from {codes_from} is not possible; valid: {', '.join(LEARNED)}")
        self.codes_from = codes_from
        self.autoencoder = [task.autoencoder]  # in a list, because fairseq would move and save a submodule

    def forward(self, model: ImagePrior, sample: dict, reduce: bool = True):
        """Return (loss, number of codes, logging output), as fairseq expects."""
        images = sample["image"]
        autoencoder = self.autoencoder[0].to(images.device)
        soft = draws(autoencoder.bottleneck)
        with torch.no_grad():
            z = autoencoder.encode(images)
            mask = autoencoder.real(len(z), z.device)
        if model.training and soft and self.codes_from == "samples":
            with torch.no_grad(), as_in_training(autoencoder.bottleneck, int(torch.randint(2**31, ()))):
                codes = autoencoder.bottleneck(z, mask).samples  # (B, T, m)
        else:
            codes = autoencoder.bottleneck.encode(z).unsqueeze(-1)  # (B, T, 1)
        logits = model(codes)  # (B, T, K)
        loss = code_cross_entropy(logits, codes)[0].sum()
        count = codes[..., 0].numel()
        log = {
            "loss": loss.detach(),
            "ntokens": count,
            "nsentences": len(images),
            "sample_size": count,
            "correct": (logits.detach().argmax(-1) == codes[..., 0]).sum(),
        }
        if not model.training and autoencoder.levels > 1:
            log["dims"] = images.numel()
            log["pixel_nats"] = self._pixels(autoencoder.decode_codes(codes[..., 0]), images)
            log["pixel_nats_soft"], log["code_nats_soft"] = log["pixel_nats"], log["loss"]
            if soft:
                with torch.no_grad(), as_in_training(autoencoder.bottleneck):
                    drawn = autoencoder.bottleneck(z, mask)
                log["pixel_nats_soft"] = self._pixels(autoencoder.decode(drawn.quantized), images)
                log["code_nats_soft"] = code_cross_entropy(model(drawn.samples), drawn.samples)[0].sum()
        return loss, count, log

    @staticmethod
    @torch.no_grad()
    def _pixels(logits: Tensor, images: Tensor) -> Tensor:
        return pixel_nats(logits, images).sum()

    @staticmethod
    def reduce_metrics(logging_outputs) -> None:
        """Bits per code; in validation also bits per dimension of the image."""

        def total(key):
            return sum(log.get(key, 0) for log in logging_outputs)

        codes, images = total("ntokens"), total("nsentences")
        metrics.log_scalar("loss", total("loss") / codes / BITS, codes, priority=10, round=4)  # bits per code
        metrics.log_scalar("code_acc", total("correct") / codes, codes, priority=20, round=4)
        if not any("dims" in log for log in logging_outputs):
            return
        dims = total("dims")
        sizes = (round(dims / images), round(codes / images))  # n_x, n_z
        metrics.log_scalar("pixel_bits", total("pixel_nats") / dims / BITS, dims, priority=30, round=4)
        for name, suffix, code_nats in (("bpd", "", "loss"), ("bpd_soft", "_soft", "code_nats_soft")):
            value = bits_per_dim(total(f"pixel_nats{suffix}") / dims, total(code_nats) / codes, *sizes)
            metrics.log_scalar(name, value, dims, priority=40, round=4)

    @staticmethod
    def logging_outputs_can_be_summed() -> bool:
        return True

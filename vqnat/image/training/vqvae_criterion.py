"""``--criterion image_vqvae_loss``: reconstruction and bottleneck losses, and the figures of validation."""

import math
from dataclasses import dataclass, field

import torch
from fairseq.criterions import FairseqCriterion, register_criterion
from fairseq.dataclass import FairseqDataclass
from fairseq.logging import metrics
from torch import Tensor

from vqnat.bottlenecks import perplexity
from vqnat.criterions.code_usage import log_code_usage
from vqnat.errors import UserError
from vqnat.image.autoencoders.autoencoder import ImageAutoencoder, ImageOutput
from vqnat.image.autoencoders.codebooks import as_in_training, draws
from vqnat.image.autoencoders.likelihood import pixel_nats, squared_error

BITS = math.log(2)


@dataclass
class ImageVQVAELossConfig(FairseqDataclass):
    """Options of ``--criterion image_vqvae_loss``."""

    bottleneck_weight: float = field(default=1.0, metadata={"help": "weight w of the bottleneck's losses"})
    log_mse: bool = field(
        default=False,
        metadata={"help": "squared error as a Gaussian likelihood with the variance fitted to the batch (sq_vae)"},
    )


@register_criterion("image_vqvae_loss", dataclass=ImageVQVAELossConfig)
class ImageVQVAELoss(FairseqCriterion):
    """Sums over images; fairseq divides the gradient by the number of sub-pixels, B n_x.

        --output softmax:   sum CE  +  w n_x / n_z sum of bottleneck losses       (mean + w mean)
        --output mse:       sum (x^ - x)^2  +  w n_x / n_z sum of bottleneck losses,  x in [0, 1]
        --log-mse:          B n_x / 2 log(mean (x^ - x)^2)  +  w sum of bottleneck losses
        continuous latents: sum CE  +  KL

    The third is the objective of SQ-VAE (Takida et al. 2022), (n_x / 2) log(SSE / B) per image up to a constant; both
    of its terms are in nats. It is not a sum over images, so each micro-batch and each replica fits its own variance.
    """

    def __init__(self, task, bottleneck_weight: float, log_mse: bool):
        super().__init__(task)
        if bottleneck_weight < 0:
            raise UserError(f"--bottleneck-weight {bottleneck_weight} is not possible; valid: 0 or more")
        self.bottleneck_weight = bottleneck_weight
        self.log_mse = log_mse

    def check_model(self, model: ImageAutoencoder) -> None:
        """Raise UserError for a loss of squared errors and a model whose outputs are distributions."""
        if self.log_mse and model.config.output != "mse":
            raise UserError("--log-mse needs --output mse")

    def forward(self, model: ImageAutoencoder, sample: dict, reduce: bool = True):
        """Return (loss, number of sub-pixels, logging output), as fairseq expects."""
        images = sample["image"]
        output = model(images)
        dims = images.numel()
        log = {"nsentences": len(images), "ntokens": dims, "sample_size": dims}
        loss, weight = self._reconstruction(output, images, log)
        if output.kl is not None:
            loss = loss + output.kl
            log["kl"] = output.kl.detach()
        if output.latents is not None:
            loss = loss + weight * self._bottleneck(model, output, log)
            if not model.training:
                self._evaluate(model, output, images, log)
                if not model.bottleneck.started:
                    # Reconstructions are best without quantization; such a checkpoint must not become checkpoint_best.
                    loss = torch.full_like(loss, math.inf)
        log["loss"] = loss.detach()
        return loss, dims, log

    def _reconstruction(self, output: ImageOutput, images: Tensor, log: dict) -> tuple[Tensor, float]:
        """The reconstruction loss, summed over sub-pixels, and the weight of the bottleneck's losses."""
        per_code = images.numel() / output.latents.codes.numel() if output.latents is not None else 1.0
        error = squared_error(output.reconstruction, images).sum()
        log["squared_error"] = error.detach()
        if output.reconstruction.dim() == 5:
            loss = pixel_nats(output.reconstruction, images).sum()
            log["pixel_nats"] = loss.detach()
            return loss, self.bottleneck_weight * per_code
        if self.log_mse:
            return images.numel() / 2 * (error / images.numel()).log(), self.bottleneck_weight
        return error, self.bottleneck_weight * per_code

    @staticmethod
    def _bottleneck(model: ImageAutoencoder, output: ImageOutput, log: dict) -> Tensor:
        latents = output.latents
        log["nlatents"] = latents.codes.numel()
        log["code_limit"] = model.bottleneck.num_codes * len(latents.codes)  # K for each image, for the mean
        log["codebooks"] = model.config.codebooks * len(latents.codes)
        for name, (loss, _) in latents.losses.items():
            log[f"{name}_loss"] = loss.detach()
        if model.bottleneck.started:
            log["_code_counts"] = latents.code_counts
            log["batches"] = 1
            log["ppl_hard"] = perplexity(latents.code_counts) / model.config.codebooks
        return sum(loss for loss, _ in latents.losses.values())

    @staticmethod
    @torch.no_grad()
    def _evaluate(model: ImageAutoencoder, output: ImageOutput, images: Tensor, log: dict) -> None:
        """Figures of validation only: the soft perplexity, and bits per sub-pixel with codes drawn as in training."""
        if not model.bottleneck.started:
            return
        z = output.z  # (B, T, D)
        mask = model.real(len(z), z.device)
        soft = model.bottleneck.mean_posterior(z, mask)  # (n K,)
        log["ppl_soft"] = log["ppl_hard"] if soft is None else perplexity(soft) / model.config.codebooks
        if output.reconstruction.dim() != 5:
            return
        log["pixel_nats_soft"] = log["pixel_nats"]
        if draws(model.bottleneck):
            with as_in_training(model.bottleneck):
                read = model.bottleneck(z, mask).quantized
            log["pixel_nats_soft"] = pixel_nats(model.decode(read), images).sum()

    @staticmethod
    def reduce_metrics(logging_outputs) -> None:
        """Per sub-pixel: loss, bits, squared error x 10^-3; per batch and per subset: codebook usage.

        ``ppl_hard`` and ``ppl_soft`` are exp H of the batch's mean one-hot code and mean posterior, averaged over
        batches (Yan et al. 2024); ``code_ppl`` and ``code_use`` are over the whole subset. ``bpd`` bounds the total
        code length of continuous latents, ``bpd_uniform_prior`` that of codes at log2 K bits each, which a learned
        prior improves. ``pixel_bits_soft`` decodes what the decoder reads in training, for soft EM the mean of m
        codes, and is therefore not a code length.
        """

        def total(key):
            return sum(log.get(key, 0) for log in logging_outputs)

        dims, codes, images = total("ntokens"), total("nlatents"), total("nsentences")
        metrics.log_scalar("loss", total("loss") / dims, dims, priority=10, round=5)
        metrics.log_scalar("mse_e3", 1000 * total("squared_error") / dims, dims, priority=20, round=4)
        if any("pixel_nats" in log for log in logging_outputs):
            pixels = total("pixel_nats") / dims / BITS
            metrics.log_scalar("pixel_bits", pixels, dims, priority=30, round=4)
            if any("pixel_nats_soft" in log for log in logging_outputs):
                metrics.log_scalar("pixel_bits_soft", total("pixel_nats_soft") / dims / BITS, dims, 31, round=4)
            if any("kl" in log for log in logging_outputs):
                metrics.log_scalar("bpd", pixels + total("kl") / dims / BITS, dims, priority=32, round=4)
            if codes:
                uniform = math.log2(total("code_limit") / images) * codes / dims
                metrics.log_scalar("bpd_uniform_prior", pixels + uniform, dims, priority=33, round=4)
        for key in {key for log in logging_outputs for key in log if key.endswith("_loss")}:
            metrics.log_scalar(key, total(key) / codes, codes, priority=70, round=5)
        batches = total("batches")
        for key in ("ppl_hard", "ppl_soft"):
            if any(key in log for log in logging_outputs):
                metrics.log_scalar(key, total(key) / batches, batches, priority=40, round=2)
        log_code_usage(logging_outputs, 80, round(total("codebooks") / images) if codes else 1)

    @staticmethod
    def logging_outputs_can_be_summed() -> bool:
        return True

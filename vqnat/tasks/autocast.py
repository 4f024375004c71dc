"""``--autocast``: mixed precision in training, on processors with bfloat16 instructions."""

import logging
from contextlib import ExitStack
from dataclasses import dataclass, field

import torch
from fairseq.dataclass import FairseqDataclass
from torch.nn.attention import SDPBackend, sdpa_kernel

from vqnat.errors import UserError

logger = logging.getLogger(__name__)

CHOICES = ("none", "auto", "bf16")


def multiplies_bfloat16(device: torch.device | str) -> bool:
    """Whether the device multiplies bfloat16 matrices faster than fp32 ones.

    torch also multiplies them on CPUs without such instructions, but slowly: with AVX2 only, matrix products of 1,500
    rows in a `_tiny` model take 8 to 14 times as long as in fp32.
    """
    device = torch.device(device)
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return False
    if torch.backends.cpu.get_cpu_capability() == "DEFAULT" or not hasattr(torch.cpu, "_is_avx512_bf16_supported"):
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())  # no x86 processor, or torch cannot say more
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


@dataclass
class AutocastConfig(FairseqDataclass):
    """The option of :class:`Autocast`."""

    autocast: str = field(
        default="none",
        metadata={
            "help": "bf16: run the forward pass of training in bfloat16 where that is safe (torch.autocast), with "
            "weights, optimizer and codebook in fp32; takes about half the time on processors with bfloat16 "
            "instructions and many times as long on CPUs without. auto: bf16 if there are such instructions, else "
            "none. none: off. (fairseq's own --bf16 is for TPUs.)"
        },
    )


class Autocast:
    """Mixed precision in training that works on a CPU too."""

    def build_model(self, cfg, from_checkpoint=False):
        """As fairseq's, after checking ``--autocast``."""
        if self.cfg.autocast not in CHOICES:
            raise UserError(f"--autocast {self.cfg.autocast} is not possible; valid: {', '.join(CHOICES)}")
        return super().build_model(cfg, from_checkpoint)

    def train_step(self, sample, model, criterion, optimizer, update_num, ignore_grad=False):
        """As fairseq's, its forward pass in the precision of ``--autocast``."""
        device = next(model.parameters()).device.type
        loss = criterion
        if self._in_bfloat16(device):

            def loss(*inputs):
                with ExitStack() as stack:
                    stack.enter_context(torch.autocast(device, torch.bfloat16))
                    if device == "cpu":
                        # The backward pass of the CPU's fused attention is many times slower in bfloat16 than in
                        # fp32; for sentences it would take longer than everything else.
                        stack.enter_context(sdpa_kernel(SDPBackend.MATH))
                    return criterion(*inputs)

        return super().train_step(sample, model, loss, optimizer, update_num, ignore_grad)

    def _in_bfloat16(self, device: str) -> bool:
        """Whether ``--autocast`` means bfloat16 on this device; logged once."""
        chosen = getattr(self, "_bfloat16", None)
        if chosen is None:
            fast = multiplies_bfloat16(device)
            chosen = self._bfloat16 = self.cfg.autocast == "bf16" or (self.cfg.autocast == "auto" and fast)
            if self.cfg.autocast == "auto":
                logger.info("--autocast auto: training in %s", "bfloat16" if chosen else "fp32")
            elif chosen and not fast:
                logger.warning(
                    "--autocast bf16: this %s has no bfloat16 instructions, training is slower than in fp32; "
                    "--autocast auto uses bfloat16 only where it is faster",
                    device.upper(),
                )
        return chosen

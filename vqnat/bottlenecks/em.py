"""What hard and soft EM share: flattening, the EMA codebook, commitment, the record."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vqnat.bottlenecks.assignment import nearest
from vqnat.bottlenecks.codebook import CodebookConfig, EMACodebook
from vqnat.bottlenecks.estimator import straight_through
from vqnat.bottlenecks.record import BottleneckOutput


class EMBottleneck(nn.Module):
    """Vector quantisation trained by expectation maximisation (Roy et al. 2018, sections 2 and 3).

    A subclass says which codes the E step assigns in training. In evaluation every bottleneck takes the nearest
    code, so its output is deterministic.
    """

    def __init__(self, config: CodebookConfig, dim: int):
        super().__init__()
        self.config = config
        self.codebook = EMACodebook(config, dim)
        self.accumulating = True  # the task switches it off for dummy batches

    @property
    def num_codes(self) -> int:
        """K."""
        return len(self.codebook)

    @property
    def started(self) -> bool:
        """False while the codebook waits for its start: codes mean nothing and `quantized` is z itself."""
        return self.codebook.started

    def assign(self, z: Tensor) -> Tensor:
        """The E step in training: codes (N, m) of z (N, D)."""
        raise NotImplementedError

    def forward(self, z: Tensor, mask: Tensor) -> BottleneckOutput:
        """Quantise z (B, T, D); mask (B, T) is True at real positions. See :class:`BottleneckOutput`."""
        batch, length, dim = z.shape
        flat = z.reshape(-1, dim)  # (N, D), N = B T
        weights = mask.reshape(-1).to(torch.float32)  # (N,)
        with torch.no_grad(), torch.autocast(z.device.type, enabled=False):  # codes are decided in fp32
            detached = flat.detach().float()
            if not self.started:
                codes = torch.zeros(len(flat), 1, dtype=torch.long, device=z.device)
            elif self.training:
                codes = self.assign(detached)  # (N, m)
            else:
                codes = nearest(detached, self.codebook.embedding).unsqueeze(-1)
            codes = codes * mask.reshape(-1, 1)
            # Codes are read before this step's update: forward never changes the codebook.
            chosen = F.embedding_bag(codes, self.codebook.embedding, mode="mean")  # (N, D)
            if self.training and self.accumulating:
                self.codebook.accumulate(flat, codes, weights)
            counts = torch.zeros(self.num_codes, device=z.device)
            counts.index_add_(0, codes.reshape(-1), (weights / codes.shape[1]).repeat_interleave(codes.shape[1]))
        total = weights.sum()
        if self.started:
            error = (flat.float() - chosen).square().mean(-1)  # (N,)
            quantized = straight_through(flat, chosen.to(flat.dtype))
        else:
            error = flat.float().sum(-1) * 0
            quantized = flat
        quantized = (quantized * weights.unsqueeze(-1).to(flat.dtype)).view(batch, length, dim)
        return BottleneckOutput(
            quantized=quantized,
            codes=codes[:, 0].view(batch, length),
            samples=codes.view(batch, length, -1),
            losses={"commitment": ((error * weights).sum() * self.config.commitment, total)},
            code_counts=counts,
        )

    def embed(self, codes: Tensor) -> Tensor:
        """The vectors (B, T, D) of codes (B, T): what the decoder reads at inference."""
        return F.embedding(codes, self.codebook.embedding)

    def discard(self) -> None:
        """Forget what the forward passes accumulated since the last update."""
        self.codebook.discard()

    def apply_update(self) -> None:
        """The M step; the task calls it once per optimizer step, on every replica."""
        self.codebook.apply_update()

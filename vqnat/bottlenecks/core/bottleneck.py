"""The contract of every bottleneck, the record it returns, and the masking and counting that all of them share."""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from vqnat.bottlenecks.core.codebook import Codebook
from vqnat.bottlenecks.core.full_precision import full_precision


@dataclass
class BottleneckOutput:
    """The result of a bottleneck on ``z (B, T, D)`` with ``mask (B, T)``.

    Attributes:
        quantized: (B, T, D), what the decoder reads; carries the estimator's gradient; zero at pads.
        codes: (B, T) int64 in [0, K), one per position; 0 at pads.
        samples: (B, T, m) int64, the codes the latent predictor learns from (m = 1 when hard); 0 at pads.
        losses: name -> (sum over real positions, number of real positions), both scalar tensors.
        code_counts: (K,) float32, how often each code was assigned to a real position of this batch.
    """

    quantized: Tensor
    codes: Tensor
    samples: Tensor
    losses: dict[str, tuple[Tensor, Tensor]] = field(default_factory=dict)
    code_counts: Tensor | None = None


@dataclass
class Quantized:
    """What :meth:`Bottleneck.quantize` returns for N vectors, pads included.

    Attributes:
        vectors: (N, D) float32 with the estimator's gradient.
        codes: (N, m) int64.
        losses: name -> sum over real positions, already weighted, a scalar.
    """

    vectors: Tensor
    codes: Tensor
    losses: dict[str, Tensor] = field(default_factory=dict)


@full_precision
class Bottleneck(nn.Module):
    """From encoder vectors to codes and back.

    A subclass defines three methods: :meth:`quantize` (training and evaluation, with gradient and losses),
    :meth:`assign` (the code of a vector) and :meth:`embed` (the vector of a code). The first two see N flattened
    vectors in fp32. ``forward`` never changes the codebook: it accumulates, and :meth:`apply_update` applies once per
    optimizer step. In training a bottleneck may draw; in evaluation it is deterministic.

    Attributes:
        draws: trait of the class: in training the decoder reads a random draw or a mixture, not the assigned code.
        codebook: moving counts of the codes and, where there are any, the code vectors.
        accumulating: False for dummy batches; the task switches it.
        num_updates: optimizer steps so far; fairseq sets it before each micro-batch.
    """

    draws: bool = False

    def __init__(self, codebook: Codebook):
        super().__init__()
        self.codebook = codebook
        self.accumulating = True
        self.num_updates = 0

    @classmethod
    def own_defaults(cls) -> dict[str, float]:
        """This class's defaults of the options whose common default is None; ``--help`` lists them."""
        return {}

    @property
    def num_codes(self) -> int:
        """K."""
        return len(self.codebook)

    @property
    def started(self) -> bool:
        """False while the codebook waits for its start: codes mean nothing and `quantized` is z itself."""
        return self.codebook.started

    def prepare(self, z: Tensor) -> Tensor:
        """What is quantized instead of z (N, D) float32; the same shape."""
        return z

    def quantize(self, z: Tensor, weights: Tensor) -> Quantized:
        """Quantize prepared vectors.

        Args:
            z: (N, D) float32, N = B T.
            weights: (N,) float32, 1 at real positions, 0 at pads.

        A bottleneck that is open to a prior over codes takes (N, K) log-probabilities ``log_prior`` as well.
        """
        raise NotImplementedError

    def assign(self, z: Tensor) -> Tensor:
        """The codes (N,) that evaluation assigns to prepared vectors z (N, D) float32, once started."""
        raise NotImplementedError

    def embed(self, codes: Tensor) -> Tensor:
        """The vectors (B, T, D) of codes (B, T): what the decoder reads at inference."""
        raise NotImplementedError

    @torch.no_grad()
    def encode(self, z: Tensor, mask: Tensor | None = None) -> Tensor:
        """The codes (B, T) of z (B, T, D): those of ``forward`` in evaluation, without losses or any effect.

        Args:
            z: (B, T, D).
            mask: (B, T), True at real positions; default: all are real.

        Returns:
            (B, T) int64 in [0, K); 0 at pads, and everywhere before the codebook's start.
        """
        if not self.started:
            return torch.zeros(z.shape[:2], dtype=torch.long, device=z.device)
        with torch.autocast(z.device.type, enabled=False):
            codes = self.assign(self.prepare(z.flatten(0, 1).float())).view(z.shape[:2])
        return codes if mask is None else codes * mask

    def posterior(self, z: Tensor) -> Tensor | None:
        """q(c | z) (N, K) for prepared z (N, D) float32; None where a vector has one code with certainty."""
        return None

    @torch.no_grad()
    def mean_posterior(self, z: Tensor, mask: Tensor) -> Tensor | None:
        """The mean (K,) of :meth:`posterior` over the real positions of z (B, T, D), mask (B, T); None as there."""
        real = z[mask].float()  # (N, D)
        if not self.started or len(real) == 0:
            return None
        with torch.autocast(z.device.type, enabled=False):
            found = self.posterior(self.prepare(real))
        return None if found is None else found.mean(0)

    def forward(self, z: Tensor, mask: Tensor, log_prior: Tensor | None = None) -> BottleneckOutput:
        """Quantize z (B, T, D); mask (B, T) is True at real positions. See :class:`BottleneckOutput`.

        ``log_prior`` (B, T, K), where the bottleneck takes one, is added to the log-likelihood of each code.
        """
        batch, length, dim = z.shape
        weights = mask.reshape(-1).to(torch.float32)  # (N,), N = B T
        with torch.autocast(z.device.type, enabled=False):  # codes are decided in fp32
            prepared = self.prepare(z.reshape(-1, dim).float())  # (N, D)
            prior = {} if log_prior is None else {"log_prior": log_prior.flatten(0, 1).float()}  # (N, K)
            found = self.quantize(prepared, weights, **prior)
            vectors = (found.vectors * weights.unsqueeze(-1)).to(z.dtype)
        codes = found.codes * mask.reshape(-1, 1)  # (N, m)
        with torch.no_grad():
            # Until its start, a codebook collects vectors; codes that mean nothing are not counted.
            if self.training and self.accumulating and (self.started or not self.codebook.started):
                self.codebook.accumulate(prepared, codes, weights)
            counts = torch.zeros(self.num_codes, device=z.device)
            m = codes.shape[1]
            counts.index_add_(0, codes.reshape(-1), (weights / m).repeat_interleave(m))
        total = weights.sum()
        return BottleneckOutput(
            quantized=vectors.view(batch, length, dim),
            codes=codes[:, 0].view(batch, length),
            samples=codes.view(batch, length, m),
            losses={name: (loss, total) for name, loss in found.losses.items()},
            code_counts=counts,
        )

    def unstarted(self, z: Tensor, *losses: str) -> Quantized:
        """The result before the codebook's start: z itself, code 0, losses of 0.

        Every parameter keeps a gradient (of 0): data-parallel training waits for all of them.
        """
        nothing = z.sum() * 0
        for parameter in self.parameters():
            if parameter.requires_grad:
                nothing = nothing + parameter.float().sum() * 0
        codes = torch.zeros(len(z), 1, dtype=torch.long, device=z.device)
        return Quantized(z, codes, dict.fromkeys(losses, nothing))

    def set_num_updates(self, num_updates: int) -> None:
        """fairseq's hook: schedules are functions of this number alone."""
        self.num_updates = num_updates

    def discard(self) -> None:
        """Forget what the forward passes accumulated since the last update."""
        self.codebook.discard()

    def apply_update(self) -> None:
        """The codebook's own step; the task calls it once per optimizer step, on every replica."""
        self.codebook.apply_update()

    def usage(self) -> dict[str, Tensor]:
        """Perplexity (in codes) and share in use of the moving counts, by the names they are logged under."""
        return {"code_ppl": self.codebook.perplexity(), "code_use": self.codebook.share_in_use()}

    def scalars(self) -> dict[str, float]:
        """Temperatures and weights of this update, by the names they are logged under."""
        return {}

"""What a bottleneck returns."""

from dataclasses import dataclass, field

from torch import Tensor


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

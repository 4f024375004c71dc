"""From code vectors to all target words at once."""

from collections.abc import Callable

from torch import Tensor, nn

from vqnat.kernels.dropout import dropout
from vqnat.models.source_encoder import EncodedSource
from vqnat.modules.expander import Expander
from vqnat.modules.transformer import SinusoidalPositions, StackShape, TransformerStack, attention_mask
from vqnat.output_layers.upsample import Upsample


class ParallelDecoder(nn.Module):
    """Transposed convolutions, then Transformer layers in which every position reads every other.

    With an ``upsample`` factor above 1 each expanded position is repeated that many times before the layers.
    """

    __call__: Callable[..., Tensor]

    def __init__(self, shape: StackShape, steps: int, max_positions: int, upsample: float = 1.0):
        super().__init__()
        self.steps = steps
        self.upsample = Upsample(upsample)
        self.expander = Expander(shape.dim, steps, shape.dropout)
        self.positions = SinusoidalPositions(self.upsample.length(max_positions), shape.dim)
        self.stack = TransformerStack(shape, reads_source=True)

    def real_positions(self, real: Tensor) -> Tensor:
        """(B, T) True at real codes -> (B, L) True at their positions."""
        return self.upsample(real.repeat_interleave(2**self.steps, 1))

    def forward(self, vectors: Tensor, real: Tensor, source: EncodedSource) -> Tensor:
        """Expand the codes, then let every position read every other and the source.

        Args:
            vectors: (B, T, D) code vectors.
            real: (B, T) True at real codes.
            source: the encoded source.

        Returns:
            (B, L, D), one vector for each position of the output layer, L = upsample * 2^nc T.
        """
        x = self.upsample(self.expander(vectors, real))  # (B, L, D)
        x = x + self.positions(0, x.shape[1])
        x = dropout(x, self.stack.shape.dropout, self.training)
        mask = attention_mask(self.real_positions(real))
        return self.stack(x, mask, self.stack.project_source(source.vectors), source.mask)

"""From code vectors to all target words at once."""

from torch import Tensor, nn

from vqnat.models.source_encoder import EncodedSource
from vqnat.modules.dropout import dropout
from vqnat.modules.expander import Expander
from vqnat.modules.transformer import SinusoidalPositions, StackShape, TransformerStack, attend_mask


class ParallelDecoder(nn.Module):
    """Transposed convolutions, then Transformer layers in which every position reads every other."""

    def __init__(self, shape: StackShape, steps: int, max_positions: int):
        super().__init__()
        self.steps = steps
        self.expander = Expander(shape.dim, steps, shape.dropout)
        self.positions = SinusoidalPositions(max_positions, shape.dim)
        self.stack = TransformerStack(shape, reads_source=True)

    def forward(self, vectors: Tensor, real: Tensor, source: EncodedSource) -> Tensor:
        """
        Args:
            vectors: (B, T, D) code vectors.
            real: (B, T) True at real codes.
            source: the encoded source.

        Returns:
            (B, 2^nc T, D), one vector for each target position, for the output layer.
        """
        x = self.expander(vectors, real)  # (B, 2^nc T, D)
        x = x + self.positions(0, x.shape[1])
        x = dropout(x, self.stack.shape.dropout, self.training)
        attend = attend_mask(real.repeat_interleave(2**self.steps, 1))
        return self.stack(x, attend, self.stack.project_source(source.vectors), source.attend)

"""From copies of the encoded source to all target words at once."""

from collections.abc import Callable

from torch import Tensor, nn

from vqnat.kernels.dropout import dropout
from vqnat.models.source_encoder import EncodedSource
from vqnat.modules.transformer import SinusoidalPositions, StackShape, TransformerStack, attention_mask
from vqnat.output_layers.upsample import Upsample


class SourceCopyDecoder(nn.Module):
    """Uniform copies of the encoded source, then Transformer layers in which every position reads every other.

    Position j of the decoder begins as the encoder's output at source token floor(j / upsample) (Gu et al. 2018,
    section 3.1; Gu and Kong 2021), plus its own position, which tells copies apart.
    """

    __call__: Callable[..., Tensor]

    def __init__(self, shape: StackShape, max_source_positions: int, upsample: float):
        super().__init__()
        self.upsample = Upsample(upsample)
        self.positions = SinusoidalPositions(self.upsample.length(max_source_positions), shape.dim)
        self.stack = TransformerStack(shape, reads_source=True)

    def begin(self, source: EncodedSource, real: Tensor) -> tuple[Tensor, Tensor]:
        """What the decoder reads (B, L, D) and its real positions (B, L), from real source tokens (B, S).

        Padding may be on either side of the source.
        """
        first = real.int().argmax(1, keepdim=True)  # (B, 1)
        copied = self.upsample.index(real.shape[1], real.device)  # (L,)
        inside = copied < real.sum(1, keepdim=True)  # (B, L)
        place = (copied + first).clamp(max=real.shape[1] - 1)  # (B, L)
        return source.vectors.gather(1, place.unsqueeze(-1).expand(-1, -1, source.vectors.shape[-1])), inside

    def forward(self, x: Tensor, real: Tensor, source: EncodedSource) -> Tensor:
        """From :meth:`begin` to (B, L, D), one vector for each position of the output layer."""
        x = x + self.positions(0, x.shape[1])
        x = dropout(x, self.stack.shape.dropout, self.training)
        return self.stack(x, attention_mask(real), self.stack.project_source(source.vectors), source.mask)

"""The source sentence as vectors."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from vqnat.kernels.dropout import dropout
from vqnat.modules.transformer import SinusoidalPositions, StackShape, TransformerStack, attention_mask


@dataclass
class EncodedSource:
    """Encoded source sentences.

    Attributes:
        vectors: (B, S, D).
        mask: padding mask of attention (B, 1, 1, S), True at real positions; None when all are real.
    """

    vectors: Tensor
    mask: Tensor | None

    def repeat(self, times: int) -> "EncodedSource":
        """Each sentence ``times`` times in a row: (B * times, S, D)."""
        if times == 1:
            return self
        mask = None if self.mask is None else self.mask.repeat_interleave(times, 0)
        return EncodedSource(self.vectors.repeat_interleave(times, 0), mask)


class SourceEncoder(nn.Module):
    """Token and position embeddings, then Transformer layers."""

    __call__: Callable[..., EncodedSource]

    def __init__(self, shape: StackShape, embedding: nn.Embedding, max_positions: int):
        super().__init__()
        self.embedding = embedding
        # fairseq counts positions from padding_idx + 1; so its trained encoders can be loaded here.
        self.first_position = embedding.padding_idx + 1
        self.positions = SinusoidalPositions(max_positions + 1 + self.first_position, shape.dim)
        self.stack = TransformerStack(shape, reads_source=False)

    def forward(self, tokens: Tensor) -> EncodedSource:
        """Encode tokens (B, S), padded on either side."""
        real = tokens.ne(self.embedding.padding_idx)  # (B, S)
        # Positions count real tokens only: left padding must not shift them.
        index = real.long().cumsum(1).add_(self.first_position - 1)  # (B, S)
        shape = self.stack.shape
        x = self.embedding(tokens) * shape.dim**0.5 + self.positions.table[index]  # (B, S, D)
        x = dropout(x, shape.dropout, self.training)
        mask = attention_mask(real)
        return EncodedSource(self.stack(x, mask), mask)

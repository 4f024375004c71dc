"""The target sentence as a short sequence of vectors: used in training only."""

from collections.abc import Callable

from torch import Tensor, nn

from vqnat.kernels.dropout import dropout
from vqnat.models.source_encoder import EncodedSource
from vqnat.modules.attention import CrossAttention
from vqnat.modules.compressor import Compressor
from vqnat.modules.transformer import StackShape


class TargetEncoder(nn.Module):
    """Token embeddings -> strided convolutions -> (optional) attention to the source."""

    __call__: Callable[..., Tensor]

    def __init__(self, shape: StackShape, embedding: nn.Embedding, steps: int, attends_source: bool):
        super().__init__()
        self.shape = shape
        self.embedding = embedding
        self.compressor = Compressor(shape.dim, steps, shape.dropout)
        self.attends_source = attends_source
        if attends_source:
            self.norm = nn.LayerNorm(shape.dim)
            self.attention = CrossAttention(shape.dim, shape.heads, shape.attention_dropout)

    def forward(self, tokens: Tensor, source: EncodedSource) -> Tensor:
        """tokens (B, T), T a multiple of 2^nc, padded on the right -> (B, T / 2^nc, D)."""
        real = tokens.ne(self.embedding.padding_idx)  # (B, T)
        x = self.embedding(tokens) * self.shape.dim**0.5  # (B, T, D); zero at padding
        x = dropout(x, self.shape.dropout, self.training)
        x = self.compressor(x, real)  # (B, T / 2^nc, D)
        if self.attends_source:
            keys = self.attention.project(source.vectors)
            x = x + self.attention(self.norm(x), keys, source.mask)
        return x

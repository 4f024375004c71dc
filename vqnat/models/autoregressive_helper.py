"""A small autoregressive decoder on the shared source encoder: a second task in training, a judge in decoding."""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from vqnat.kernels.dropout import dropout
from vqnat.models.source_encoder import EncodedSource
from vqnat.modules.transformer import SinusoidalPositions, StackShape, TransformerStack


class AutoregressiveHelper(nn.Module):
    """Predicts each target word from those before it (Hao et al. 2021, arXiv:2010.12868, multi-task NAT).

    Its gradient teaches the source encoder what an autoregressive model needs to know about a source. In decoding it
    can choose among the candidates of a beam of codes (``--rescore-with helper``); it needs no encoder of its own.

    Args:
        shape: of its Transformer.
        embedding: of target words, shared with the target encoder.
        max_positions: the longest target.
    """

    __call__: Callable[..., Tensor]

    def __init__(self, shape: StackShape, embedding: nn.Embedding, max_positions: int):
        super().__init__()
        self.embedding = embedding
        self.positions = SinusoidalPositions(max_positions, shape.dim)
        self.stack = TransformerStack(shape, reads_source=True)

    def forward(self, target: Tensor, end: int, source: EncodedSource) -> Tensor:
        """Training: every position from the true words before it (teacher forcing).

        Args:
            target: (B, T), end of sentence included, padded on the right.
            end: index of the end of sentence, which is read before the first word.
            source: the encoded source, B sentences.

        Returns:
            (B, T, D); for the output layer, position t predicts word t from those before it.
        """
        before = F.pad(target[:, :-1], (1, 0), value=end)  # (B, T)
        shape = self.stack.shape
        x = self.embedding(before) * shape.dim**0.5 + self.positions(0, target.shape[1])  # (B, T, D)
        x = dropout(x, shape.dropout, self.training)
        return self.stack(x, None, self.stack.project_source(source.vectors), source.mask, causal=True)

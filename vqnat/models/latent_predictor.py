"""The autoregressive model of the codes, given the source."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vqnat.models.source_encoder import EncodedSource
from vqnat.modules.dropout import dropout
from vqnat.modules.linear import Linear
from vqnat.modules.transformer import SinusoidalPositions, StackShape, TransformerStack


@dataclass
class PredictorState:
    """What decoding keeps between steps: caches (layers, 2, B, H, length, D / H) and the projected source."""

    cache: Tensor
    source: list[Tensor]
    attend_source: Tensor | None

    def reorder(self, rows: Tensor) -> None:
        """Row i of the batch becomes what row ``rows[i]`` was; rows of one sentence stay in that sentence."""
        self.cache = self.cache.index_select(2, rows)


class LatentPredictor(nn.Module):
    """A causal Transformer over code vectors that attends to the source.

    Its classes are the K codes and, at index K, the end of the sequence. It reads the bottleneck's code vectors
    (in soft EM's training the mean of the samples, as in the original), without passing a gradient to them.
    """

    def __init__(self, shape: StackShape, num_codes: int, max_codes: int):
        super().__init__()
        self.end = num_codes
        self.max_codes = max_codes
        self.start = nn.Parameter(torch.randn(shape.dim) * shape.dim**-0.5)
        self.input_norm = nn.LayerNorm(shape.dim)
        self.input_proj = Linear(shape.dim, shape.dim)
        self.positions = SinusoidalPositions(max_codes + 1, shape.dim)
        self.stack = TransformerStack(shape, reads_source=True)
        self.output_proj = Linear(shape.dim, num_codes + 1)
        nn.init.normal_(self.output_proj.weight, std=shape.dim**-0.5)
        nn.init.zeros_(self.output_proj.bias)

    def forward(self, vectors: Tensor, source: EncodedSource) -> Tensor:
        """Teacher forcing.

        Args:
            vectors: (B, T, D) the vectors of the codes.
            source: the encoded source.

        Returns:
            (B, T + 1, K + 1) logits; position t predicts code t from those before it.
        """
        x = self.input_proj(self.input_norm(vectors.detach()))  # (B, T, D)
        x = torch.cat([self.start.expand(len(x), 1, -1), x], 1)  # (B, T + 1, D)
        x = x + self.positions(0, x.shape[1])
        x = dropout(x, self.stack.shape.dropout, self.training)
        x = self.stack(x, None, self.stack.project_source(source.vectors), source.attend, causal=True)
        return self.output_proj(x)

    def begin(self, source: EncodedSource, beam: int, length: int) -> PredictorState:
        """State for ``beam`` sequences a sentence of at most ``length`` codes and the end."""
        projected = self.stack.project_source(source.vectors)  # once a sentence, not once a beam
        if beam > 1:
            projected = [layer.repeat_interleave(beam, 1) for layer in projected]
        repeated = source.repeat(beam)
        cache = self.stack.new_cache(len(repeated.vectors), length + 1, source.vectors)
        return PredictorState(cache, projected, repeated.attend)

    def step(self, vectors: Tensor | None, position: int, state: PredictorState) -> Tensor:
        """Logits (B, K + 1) of the code at ``position``.

        Args:
            vectors: (B, D) the vectors of the codes at ``position - 1``; None at position 0.
            position: index of the code to predict.
            state: from :meth:`begin`; its caches are advanced.
        """
        if vectors is None:
            x = self.start.expand(state.cache.shape[2], 1, -1)
        else:
            x = self.input_proj(self.input_norm(vectors)).unsqueeze(1)  # (B, 1, D)
        x = x + self.positions(position, 1)
        x = self.stack.step(x, state.cache, position, state.source, state.attend_source)
        return self.output_proj(x[:, 0])

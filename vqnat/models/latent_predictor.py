"""The autoregressive model of the codes, given the source."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vqnat.bottlenecks import Bottleneck
from vqnat.kernels.dropout import dropout
from vqnat.kernels.linear import Linear
from vqnat.models.code_training import code_table
from vqnat.models.source_encoder import EncodedSource
from vqnat.modules.attention import Projected
from vqnat.modules.key_value_cache import StackCache
from vqnat.modules.transformer import SinusoidalPositions, StackShape, TransformerStack


@dataclass
class PredictorState:
    """What decoding keeps between steps: keys and values of the codes so far, and the projected source."""

    cache: StackCache
    source: list[Projected]
    source_mask: Tensor | None

    def reorder(self, rows: Tensor) -> None:
        """Row i of the batch becomes what row ``rows[i]`` was; rows of one sentence stay in that sentence."""
        self.cache.reorder(rows)


class TiedOutput(nn.Module):
    """Logits of the codes from their vectors, so that similar codes are learned together (Press & Wolf 2017).

    logit_j = h . LayerNorm(e_j) / sqrt(D) + b_j,   and one more output for the end of the sequence
    """

    def __init__(self, dim: int, bottleneck: Bottleneck):
        super().__init__()
        self.proj = Linear(dim, dim + 1)
        self.bias = nn.Parameter(torch.zeros(bottleneck.num_codes))
        self._bottleneck = [bottleneck]  # its vectors are read, its parameters are not this module's

    def forward(self, x: Tensor) -> Tensor:
        """x (..., D) -> logits (..., K + 1)."""
        hidden = self.proj(x)  # (..., D + 1)
        return torch.cat([F.linear(hidden[..., :-1], self.table(hidden)) + self.bias, hidden[..., -1:]], -1)

    def table(self, like: Tensor) -> Tensor:
        """LayerNorm(e_j) / sqrt(D) of all codes (K, D), of the type and device of ``like``."""
        table = code_table(self._bottleneck[0])
        return (F.layer_norm(table, table.shape[-1:]) * table.shape[-1] ** -0.5).to(like)


class LatentPredictor(nn.Module):
    """A causal Transformer over code vectors that attends to the source.

    Its classes are the K codes and, at index K, the end of the sequence. It reads the bottleneck's code vectors
    (in soft EM's training the mean of the samples, as in the original), without passing a gradient to them.

    Args:
        shape: of the Transformer.
        bottleneck: whose codes it predicts.
        max_codes: the most codes of a sentence.
        tied: logits from the codes' vectors, see :class:`TiedOutput`.
    """

    def __init__(self, shape: StackShape, bottleneck: Bottleneck, max_codes: int, tied: bool = False):
        super().__init__()
        num_codes = bottleneck.num_codes
        self.end = num_codes
        self.max_codes = max_codes
        self.start = nn.Parameter(torch.randn(shape.dim) * shape.dim**-0.5)
        self.input_norm = nn.LayerNorm(shape.dim)
        self.input_proj = Linear(shape.dim, shape.dim)
        self.positions = SinusoidalPositions(max_codes + 1, shape.dim)
        self.stack = TransformerStack(shape, reads_source=True)
        self.output_proj = TiedOutput(shape.dim, bottleneck) if tied else Linear(shape.dim, num_codes + 1)
        if not tied:
            nn.init.normal_(self.output_proj.weight, std=shape.dim**-0.5)
            nn.init.zeros_(self.output_proj.bias)

    def forward(self, vectors: Tensor, source: EncodedSource) -> Tensor:
        """Training: every position from the true codes before it (teacher forcing).

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
        x = self.stack(x, None, self.stack.project_source(source.vectors), source.mask, causal=True)
        return self.output_proj(x)

    def begin(self, source: EncodedSource, beam: int, length: int) -> PredictorState:
        """State for ``beam`` sequences per sentence of at most ``length`` codes and the end."""
        projected = self.stack.project_source(source.vectors)  # once per sentence, not once per candidate
        if beam > 1:
            projected = [(key.repeat_interleave(beam, 0), value.repeat_interleave(beam, 0)) for key, value in projected]
        repeated = source.repeat(beam)
        cache = self.stack.new_cache(len(repeated.vectors), length + 1, source.vectors)
        return PredictorState(cache, projected, repeated.mask)

    def step(self, vectors: Tensor | None, position: int, state: PredictorState) -> Tensor:
        """Logits (B, K + 1) of the code at ``position``.

        Args:
            vectors: (B, D) the vectors of the codes at ``position - 1``; None at position 0.
            position: index of the code to predict.
            state: from :meth:`begin`; this position is written into its cache.
        """
        if vectors is None:
            x = self.start.expand(state.cache.batch, 1, -1)
        else:
            x = self.input_proj(self.input_norm(vectors)).unsqueeze(1)  # (B, 1, D)
        x = x + self.positions(position, 1)
        x = self.stack(x, None, state.source, state.source_mask, causal=True, caches=state.cache.at(position))
        return self.output_proj(x[:, 0])

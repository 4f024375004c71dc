"""The parts of a model as functions of tensors alone, ready for export.

Padding reaches no real position in any of them: it is masked wherever positions are mixed.
"""

import torch
from torch import Tensor, nn

from vqnat.export.search_turns import BeamTurn, GreedyTurn, Predictor
from vqnat.models.code_training import code_table
from vqnat.models.latent_transformer import LatentTransformer
from vqnat.models.parallel_transformer import ParallelTransformer
from vqnat.models.source_encoder import EncodedSource
from vqnat_serving.description import PREDICTOR

BLOCK = 64  # columns of the output projection whose largest value is found at once


class Encoder(nn.Module):
    """The source encoder, and the keys and values of the source for the predictor."""

    def __init__(self, model: LatentTransformer):
        super().__init__()
        self.encoder, self.stack = model.encoder, model.predictor.stack

    def forward(self, tokens: Tensor) -> tuple[Tensor, ...]:
        """tokens (B, S) -> vectors (B, S, D), keys and values (B, H, S, D / H) of each of the predictor's layers."""
        vectors = self.encoder(tokens).vectors
        return vectors, *(part for layer in self.stack.project_source(vectors) for part in layer)


class _Words(nn.Module):
    """Features to words.

    Forbidden words have no column in the output projection; a few others have two, so that the number of columns P is a
    multiple of :data:`BLOCK`.

    Args:
        model: has ``output_proj`` and ``output_layer``.
        forbidden: words that are never written.
    """

    def __init__(self, model: nn.Module, forbidden: list[int]):
        super().__init__()
        self.output_layer = model.output_layer
        weight = model.output_proj.weight.detach()  # (V, D)
        written = [word for word in range(len(weight)) if word not in forbidden]
        self.size = len(written)
        words = torch.tensor(written + written[:1] * (-self.size % BLOCK))  # (P,)
        self.register_buffer("vocabulary", words)
        self.output_proj, self.other_proj = _linear(weight[words]), _linear(weight[forbidden])
        penalty = torch.zeros(len(weight))
        for symbol, value in self.output_layer.penalties.items():
            penalty[symbol] = value
        self.register_buffer("penalty", penalty[words] if penalty.any() else None)

    def words(self, features: Tensor, real: Tensor, scored: Tensor) -> tuple[Tensor, ...]:
        """The best words (B, L), their log-probabilities, and what else the output layer's search needs.

        Without ``scored``, a bool, log-probabilities are zeros.
        """
        logits = self.output_proj(features)  # (B, L, P)
        place = _argmax(logits if self.penalty is None else logits - self.penalty)  # (B, L)

        def scores(logits: Tensor, features: Tensor, place: Tensor) -> Tensor:
            # A forbidden word keeps its share of the probability, as in WordGenerator.
            whole = torch.cat([logits[..., : self.size], self.other_proj(features)], -1)  # (B, L, V)
            place = torch.where(place < self.size, place, 0)
            found = whole.log_softmax(-1).gather(-1, place.unsqueeze(-1)).squeeze(-1)
            return (found if self.penalty is None else found - self.penalty[place]).flatten()

        def zeros(logits: Tensor, features: Tensor, place: Tensor) -> Tensor:
            return torch.zeros_like(place, dtype=logits.dtype).flatten()

        if self.output_layer.graph_outputs:  # its search reads them
            found = scores(logits, features, place)
        else:
            found = torch.cond(scored, scores, zeros, (logits, features, place))
        found = found.view(place.shape)  # flat inside: torch.cond cannot compare the strides of some sizes
        return self.vocabulary[place], found, *self.output_layer.graph(features, real, found)


class Decoder(_Words):
    """Codes to words: expander, parallel decoder, output layer."""

    def __init__(self, model: LatentTransformer, forbidden: list[int]):
        super().__init__(model, forbidden)
        self.register_buffer("vectors", code_table(model.bottleneck))  # (K, D)
        self.decoder = model.decoder

    def forward(
        self,
        codes: Tensor,
        expected: list[Tensor],
        real: Tensor,
        vectors: Tensor,
        source_real: Tensor,
        scored: Tensor,
    ) -> tuple[Tensor, ...]:
        """The words of a batch of code sequences.

        Args:
            codes: (B, T).
            expected: of a model whose decoder reads expectations, these (B, T, D), and () bool, whether to read them
                and not the codes; otherwise nothing.
            real: (B, T) True at real codes.
            vectors: (B, S, D) from the encoder.
            source_real: (B, S) True at real source positions.
            scored: () bool, whether log-probabilities are wanted.

        Returns:
            words (B, L), their log-probabilities, and more as :meth:`OutputLayer.graph` says.
        """
        source = EncodedSource(vectors, source_real[:, None, None, :])
        read = self.vectors[codes]  # (B, T, D)
        if expected:
            read = torch.where(expected[1], expected[0], read)
        features = self.decoder(read, real, source)
        return self.words(features, self.decoder.real_positions(real), scored)


class SourceVectors(nn.Module):
    """The source encoder of a parallel transformer."""

    def __init__(self, model: ParallelTransformer):
        super().__init__()
        self.encoder = model.encoder

    def forward(self, tokens: Tensor) -> tuple[Tensor]:
        """tokens (B, S) -> vectors (B, S, D)."""
        return (self.encoder(tokens).vectors,)


class SourceDecoder(_Words):
    """Source vectors to words, for a parallel transformer."""

    def __init__(self, model: ParallelTransformer, forbidden: list[int]):
        super().__init__(model, forbidden)
        self.decoder = model.decoder

    def forward(self, vectors: Tensor, source_real: Tensor, scored: Tensor) -> tuple[Tensor, ...]:
        """vectors (B, S, D), source_real (B, S), scored () -> as of :class:`Decoder`."""
        source = EncodedSource(vectors, source_real[:, None, None, :])
        x, real = self.decoder.begin(source, source_real)
        return self.words(self.decoder(x, real, source), real, scored)


def graphs_of(model: nn.Module, forbidden: list[int]) -> dict[str, nn.Module]:
    """Every part of a model, by name; for a search, one turn."""
    if isinstance(model, ParallelTransformer):
        return {"encoder": SourceVectors(model), "decoder": SourceDecoder(model, forbidden)}
    vectors = code_table(model.bottleneck)
    turns = {"greedy": GreedyTurn(model, vectors), "beam": BeamTurn(model, vectors)}
    predictor = {PREDICTOR: Predictor(model, vectors)}
    return {"encoder": Encoder(model), **turns, "decoder": Decoder(model, forbidden), **predictor}


def _linear(weight: Tensor) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    layer.weight = nn.Parameter(weight.clone(), requires_grad=False)
    return layer


def _argmax(x: Tensor) -> Tensor:
    """(B, L, P), P a multiple of BLOCK -> (B, L), the first place of the largest value.

    onnxruntime's ArgMax compares one value at a time, its maximum many at once; so the block is found first.
    """
    blocks = x.reshape(-1, x.shape[-1] // BLOCK, BLOCK)  # (N, P / BLOCK, BLOCK)
    block = blocks.amax(-1).argmax(-1)  # (N,)
    row = torch.arange(blocks.shape[0]) * blocks.shape[1] + block
    place = block * BLOCK + blocks.reshape(-1, BLOCK)[row].argmax(-1)
    return place.view(x.shape[:-1])

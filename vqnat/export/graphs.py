"""The parts of a model as functions of tensors alone, ready for export.

Pads reach no real position in any of them: they are masked wherever positions are mixed.
"""

import torch
from torch import Tensor, nn

from vqnat.models.latent_transformer import LatentTransformer
from vqnat.models.parallel_transformer import ParallelTransformer
from vqnat.models.source_encoder import EncodedSource


class Encoder(nn.Module):
    """The source encoder, and the keys and values of the source for the predictor."""

    def __init__(self, model: LatentTransformer):
        super().__init__()
        self.encoder, self.stack = model.encoder, model.predictor.stack

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """tokens (B, S) -> vectors (B, S, D), memory (layers, 2, B, H, S, D / H)."""
        vectors = self.encoder(tokens).vectors
        return vectors, torch.stack(self.stack.project_source(vectors))


class Step(nn.Module):
    """One step of the latent predictor.

    What a code becomes before it meets its position depends on the code alone, so it is a table; its last row,
    K, is the start.
    """

    def __init__(self, model: LatentTransformer):
        super().__init__()
        predictor = model.predictor
        vectors = all_code_vectors(model)  # (K, D)
        inputs = predictor.input_proj(predictor.input_norm(vectors))
        self.register_buffer("inputs", torch.cat([inputs, predictor.start.unsqueeze(0)]))  # (K + 1, D)
        self.positions = predictor.positions
        self.stack, self.output_proj = predictor.stack, predictor.output_proj

    def forward(self, codes: Tensor, cache: Tensor, memory: Tensor, source_real: Tensor) -> tuple[Tensor, Tensor]:
        """
        Args:
            codes: (B,) the codes at position T - 1, or K for the start at T = 0.
            cache: (T, layers, 2, B, H, D / H), keys and values of the positions before.
            memory: (layers, 2, B, H, S, D / H) from the encoder.
            source_real: (B, S) True at real source positions.

        Returns:
            log-probabilities (B, K + 1) at position T, and its keys and values (layers, 2, B, H, D / H).
        """
        position = cache.shape[0]
        x = self.inputs[codes].unsqueeze(1) + self.positions(position, 1)  # (B, 1, D)
        past = cache.permute(1, 2, 3, 4, 0, 5)  # (layers, 2, B, H, T, D / H)
        x, added = self.stack.extend(x, past, memory, source_real[:, None, None, :])
        # Of three axes, so that it is exported as a MatMul like the others, which can be made int8.
        return self.output_proj(x)[:, 0].log_softmax(-1), added.squeeze(4)


class _Words(nn.Module):
    """Features to words.

    Args:
        model: has ``output_proj`` and ``output_layer``.
        never: words that are not produced.
    """

    def __init__(self, model: nn.Module, never: list[int]):
        super().__init__()
        self.output_proj, self.output_layer = model.output_proj, model.output_layer
        banned = torch.zeros(model.output_proj.out_features)
        banned[never] = -torch.inf
        for symbol, penalty in self.output_layer.penalties.items():
            banned[symbol] -= penalty
        self.register_buffer("banned", banned)

    def words(self, features: Tensor, real: Tensor) -> tuple[Tensor, ...]:
        """The best words (B, L), their log-probabilities, and what the output layer's search needs besides."""
        logits = self.output_proj(features)  # (B, L, V)
        # A banned word keeps its share of the probability, as in WordGenerator. log_softmax writes more than logsumexp
        # but is one vectorized kernel of onnxruntime's, a fifth of the decoder's time less.
        scores, words = (logits.log_softmax(-1) + self.banned).max(-1)
        return words, scores, *self.output_layer.graph(features, real, scores)


class Decoder(_Words):
    """Codes to words: expander, parallel decoder, output layer."""

    def __init__(self, model: LatentTransformer, never: list[int]):
        super().__init__(model, never)
        self.register_buffer("vectors", all_code_vectors(model))  # (K, D)
        self.decoder = model.decoder

    def forward(self, codes: Tensor, real: Tensor, vectors: Tensor, source_real: Tensor) -> tuple[Tensor, ...]:
        """
        Args:
            codes: (B, T).
            real: (B, T) True at real codes.
            vectors: (B, S, D) from the encoder.
            source_real: (B, S) True at real source positions.

        Returns:
            words (B, L), their log-probabilities, and more as :meth:`OutputLayer.graph` says.
        """
        source = EncodedSource(vectors, source_real[:, None, None, :])
        return self.words(self.decoder(self.vectors[codes], real, source), self.decoder.real_positions(real))


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

    def __init__(self, model: ParallelTransformer, never: list[int]):
        super().__init__(model, never)
        self.decoder = model.decoder

    def forward(self, vectors: Tensor, source_real: Tensor) -> tuple[Tensor, ...]:
        """vectors (B, S, D), source_real (B, S) -> as of :class:`Decoder`."""
        source = EncodedSource(vectors, source_real[:, None, None, :])
        x, real = self.decoder.begin(source, source_real)
        return self.words(self.decoder(x, real, source), real)


def graphs_of(model: nn.Module, never: list[int]) -> dict[str, nn.Module]:
    """Every part of a model by name."""
    if isinstance(model, ParallelTransformer):
        return {"encoder": SourceVectors(model), "decoder": SourceDecoder(model, never)}
    return {"encoder": Encoder(model), "step": Step(model), "decoder": Decoder(model, never)}


def all_code_vectors(model: LatentTransformer) -> Tensor:
    """The vectors (K, D) of all codes."""
    return model.bottleneck.embed(torch.arange(model.bottleneck.num_codes).unsqueeze(0))[0].float()

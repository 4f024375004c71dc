"""Greedy decoding of a torch model in the runner's compiled engine: the same tokens, without torch's overhead.

A small model spends most of a greedy translation in torch on calling small operators (``examples/latency/NOTES.md``).
``--decode-engine native`` gives its weights to ``vqnat_serving.native`` instead.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from vqnat.errors import UserError
from vqnat.models.latent_transformer import LatentTransformer
from vqnat.models.native_weights import native_sizes, native_weights
from vqnat.models.parallel_transformer import ParallelTransformer
from vqnat_serving.batches import shares
from vqnat_serving.native.engine import OUTPUT_LAYERS
from vqnat_serving.native.library import Engine, find_library
from vqnat_serving.written import Written

OPTION = "--decode-engine native"


class NativeDecoder:
    """A model's weights in the engine, in fp32.

    Args:
        model: on the CPU in fp32; its output layer must be set up as the search wants it.
        unknown: the unknown word.
        unk_penalty: subtracted from its log-probability.
        threads: sentences of a batch are shared out among so many.

    Raises:
        UserError: the engine was not built, or has no such model.
    """

    def __init__(
        self,
        model: LatentTransformer | ParallelTransformer,
        unknown: int,
        unk_penalty: float = 0.0,
        threads: int = 1,
    ):
        library = find_library()
        if library is None:
            raise UserError(f"{OPTION}: it was not built; install vqnat where there is a C++ compiler (gcc or clang)")
        if model.output_layer.name not in OUTPUT_LAYERS:
            valid = ", ".join(OUTPUT_LAYERS)
            raise UserError(f"{OPTION}: this model's output layer is {model.output_layer.name}; valid: {valid}")
        weight = model.encoder.embedding.weight
        if weight.device.type != "cpu" or weight.dtype != torch.float32:
            raise UserError(f"{OPTION}: needs a model in fp32 on the CPU; add --cpu, leave out --decode-precision")
        self.sizes = native_sizes(model)
        weights = native_weights(model, quantize=False)
        weights["output.shift"][unknown] -= unk_penalty
        self.pad = model.encoder.embedding.padding_idx
        self.most_tokens = len(weights["encoder.positions"]) - self.sizes.first_position
        self.most_words = len(weights["decoder.positions"])
        self.engine = Engine(library, self.sizes, weights)
        self.threads, self.workers = threads, ThreadPoolExecutor(threads)

    def write(self, source_tokens: Tensor, limits: Tensor, fixed: bool) -> list[Written]:
        """Greedy codes and the best words of each sentence, with their log-probabilities.

        Args:
            source_tokens: (B, S), padded on either side.
            limits: (B,) the most codes of each sentence, exactly that many when ``fixed``; not read without latents.
            fixed: see there.

        Raises:
            UserError: a source is longer than the model's positions.
        """
        sources = [row[row != self.pad].tolist() for row in source_tokens]
        longest, most = max(map(len, sources)), limits.tolist()
        room = self.sizes.positions(max(most) if self.sizes.latents else longest)
        if longest > self.most_tokens or room > self.most_words:  # the engine itself trusts its caller
            raise UserError(f"a source of {longest} tokens is longer than the positions of this model")

        def part(rows: slice) -> list[Written]:
            return self.engine.translate(sources[rows], most[rows], fixed, scored=True)

        parts = shares(len(sources), self.threads)
        found = self.workers.map(part, parts) if len(parts) > 1 else map(part, parts)
        return [one for written in found for one in written]


def padded_words(written: Sequence[Written], pad: int) -> tuple[Tensor, Tensor, Tensor]:
    """What an output layer's search reads: words and log-probabilities (B, L, 1), real positions (B, L)."""
    rows = torch.nn.utils.rnn.pad_sequence
    words = rows([torch.tensor(one.words) for one in written], True, pad)
    scores = rows([torch.tensor(one.scores) for one in written], True)
    lengths = torch.tensor([len(one.words) for one in written])
    return words.unsqueeze(-1), scores.unsqueeze(-1), torch.arange(words.shape[1]) < lengths.unsqueeze(1)

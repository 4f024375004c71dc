"""Inputs that a graph is traced or checked with, and the names of its axes."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.export import Dim

from vqnat.models.latent_transformer import LatentTransformer
from vqnat.models.parallel_transformer import ParallelTransformer

BATCH, SOURCE, CODES = Dim("batch"), Dim("source"), Dim("codes")


@dataclass(frozen=True)
class Example:
    """Inputs by name, in the graph's order; which axes are dynamic; the names of the outputs; ONNX's operator set."""

    inputs: dict[str, Tensor]
    axes: dict[str, dict[int, Dim]]
    outputs: tuple[str, ...]
    opset: int = 18


def examples(model: LatentTransformer | ParallelTransformer, batch: int, source: int, codes: int) -> dict[str, Example]:
    """For each graph a batch of random numbers with pads in every second row.

    Args:
        model: gives the sizes.
        batch: B.
        source: S, the length of the source.
        codes: T, the number of codes, where there are any.
    """
    generator = torch.Generator().manual_seed(1)

    def real(length: int) -> Tensor:
        mask = torch.ones(batch, length, dtype=torch.bool)
        mask[1::2, (length + 1) // 2 :] = False
        return mask

    source_real = real(source)
    vocabulary = model.encoder.embedding.num_embeddings
    tokens = torch.randint(4, vocabulary, (batch, source), generator=generator)
    tokens = tokens.masked_fill(~source_real, model.encoder.embedding.padding_idx)
    vectors = torch.randn(batch, source, model.config.embed_dim, generator=generator)
    masks = {"source_real": {0: BATCH, 1: SOURCE}}
    written = ("words", "scores", *model.output_layer.graph_outputs)
    if isinstance(model, ParallelTransformer):
        axes = {0: BATCH, 1: SOURCE}
        return {
            "encoder": Example({"tokens": tokens}, {"tokens": axes}, ("vectors",)),
            "decoder": Example({"vectors": vectors, "source_real": source_real}, {"vectors": axes, **masks}, written),
        }
    shape, end = model.predictor.stack.shape, model.predictor.end
    sizes = (shape.heads, shape.dim // shape.heads)
    memory = torch.randn(shape.layers, 2, batch, sizes[0], source, sizes[1], generator=generator)
    cache = torch.randn(codes, shape.layers, 2, batch, *sizes, generator=generator)
    chosen = torch.randint(end, (batch, codes), generator=generator)
    return {
        "encoder": Example({"tokens": tokens}, {"tokens": {0: BATCH, 1: SOURCE}}, ("vectors", "memory")),
        "step": Example(
            {"codes": chosen[:, 0].clone(), "cache": cache, "memory": memory, "source_real": source_real},
            {"codes": {0: BATCH}, "cache": {0: CODES, 3: BATCH}, "memory": {2: BATCH, 4: SOURCE}, **masks},
            ("log_probs", "added"),
            # From 23 on attention is one operator. onnxruntime's does not broadcast a mask over queries: it suits a
            # graph with one query.
            opset=23,
        ),
        "decoder": Example(
            {"codes": chosen, "real": real(codes), "vectors": vectors, "source_real": source_real},
            {
                "codes": {0: BATCH, 1: CODES},
                "real": {0: BATCH, 1: CODES},
                "vectors": {0: BATCH, 1: SOURCE},
                **masks,
            },
            written,
        ),
    }

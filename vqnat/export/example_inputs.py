"""Inputs with which a graph is traced and checked, and the names of its axes."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.export import Dim
from torch.utils._pytree import tree_leaves

from vqnat.export.search_loop import Turn
from vqnat.models.latent_transformer import LatentTransformer
from vqnat.models.parallel_transformer import ParallelTransformer
from vqnat_serving.description import EXPECTED, PREDICTOR

BATCH, BEAM, SOURCE, CODES = Dim("batch"), Dim("beam"), Dim("source"), Dim("codes")


@dataclass(frozen=True)
class Example:
    """What a graph is given.

    Attributes:
        args: the graph's arguments; tensors and lists of them.
        axes: the same, with the dynamic axes in place of each tensor.
        inputs: a name for each tensor.
        outputs: names of what the graph returns.
        turn: of a search, what the names mean.
    """

    args: tuple[Any, ...]
    axes: tuple[Any, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    turn: Turn | None = None
    named: dict[str, Tensor] = field(init=False)

    def __post_init__(self):
        object.__setattr__(self, "named", dict(zip(self.inputs, tree_leaves(self.args), strict=True)))


def examples(
    model: LatentTransformer | ParallelTransformer, batch: int, source: int, codes: int, beam: int = 2
) -> dict[str, Example]:
    """For each graph a batch of random numbers, with padding in every second row.

    Args:
        model: gives the sizes.
        batch: B.
        source: S, the length of the source.
        codes: T, the number of codes, where there are any.
        beam: sequences per sentence, where there are any.
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
    scored = torch.tensor(True)
    rows = {0: BATCH, 1: SOURCE}
    written = ("words", "scores", *model.output_layer.graph_outputs)
    if isinstance(model, ParallelTransformer):
        decoder = ("vectors", "source_real", "scored")
        return {
            "encoder": Example((tokens,), (rows,), ("tokens",), ("vectors",)),
            "decoder": Example((vectors, source_real, scored), (rows, rows, {}), decoder, written),
        }
    shape, end = model.predictor.stack.shape, model.predictor.end
    parts = [f"{what}{layer}" for layer in range(shape.layers) for what in ("keys", "values")]
    past, memory = tuple(f"past_{part}" for part in parts), tuple(f"memory_{part}" for part in parts)

    def heads(length: int, *sizes: int) -> list[Tensor]:
        sizes = (*sizes, shape.heads, length, shape.dim // shape.heads)
        return [torch.randn(sizes, generator=generator) for _ in parts]

    chosen = torch.randint(end, (batch, codes), generator=generator)
    scores = torch.randn(batch, beam, generator=generator)
    limits = torch.arange(batch) + codes  # the first row is at its limit
    position, fixed = torch.tensor(codes), torch.tensor(False)
    read = torch.randn(batch, codes, model.config.embed_dim, generator=generator)
    expectation = model.config.decoder_reads == "expectation"
    expected = ["expected"] if expectation else []
    row, rows_beam = {0: BATCH}, {0: BATCH, 1: BEAM}
    greedy = Turn(
        "position",
        ("chosen", "open", "lengths", "scores", *expected, *past),
        (*memory, "source_real", "limits", "fixed"),
        {"codes": "chosen", **({"code_vectors": "expected"} if expectation else {})},
    )
    wide = Turn(
        "position",
        ("chosen", "ended", "lengths", "scores", "codes", *past),
        (*memory, "source_real", "limits", "fixed", "length_penalty"),
    )

    def search(turn: Turn, args: tuple[Any, ...], axes: tuple[Any, ...]) -> Example:
        return Example(args, axes, (turn.count, *turn.carried, *turn.read), turn.outputs, turn)

    def repeated(values: Tensor) -> Tensor:
        return values.unsqueeze(1).expand(-1, beam, *values.shape[1:]).contiguous()

    axes = {0: BATCH, 1: CODES}
    return {
        "encoder": Example((tokens,), (rows,), ("tokens",), ("vectors", *memory)),
        "greedy": search(
            greedy,
            (
                *(position, chosen[:, 0], torch.ones(batch, dtype=torch.bool), limits.clone(), scores[:, 0]),
                [read[:, 0] for _ in expected],
                *(heads(codes, batch), heads(source, batch), source_real, limits, fixed),
            ),
            (
                *({}, row, row, row, row, [row for _ in expected]),
                *([{0: BATCH, 2: CODES} for _ in parts], [{0: BATCH, 2: SOURCE} for _ in parts], rows, row, {}),
            ),
        ),
        "beam": search(
            wide,
            (
                *(
                    position,
                    repeated(chosen[:, 0]),
                    torch.zeros(batch, beam, dtype=torch.bool),
                    repeated(limits),
                    scores,
                ),
                *(repeated(chosen), heads(codes, batch, beam), heads(source, batch, beam)),
                *(repeated(source_real), repeated(limits), fixed, torch.tensor(1.0)),
            ),
            (
                *({}, rows_beam, rows_beam, rows_beam, rows_beam, {**rows_beam, 2: CODES}),
                *([{**rows_beam, 3: CODES} for _ in parts], [{**rows_beam, 3: SOURCE} for _ in parts]),
                *({**rows_beam, 2: SOURCE}, rows_beam, {}, {}),
            ),
        ),
        "decoder": Example(
            (chosen, [read, torch.tensor(True)] if expectation else [], real(codes), vectors, source_real, scored),
            (*(axes, [axes, {}] if expectation else [], axes), rows, rows, {}),
            ("codes", *(EXPECTED if expectation else ()), "real", "vectors", "source_real", "scored"),
            written,
        ),
        PREDICTOR: Example(
            (chosen, heads(source, batch), source_real),
            (axes, [{0: BATCH, 2: SOURCE} for _ in parts], rows),
            ("codes", *memory, "source_real"),
            ("log_probs",),
        ),
    }

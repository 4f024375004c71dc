"""The weights of the engine: names and shapes, in the order in which ``src/model.inc`` reads them."""

from collections.abc import Iterator
from dataclasses import dataclass

Shape = tuple[int, int]  # rows 0: any number of them (a table)
# Of an int8 weight. Without the VNNI instructions x86 processors add two products in 16 bits: with seven bits a weight
# these always fit. No worse in BLEU than eight (examples/multi30k/NOTES.md).
LARGEST_WEIGHT = 63


@dataclass(frozen=True)
class StackSizes:
    """Sizes of a stack of Transformer layers, in the order of ``Stack`` in ``src/interface.h``."""

    layers: int
    dim: int
    ffn: int
    heads: int
    normalize_before: int


@dataclass(frozen=True)
class ModelSizes:
    """Sizes of a model, in the order of ``Sizes`` in ``src/interface.h``.

    Attributes:
        encoder, predictor, decoder: their stacks; a predictor without layers: a model without latents.
        vocabulary: target words.
        codes: K.
        steps: nc.
        upsample, upsample_below: output positions for each expanded position (source token without latents), as
            numerator and denominator.
        first_position: of the source's position table.
        expectation: 1: the decoder reads the mean of all codes' vectors by the predictor's probabilities.
    """

    encoder: StackSizes
    predictor: StackSizes
    decoder: StackSizes
    vocabulary: int
    codes: int
    steps: int
    upsample: int
    upsample_below: int
    first_position: int
    expectation: int = 0  # files of earlier versions do not have it

    @property
    def latents(self) -> bool:
        """Whether there are codes."""
        return self.predictor.layers > 0

    def positions(self, length: int) -> int:
        """Output positions for ``length`` codes, or source tokens without latents."""
        expanded: int = length << self.steps
        return -(-expanded * self.upsample // self.upsample_below)


def weight_shapes(sizes: ModelSizes) -> dict[str, Shape]:
    """All weights by name. One that ends with ``.bias`` may be missing: a linear map without one."""
    dim = sizes.decoder.dim
    shapes = {"encoder.embedding": (0, dim), "encoder.positions": (0, dim)}
    shapes |= _stack("encoder", sizes.encoder, reads_source=False)
    if sizes.latents:
        shapes |= {"predictor.inputs": (sizes.codes + 1, dim), "predictor.positions": (0, dim)}
        shapes |= _stack("predictor", sizes.predictor, reads_source=True)
        shapes |= {**_linear("predictor.output", sizes.codes + 1, dim), "codes": (sizes.codes, dim)}
        for step in range(sizes.steps):
            name = f"doubling.{step}"
            shapes |= {**_norm(f"{name}.norm", dim), **_linear(f"{name}.conv", dim, 3 * dim)}
            shapes |= {**_norm(f"{name}.conv_norm", dim), **_linear(f"{name}.wide", 2 * dim, dim)}
            shapes |= _norm(f"{name}.wide_norm", 2 * dim)
    shapes |= {"decoder.positions": (0, dim), **_stack("decoder", sizes.decoder, reads_source=True)}
    return {**shapes, **_linear("output", sizes.vocabulary, dim), "output.shift": (1, sizes.vocabulary)}


def two_dimensions(values: memoryview) -> Shape:
    """Rows and columns of a weight; a vector is one row."""
    shape = values.shape or ()
    return (shape[0], shape[1]) if len(shape) == 2 else (1, values.nbytes // values.itemsize)


def _stack(name: str, sizes: StackSizes, reads_source: bool) -> dict[str, Shape]:
    dim, shapes = sizes.dim, dict[str, Shape]()
    for layer in (f"{name}.{number}" for number in range(sizes.layers)):
        shapes |= {**_norm(f"{layer}.self_norm", dim), **_linear(f"{layer}.self_in", 3 * dim, dim)}
        shapes |= _linear(f"{layer}.self_out", dim, dim)
        if reads_source:
            shapes |= {**_norm(f"{layer}.source_norm", dim), **_linear(f"{layer}.source_query", dim, dim)}
            shapes |= {**_linear(f"{layer}.source_in", 2 * dim, dim), **_linear(f"{layer}.source_out", dim, dim)}
        shapes |= {**_norm(f"{layer}.ffn_norm", dim), **_linear(f"{layer}.fc1", sizes.ffn, dim)}
        shapes |= _linear(f"{layer}.fc2", dim, sizes.ffn)
    return shapes | (_norm(f"{name}.norm", dim) if sizes.normalize_before else {})


def _linear(name: str, outputs: int, inputs: int) -> dict[str, Shape]:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (1, outputs)}


def _norm(name: str, dim: int) -> dict[str, Shape]:
    return {f"{name}.weight": (1, dim), f"{name}.bias": (1, dim)}


def integer_weights(sizes: ModelSizes) -> Iterator[str]:
    """The weights that may be int8, each with a ``NAME.scale``: those of linear maps, but no convolution's."""
    for name, (rows, _) in weight_shapes(sizes).items():
        if name.endswith(".weight") and rows > 1 and ".conv." not in name:
            yield name

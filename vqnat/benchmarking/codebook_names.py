"""Names in the codebook benchmark's JSON, shared by the program that measures and the renderer.

The names of systems and ratios are keys of result files that are already published: they must not change.
"""

from typing import NamedTuple

HARD_EM = "hard_em"
SOFT_EM = "soft_em_10"
VECTOR_QUANTIZE_PYTORCH = "vector_quantize_pytorch"
NAIVE = "naive"
MATRIX_PRODUCT = "matrix_product"

# Systems in the order of the table, with their headings.
TITLES = {
    HARD_EM: "hard EM",
    SOFT_EM: "soft EM, m = 10",
    VECTOR_QUANTIZE_PYTORCH: "vector-quantize-pytorch",
    NAIVE: "naive",
    MATRIX_PRODUCT: "matrix product",
}


class Ratio(NamedTuple):
    """Time of ``over`` divided by time of ``under``; without a ``title`` it has no column in the table."""

    over: str
    under: str
    title: str | None = None


RATIOS = {
    "hard_em faster than vector_quantize_pytorch": Ratio(
        VECTOR_QUANTIZE_PYTORCH, HARD_EM, "hard EM faster than vector-quantize-pytorch"
    ),
    "hard_em faster than naive": Ratio(NAIVE, HARD_EM),
    "hard_em over the matrix product": Ratio(HARD_EM, MATRIX_PRODUCT, "hard EM over the product"),
    "soft_em_10 over hard_em": Ratio(SOFT_EM, HARD_EM, "soft EM over hard EM"),
}
PEAKS = (HARD_EM, VECTOR_QUANTIZE_PYTORCH)  # systems whose peak memory is in the table

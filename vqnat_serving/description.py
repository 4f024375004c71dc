"""``export.json``: what an exported model is, and where its parts are."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vqnat_serving.checksums import sealed, unsealed
from vqnat_serving.errors import UserError

NAME = "export.json"
FORMAT = "vqnat-onnx-3"
OLDER = "vqnat-onnx-2"  # the same without checksums
PARTS = ("encoder", "greedy", "beam", "decoder")
SEARCHES = ("greedy", "beam")
PREDICTOR = "predictor"  # a graph that an export may lack: log-probabilities of given codes
OUTPUT_LAYERS = ("plain", "ctc", "dag")
PRECISIONS = ("fp32", "int8")


@dataclass(frozen=True)
class Description:
    """Everything the runner has to know besides the weights.

    Attributes:
        source_lang, target_lang: language codes.
        source_dictionary, target_dictionary: file names.
        sentencepiece: file name of the model; None when text is in pieces already.
        stride: target positions per code, 2^nc.
        end: class of the predictor that ends the codes, K; as a code it is the start.
        max_codes: the most codes a sentence may have.
        max_source_tokens: the longest source, its end included.
        length_mode, length_ratio: as in the model's options.
        cache: (layers, heads, D / heads) of the predictor's cache.
        precisions: which of :data:`PRECISIONS` are there, each a folder with a file for each of :attr:`parts`.
        about: where it comes from: the checkpoint's checksum, options, versions; for people only.
        latents: whether there are codes; if not, what is said of them above has no meaning.
        output_layer: one of :data:`OUTPUT_LAYERS`.
        upsample: output positions per target position (with latents) or per source token, as numerator and denominator.
        files: SHA-256 of each other file of an export of its own, by its path in the folder; those of a model folder
            are in its ``config.json``.
    """

    source_lang: str
    target_lang: str
    source_dictionary: str
    target_dictionary: str
    sentencepiece: str | None
    stride: int
    end: int
    max_codes: int
    max_source_tokens: int
    length_mode: str
    length_ratio: float
    cache: tuple[int, int, int]
    precisions: tuple[str, ...]
    about: dict[str, Any]
    latents: bool = True
    output_layer: str = "plain"
    upsample: tuple[int, int] = (1, 1)
    files: dict[str, str] = field(default_factory=dict)

    @property
    def parts(self) -> tuple[str, ...]:
        """The graphs that there are."""
        return PARTS if self.latents else tuple(part for part in PARTS if part not in SEARCHES)

    def positions(self, length: int) -> int:
        """Output positions for ``length`` target positions or source tokens."""
        above, below = self.upsample
        return -(-length * above // below)

    def write(self, folder: Path) -> None:
        """Write ``export.json``."""
        text = json.dumps(sealed({"format": FORMAT, **asdict(self)}), indent=1, ensure_ascii=False)
        (folder / NAME).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Description":
        """Read ``export.json``.

        Raises:
            UserError: no such folder, not an export, or one of another version.
        """
        if not folder.is_dir():
            raise UserError(f"{folder}: no such folder (needed: a model folder, or what vqnat export wrote)")
        path = folder / NAME
        if not path.is_file():
            raise UserError(f"{folder}: not an exported model: it has no {NAME} (vqnat export writes it)")
        try:
            values = unsealed(json.loads(path.read_text(encoding="utf-8")))
            found = values.pop("format")
            if found in (FORMAT, OLDER):
                for name in {"cache", "upsample"} & values.keys():
                    values[name] = tuple(values[name])
                if values.get("output_layer", "plain") in OUTPUT_LAYERS:
                    return cls(**values)
                raise ValueError(values["output_layer"])
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise UserError(
                f"{path}: not the description of an exported model ({type(error).__name__}: {error})"
            ) from error
        raise UserError(f"{path}: format {found!r}, this runner reads {FORMAT!r}: export the checkpoint again")

    @staticmethod
    def model_file(precision: str, part: str) -> Path:
        """Where a part is, relative to the folder."""
        return Path(precision) / f"{part}.onnx"

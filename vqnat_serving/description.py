"""``export.json``: what an exported model is, and where its parts are."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vqnat_serving.checksums import sealed, unsealed
from vqnat_serving.errors import UserError
from vqnat_serving.json_files import check_types, read_object

NAME = "export.json"
FORMAT = "vqnat-onnx-3"
OLDER = "vqnat-onnx-2"  # the same without checksums
PARTS = ("encoder", "greedy", "beam", "decoder")
SEARCHES = ("greedy", "beam")
PREDICTOR = "predictor"  # a graph that an export may lack: log-probabilities of given codes
EXPECTED = ("code_vectors", "expected")  # what the decoder of a model that reads expectations is given besides codes
OUTPUT_LAYERS = ("plain", "ctc", "dag")
PRECISIONS = ("fp32", "int8")
LARGEST = 1 << 24  # of any size in a description


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
        expectation: the decoder reads the mean of all codes' vectors by the predictor's probabilities.
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
    expectation: bool = False
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
        values = read_object(path, "the description of an exported model")
        found = values.get("format")
        if found not in (FORMAT, OLDER):
            raise UserError(f"{path}: format {str(found)[:40]!r}, this runner reads {FORMAT!r}: export it again")
        try:
            values = unsealed(values)
            del values["format"]
            check_types(values, cls)
            for name in {"cache", "upsample", "precisions"} & values.keys():
                values[name] = tuple(values[name])
            made = cls(**values)
            made._check_values()
        except ValueError as error:
            raise UserError(f"{path}: not the description of an exported model ({error})") from error
        return made

    def _check_values(self) -> None:
        """Raises ValueError for a value that no writer makes, so that nothing outside the folder is ever read."""
        if self.output_layer not in OUTPUT_LAYERS:
            raise ValueError(f"output_layer {self.output_layer!r}; valid: {', '.join(OUTPUT_LAYERS)}")
        if not self.precisions or not set(self.precisions) <= set(PRECISIONS):
            raise ValueError(f"precisions {self.precisions!r}; valid: {', '.join(PRECISIONS)}")
        for name in ("source_dictionary", "target_dictionary", "sentencepiece"):
            value = getattr(self, name)
            if value is not None and (not value or Path(value).name != value or "\0" in value):
                raise ValueError(f"{name} {value!r}: needed the name of a file in this folder")
        least = {"max_source_tokens": 1} | ({"stride": 1, "end": 1, "max_codes": 1} if self.latents else {})
        for name, smallest in least.items():
            if not smallest <= getattr(self, name) <= LARGEST:
                raise ValueError(f"{name} {getattr(self, name)}: needed {smallest} to {LARGEST}")
        if not all(0 <= one <= LARGEST for one in self.cache) or not all(1 <= one <= LARGEST for one in self.upsample):
            raise ValueError(f"cache {self.cache}, upsample {self.upsample}")
        if not 0 <= self.length_ratio <= LARGEST:
            raise ValueError(f"length_ratio {self.length_ratio}")

    @staticmethod
    def model_file(precision: str, part: str) -> Path:
        """Where a part is, relative to the folder."""
        return Path(precision) / f"{part}.onnx"

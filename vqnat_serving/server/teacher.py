"""The autoregressive teacher, on CTranslate2, to be seen beside the model."""

from pathlib import Path
from typing import Any

from vqnat_serving.errors import UserError
from vqnat_serving.pieces import Pieces, SentencePieces, Words

COMPUTE_TYPES = {"fp32": "float32", "int8": "int8_float32"}
BEAM = 4


class Teacher:
    """A teacher that ct2-fairseq-converter converted.

    Args:
        folder: a model folder with ``ctranslate2/``, or the converted model itself; ``spm.model`` lies in it.
        in_pieces: without ``spm.model``, text is in pieces already, as it is for the model.
        precision: as of the model that it is compared with.
        threads: in one operation; 0: CTranslate2's choice.

    Raises:
        UserError: CTranslate2 is not installed, or the folder cannot be used.
    """

    def __init__(self, folder: Path, in_pieces: bool, precision: str, threads: int):
        try:
            import ctranslate2
        except ImportError as error:
            raise UserError(f"--teacher {folder}: needs ctranslate2: pip install 'vqnat[ctranslate2]'") from error
        inner = folder / "ctranslate2"
        converted = inner if (inner / "model.bin").is_file() else folder
        if not (converted / "model.bin").is_file():
            raise UserError(f"--teacher {folder}: needed a folder with ctranslate2/model.bin, or with model.bin")
        beside = [path for path in (folder / "spm.model", converted / "spm.model") if path.is_file()]
        if not beside and not in_pieces:
            raise UserError(f"--teacher {folder}: has no spm.model, which cuts text into the teacher's pieces")
        self.pieces: Pieces = SentencePieces(beside[0]) if beside else Words()
        self.precision, self.threads = precision, threads
        try:
            self._translator: Any = ctranslate2.Translator(
                str(converted),
                device="cpu",
                compute_type=COMPUTE_TYPES[precision],
                inter_threads=1,
                intra_threads=threads,
            )
        except (RuntimeError, ValueError) as error:
            raise UserError(f"--teacher {folder}: {' '.join(str(error).split())}") from error

    def translate(self, text: str) -> str:
        """The best translation of a beam of :data:`BEAM`."""
        pieces = self.pieces.encode(" ".join(text.split()))
        if not pieces:
            return ""
        [found] = self._translator.translate_batch(
            [pieces], beam_size=BEAM, max_decoding_length=200, max_input_length=0
        )
        return self.pieces.decode(found.hypotheses[0])

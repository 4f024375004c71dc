"""An autoregressive fairseq model on CTranslate2, the engine that a user would otherwise choose."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from vqnat.benchmarking.engines.system_specs import SystemSpec, refuse_useless
from vqnat.benchmarking.harness.sentences import TestSet, read_dictionary
from vqnat.benchmarking.system import Batch
from vqnat.checkpoints.ctranslate2_model import VOCABULARY_MAP
from vqnat.errors import UserError
from vqnat.records.results import shown

COMPUTE_TYPES = {"fp32": "float32", "bf16": "bfloat16", "int8": "int8_float32"}


class CTranslate2System:
    """Decodes with a folder of ct2-fairseq-converter; see :class:`~vqnat.benchmarking.system.System`.

    Args:
        spec: the folder, and beam, lenpen, max_len_a, max_len_b, threads, precision.
        test_set: the split that batches are taken from; its dictionaries must be the model's.
        device: ``cpu`` or ``cuda``.
        threads: threads of CTranslate2, unless ``spec`` sets them.

    Raises:
        UserError: CTranslate2 is missing, or the folder cannot be used, or not with these settings.
    """

    def __init__(self, spec: SystemSpec, test_set: TestSet, device: str, threads: int) -> None:
        try:
            import ctranslate2
        except ImportError as error:
            raise UserError(f"system {spec.name}: pip install 'vqnat[ctranslate2]' ({error})") from error
        refuse_useless(spec, "a model of CTranslate2", {"beam", "lenpen", "max_len_a", "max_len_b", "shortlist"})
        precision = spec.precision or "fp32"
        if precision not in COMPUTE_TYPES:
            raise UserError(f"system {spec.name}: precision={precision}: needed one of {', '.join(COMPUTE_TYPES)}")
        if spec.shortlist and not (spec.checkpoint / VOCABULARY_MAP).is_file():  # CTranslate2 would use all words
            raise UserError(f"system {spec.name}: shortlist=1: no {VOCABULARY_MAP} in {spec.checkpoint}")
        self.name, self.spec = spec.name, spec
        self.threads = spec.threads or threads
        self.source, self.target = (read_dictionary(test_set, side) for side in ("source", "target"))
        try:
            self.translator = ctranslate2.Translator(
                str(spec.checkpoint),
                device=device,
                compute_type=COMPUTE_TYPES[precision],
                inter_threads=1,
                intra_threads=self.threads,
            )
        except (RuntimeError, ValueError) as error:
            raise UserError(f"system {spec.name}: {' '.join(str(error).split())}") from error
        self.specials = frozenset((self.target.bos(), self.target.eos(), self.target.pad()))
        self.beam = 5 if spec.beam is None else spec.beam
        self.description: Mapping[str, Any] = {
            "checkpoint": shown(spec.checkpoint),
            "arch": f"ctranslate2 {ctranslate2.__version__}",
            "decoding": {
                "beam": self.beam,
                "precision": precision,
                "compute_type": self.translator.compute_type,
                "shortlist": bool(spec.shortlist),
            },
            "threads": self.threads,
        }

    def prepare(self, batch: Batch) -> tuple[list[list[str]], int, int]:
        """Subwords as text, which CTranslate2 reads; it adds the end of sentence itself."""
        pieces = [[self.source[token] for token in source[:-1]] for source in batch.sources]
        if batch.length is not None:
            # At its maximum length it stops without computing the end of sentence, as others do: allow one token more.
            return pieces, batch.length + 1, batch.length + 1
        longest = max(len(source) for source in batch.sources)
        a, b = self.spec.max_len_a or 0, 200 if self.spec.max_len_b is None else self.spec.max_len_b
        return pieces, 1, int(a * longest + b)

    def translate(self, prepared: tuple[list[list[str]], int, int]) -> Sequence[Tensor]:
        pieces, least, most = prepared
        found = self.translator.translate_batch(
            pieces,
            beam_size=self.beam,
            length_penalty=1 if self.spec.lenpen is None else self.spec.lenpen,
            min_decoding_length=least,
            max_decoding_length=most,
            max_input_length=0,
            use_vmap=bool(self.spec.shortlist),
        )
        return [torch.tensor([self.target.index(piece) for piece in one.hypotheses[0]]) for one in found]

    def phases(self) -> Mapping[str, Sequence[tuple[object, str]]]:
        return {}

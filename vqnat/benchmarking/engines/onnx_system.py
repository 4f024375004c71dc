"""An exported model in our engine or on onnxruntime, as ``vqnat_serving`` runs it."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from vqnat.benchmarking.engines.system_specs import SystemSpec, refuse_useless
from vqnat.benchmarking.harness.sentences import TestSet, read_dictionary
from vqnat.benchmarking.system import Batch
from vqnat.errors import UserError
from vqnat.records.results import shown
from vqnat_serving import OnnxTranslator
from vqnat_serving.code_lengths import codes_for
from vqnat_serving.vocabulary import BOS, EOS, PAD


class OnnxSystem:
    """Decodes as ``OnnxTranslator.translate`` does; see :class:`~vqnat.benchmarking.system.System`.

    Args:
        spec: the folder of scripts/export.py, and beam, lenpen, max_len_a, max_len_b, threads, precision, engine.
        test_set: the split that batches are taken from; its dictionaries must be the model's.
        threads: threads of onnxruntime, unless ``spec`` sets them.

    Raises:
        UserError: the folder cannot be used, or not with this data or these settings.
    """

    specials = frozenset((BOS, EOS, PAD))

    def __init__(self, spec: SystemSpec, test_set: TestSet, threads: int) -> None:
        refuse_useless(spec, "an exported model", {"beam", "lenpen", "max_len_a", "max_len_b", "engine", "shortlist"})
        self.name = spec.name
        self.threads = spec.threads or threads
        precision = spec.precision or "fp32"
        settings = {"length_penalty": spec.lenpen, "max_len_a": spec.max_len_a, "max_len_b": spec.max_len_b}
        settings = {key: value for key, value in settings.items() if value is not None}
        self.translator = OnnxTranslator(
            spec.checkpoint, precision, self.threads, **settings, engine=spec.engine, shortlist=bool(spec.shortlist)
        )
        # fairseq-generate's default; without latents there is one translation per sentence
        self.beam = spec.beam or (5 if self.translator.description.latents else 1)
        if spec.shortlist and self.beam > 1:
            raise UserError(f"system {spec.name}: shortlist=1: needs beam=1; beams choose from all words")
        for side, vocabulary in (("source", self.translator.source), ("target", self.translator.target)):
            if list(vocabulary.symbols) != read_dictionary(test_set, side).symbols:
                raise UserError(f"system {spec.name}: {spec.checkpoint} has another {side} dictionary than the data")
        self.description: Mapping[str, Any] = {
            "checkpoint": shown(spec.checkpoint),
            "arch": "onnx" if self.translator.native is None else f"native {self.translator.native.level}",
            "decoding": {"beam": self.beam, "precision": precision, "shortlist": bool(spec.shortlist)},
            "threads": self.threads,
        }

    def prepare(self, batch: Batch) -> list[list[int]]:
        """The tokens unchanged: padding is part of decoding here."""
        if batch.length is not None:
            self._force(batch.length)
        return [list(source) for source in batch.sources]

    def translate(self, prepared: list[list[int]]) -> Sequence[Tensor]:
        found = self.translator.decode(prepared, self.beam, scored=self.beam > 1)
        return [torch.tensor(hypotheses[0].tokens) for hypotheses in found]

    def phases(self) -> Mapping[str, Sequence[tuple[object, str]]]:
        if self.translator.native is not None and self.beam == 1:
            return {}  # one call does all
        models = self.translator.models
        return {
            "encoder": [(models, "encode")],
            "latent predictor": [(models, "greedy"), (models, "beam")],
            "decoder": [(models, "decode")],
        }

    def _force(self, tokens: int) -> None:
        """As in :mod:`forced_lengths`: the end of the codes is computed, then overridden."""
        self.translator.forced_codes = codes_for(tokens + 1, self.translator.description.stride)

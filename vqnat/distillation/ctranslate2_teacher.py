"""The teacher in CTranslate2, whose beam search is several times as fast as fairseq's on a CPU.

It finds what fairseq finds, up to sums that are rounded in another order: now and then two hypotheses of nearly the
same score change places (measured in ``docs/how-to/distill.md``).
"""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fairseq.models.transformer import TransformerModel

from vqnat.checkpoints.checkpoint_config import CheckpointConfig
from vqnat.checkpoints.ctranslate2_model import convert
from vqnat.checkpoints.reading import read_checkpoint
from vqnat.distillation.distill_options import Options
from vqnat.distillation.sources import Sources
from vqnat.distillation.teacher import Hypothesis, Teacher
from vqnat.errors import UserError


class CTranslate2Teacher(Teacher):
    """fairseq loads and checks the model; CTranslate2 searches. Arguments and errors as in :class:`Teacher`.

    Raises:
        UserError: also an ensemble, a model that CTranslate2 does not know, or CTranslate2 is missing.
    """

    def __init__(self, options: Options, sources: Sources, device: torch.device) -> None:
        if device.type != "cpu":
            raise UserError("--engine ctranslate2: for the CPU only; add --cpu, or leave it out to use the GPU")
        super().__init__(options, sources, device)
        [model] = self.models
        path = options.teachers[0]
        if type(model) is not TransformerModel:  # non-autoregressive models inherit from it
            kind = type(model).__name__
            raise UserError(f"--engine ctranslate2: {path}: a {kind}; CTranslate2 reads fairseq's transformer only")
        self.options = options
        self.models.clear()
        self.translator = self._convert(path)

    def _convert(self, path: Path) -> Any:
        state = read_checkpoint(path)
        options = CheckpointConfig.of(state).model
        task = {"_name": "translation", "source_lang": self.bitext.source, "target_lang": self.bitext.target}
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "model"
            convert(state["model"], options, task, self.bitext.folder, out, f"--path {path}")
            from ctranslate2 import Translator

            return Translator(
                str(out),
                compute_type="float32",
                inter_threads=1,
                intra_threads=torch.get_num_threads(),
            )

    def _search(self, ids: np.ndarray) -> list[Hypothesis]:
        source, target = self.task.source_dictionary, self.task.target_dictionary
        # CTranslate2 adds the end of sentence itself
        pieces = [[source[token] for token in self._item(int(i))["source"][:-1]] for i in ids]
        longest = 1 + max(len(one) for one in pieces)
        options = self.options
        found = self.translator.translate_batch(
            pieces,
            beam_size=options.beam,
            num_hypotheses=options.k_best,
            length_penalty=options.lenpen,
            max_decoding_length=int(options.max_len_a * longest + options.max_len_b),
            max_input_length=0,
            return_scores=True,
        )
        rows = []
        for sentence, one in zip(ids.tolist(), found, strict=True):
            for words, score in zip(one.hypotheses, one.scores, strict=True):
                if words and np.isfinite(score):
                    tokens = [target.index(word) for word in words] + [target.eos()]
                    rows.append((sentence, torch.tensor(tokens, dtype=torch.int32), float(score)))
        return rows

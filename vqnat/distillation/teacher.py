"""The teacher, one fairseq translation model or an ensemble of them, and its beam search."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from fairseq import utils
from fairseq.dataclass.configs import FairseqConfig, GenerationConfig
from omegaconf import OmegaConf

from vqnat.checkpoints.loading import load_model
from vqnat.distillation.distill_options import Options
from vqnat.distillation.sources import Sources
from vqnat.errors import UserError

# What a checkpoint remembers of its own training and must not be used here.
SETTINGS = {
    "train_subset": "train",
    "dataset_impl": None,  # as the files are
    "eval_bleu": False,
    "truncate_source": False,  # sources that are too long are counted, not cut
    "num_batch_buckets": 0,
    "load_alignments": False,
}
Hypothesis = tuple[int, torch.Tensor, float]  # sentence, (length,) tokens, score


class Teacher:
    """Beam search over numbered source sentences.

    Args:
        options: beam, length penalty and so on.
        sources: the sentences; the dictionaries of their data must be the teacher's.
        device: where to run.

    Raises:
        UserError: a checkpoint cannot be read or has another vocabulary.
    """

    def __init__(self, options: Options, sources: Sources, device: torch.device) -> None:
        self.device = device
        self.sources, self.bitext = sources, sources.bitext
        self.models: list[Any] = []
        self.task: Any = None
        for path in options.teachers:
            self._load(path)
        cfg = OmegaConf.structured(FairseqConfig)
        cfg.generation.beam = options.beam
        for model in self.models:
            if options.fp16:
                model.half()
            model.to(device)
            model.prepare_for_inference_(cfg)  # eval mode: no dropout
        search = GenerationConfig(
            beam=options.beam,
            lenpen=options.lenpen,
            max_len_a=options.max_len_a,
            max_len_b=options.max_len_b,
            nbest=options.k_best,
        )
        self.generator = self.task.build_generator(self.models, search)
        self.datasets = self._datasets()
        self.k_best = options.k_best
        limits = utils.resolve_max_positions(
            self.task.max_positions(), *[model.max_positions() for model in self.models]
        )
        limit = limits[0] if isinstance(limits, tuple | list) else limits
        self.max_source = int(min(limit, np.iinfo(np.int32).max))  # tokens

    def _datasets(self) -> list[Any]:
        """fairseq's dataset of each part of the sources, None for an empty part."""
        found = []
        for split, part in zip(("train", "valid"), self.sources.parts[:2], strict=True):
            wanted = part or split == "train"  # its collater is needed
            if wanted:
                self.task.load_dataset(split)
            found.append(self.task.dataset(split) if wanted else None)
        if text := self.sources.text:
            tokens = [torch.from_numpy(text[i]) for i in range(len(text.lengths))]
            found.append(self.task.build_dataset_for_inference(tokens, text.lengths.tolist()))
        return found

    def _item(self, sentence: int) -> dict[str, Any]:
        """A sentence as fairseq's collater expects it; without a target, which the extra text does not have."""
        for dataset, part in zip(self.datasets, self.sources.parts, strict=False):
            if sentence in part:
                return {"id": sentence, "source": dataset[sentence - part.start]["source"]}
        raise IndexError(sentence)

    def _load(self, path: Path) -> None:
        loaded = load_model(
            path,
            self.bitext.folder,
            languages=(self.bitext.source, self.bitext.target),
            who="--path ",
            settings=SETTINGS,
            task=self.task,
            compare_dictionaries=True,
            hint="; if its code is a plug-in, name the folder with --user-dir",
        )
        self.task = loaded.task
        self.models.append(loaded.model)

    def translate(self, ids: np.ndarray) -> list[Hypothesis]:
        """The k best hypotheses of each sentence, best first; ideally all sentences are of the same length.

        A sentence that is empty or too long for the teacher, or gets no output, has no hypothesis.
        """
        length = int(self.sources.lengths[ids].max())
        if length > self.max_source or length <= 1:
            return []
        try:
            return self._search(ids)
        except torch.OutOfMemoryError as error:
            if len(ids) == 1:
                message = f"a source of {length} tokens does not fit into the GPU's memory: try a smaller --beam"
                raise UserError(message) from error
        torch.cuda.empty_cache()  # outside the except clause, which keeps the tensors alive
        return [row for half in np.array_split(ids, 2) for row in self.translate(half)]

    def _search(self, ids: np.ndarray) -> list[Hypothesis]:
        sample = self.datasets[0].collater([self._item(int(i)) for i in ids])
        sample = utils.move_to_cuda(sample, self.device) if self.device.type == "cuda" else sample
        found = self.task.inference_step(self.generator, self.models, sample)
        rows = []
        for sentence, hypotheses in zip(sample["id"].tolist(), found, strict=True):
            for hypothesis in hypotheses[: self.k_best]:
                tokens, score = hypothesis["tokens"].int().cpu(), float(hypothesis["score"])
                if len(tokens) > 1 and np.isfinite(score):  # more than the end-of-sentence symbol
                    rows.append((sentence, tokens, score))
        return rows

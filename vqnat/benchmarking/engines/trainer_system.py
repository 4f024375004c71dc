"""A model under fairseq's own trainer: what the training benchmark times."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from fairseq import options, tasks, utils
from fairseq.data import data_utils
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from fairseq.logging import metrics
from fairseq.trainer import Trainer

import vqnat.plugin  # noqa: F401  (registration)
from vqnat.benchmarking.harness.device import synchronizer
from vqnat.errors import UserError


class TrainingSystem:
    """A model, its criterion and its optimizer, as fairseq-train builds them from the same options.

    Args:
        name: its name in the results.
        words: options of fairseq-train.
        data: folder written by fairseq-preprocess.
        subset: the split to train on.
        device: ``cpu`` or ``cuda``.
        seed: of weights and dropout.

    Raises:
        UserError: fairseq rejects the options.
    """

    def __init__(self, name: str, words: Sequence[str], data: Path, subset: str, device: str, seed: int) -> None:
        self.name, self.device, self.words = name, device, list(words)
        given = [str(data), *words, "--seed", str(seed), *(["--cpu"] if device == "cpu" else [])]
        try:
            args = options.parse_args_and_arch(options.get_training_parser(), input_args=given)
        except SystemExit as error:  # argparse has printed the reason
            raise UserError(f"{name}: fairseq-train does not take {shlex.join(words)}") from error
        cfg = convert_namespace_to_omegaconf(args)
        utils.set_torch_seed(seed)
        task = tasks.setup_task(cfg.task)
        task.load_dataset(subset)
        self.dataset = task.dataset(subset)
        self.trainer = Trainer(cfg, task, task.build_model(cfg.model), task.build_criterion(cfg.criterion))
        self.parameters = sum(p.numel() for p in self.trainer.model.parameters())

    def batches(self, max_tokens: int) -> list[list[int]]:
        """All sentences, sorted by length, in batches of at most ``max_tokens`` tokens on either side."""
        order = self.dataset.ordered_indices()
        limit = data_utils.batch_by_size(order, self.dataset.num_tokens, max_tokens=max_tokens)
        return [[int(index) for index in batch] for batch in limit]

    def padding(self, batches: Sequence[Sequence[int]]) -> dict[str, float]:
        """Share of padding among all positions of ``batches``, for ``source`` and ``target``."""
        sizes = {"source": self.dataset.src_sizes, "target": self.dataset.tgt_sizes}
        return {
            side: 1 - sum(int(of[batch].sum()) for batch in batches) / sum(len(b) * int(of[b].max()) for b in batches)
            for side, of in sizes.items()
        }

    def step(self, batch: Sequence[int]) -> tuple[float, int]:
        """Make one optimizer step.

        Returns:
            Seconds, and the number of target tokens, including end of sentence but no padding.
        """
        sample = self.dataset.collater([self.dataset[index] for index in batch])
        synchronize = synchronizer(self.device)
        with metrics.aggregate(new_root=True):
            synchronize()
            start = perf_counter()
            self.trainer.train_step([sample])
            synchronize()
            return perf_counter() - start, sample["ntokens"]

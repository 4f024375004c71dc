"""Training speed: optimizer steps of fairseq's own trainer, systems in turn on the same batches."""

import gc
import random
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from fairseq import options, tasks, utils
from fairseq.data import data_utils
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from fairseq.logging import metrics
from fairseq.trainer import Trainer

import vqnat.plugin  # noqa: F401  (registration)
from vqnat.benchmarking.clock import synchroniser
from vqnat.errors import UserError


class TrainingSystem:
    """A model with the task, criterion and optimizer that its options of fairseq-train name.

    Args:
        name: in the results.
        words: options of fairseq-train.
        data: what fairseq-preprocess wrote.
        subset: the split to train on.
        device: ``cpu`` or ``cuda``.
        seed: of weights and dropout.

    Raises:
        UserError: fairseq does not take the options.
    """

    def __init__(self, name: str, words: Sequence[str], data: Path, subset: str, device: str, seed: int) -> None:
        self.name, self.device, self.words = name, device, list(words)
        given = [str(data), *words, "--seed", str(seed), *(["--cpu"] if device == "cpu" else [])]
        try:
            args = options.parse_args_and_arch(options.get_training_parser(), input_args=given)
        except SystemExit as error:  # argparse has said why
            raise UserError(f"{name}: fairseq-train does not take {shlex.join(words)}") from error
        cfg = convert_namespace_to_omegaconf(args)
        utils.set_torch_seed(seed)
        task = tasks.setup_task(cfg.task)
        task.load_dataset(subset)
        self.dataset = task.dataset(subset)
        self.trainer = Trainer(cfg, task, task.build_model(cfg.model), task.build_criterion(cfg.criterion))
        self.parameters = sum(p.numel() for p in self.trainer.model.parameters())

    def batches(self, max_tokens: int) -> list[list[int]]:
        """All sentences in batches of at most ``max_tokens`` on either side, neighbours by length together."""
        order = self.dataset.ordered_indices()
        limit = data_utils.batch_by_size(order, self.dataset.num_tokens, max_tokens=max_tokens)
        return [[int(index) for index in batch] for batch in limit]

    def padding(self, batches: Sequence[Sequence[int]]) -> dict[str, float]:
        """Share of pads among all positions of the ``source`` and of the ``target`` in ``batches``."""
        sizes = {"source": self.dataset.src_sizes, "target": self.dataset.tgt_sizes}
        return {
            side: 1 - sum(int(of[batch].sum()) for batch in batches) / sum(len(b) * int(of[b].max()) for b in batches)
            for side, of in sizes.items()
        }

    def step(self, batch: Sequence[int]) -> tuple[float, int]:
        """One update.

        Returns:
            Seconds; target tokens, end of sentence counted, pads not.
        """
        sample = self.dataset.collater([self.dataset[index] for index in batch])
        synchronise = synchroniser(self.device)
        with metrics.aggregate(new_root=True):
            synchronise()
            start = perf_counter()
            self.trainer.train_step([sample])
            synchronise()
            return perf_counter() - start, sample["ntokens"]


def measure(
    systems: Sequence[TrainingSystem],
    batches: Sequence[Sequence[int]],
    repeats: int,
    warmup: int,
    seed: int,
    progress: Callable[[str], None] = lambda line: None,
) -> dict[str, list[dict[str, Any]]]:
    """Time every system on every batch, in the order of :func:`vqnat.benchmarking.harness.measure`.

    Returns:
        name -> for each round ``seconds`` and ``tokens`` of all its batches.
    """
    order = random.Random(seed)
    for number in range(warmup):
        for system in systems:
            system.step(batches[number % len(batches)])
    found: dict[str, list[dict[str, Any]]] = {system.name: [] for system in systems}
    gc.collect()
    gc.disable()  # garbage of one system must not be collected in the time of another
    try:
        for round_ in range(repeats):
            progress(f"round {round_ + 1} of {repeats}")
            for rounds in found.values():
                rounds.append({"seconds": 0.0, "tokens": 0})
            for batch in order.sample(list(batches), len(batches)):
                for system in order.sample(list(systems), len(systems)):
                    seconds, tokens = system.step(batch)
                    found[system.name][-1]["seconds"] += seconds
                    found[system.name][-1]["tokens"] += tokens
                gc.collect()
    finally:
        gc.enable()
    return found


def records(
    systems: Sequence[TrainingSystem], found: dict[str, list[dict[str, Any]]], baseline: str
) -> list[dict[str, Any]]:
    """For each system target tokens per second, overall and by round, and their ratio to the baseline's.

    ``ratio`` is that of all rounds; ``ratio_rounds`` the least, median and most within one round.
    """
    speeds = {name: np.array([r["tokens"] / r["seconds"] for r in rounds]) for name, rounds in found.items()}
    totals = {
        name: sum(r["tokens"] for r in rounds) / sum(r["seconds"] for r in rounds) for name, rounds in found.items()
    }
    entries = []
    for system in systems:
        ratios = speeds[system.name] / speeds[baseline]
        entries.append(
            {
                "name": system.name,
                "options": shlex.join(system.words),
                "parameters": system.parameters,
                "tokens_per_second": totals[system.name],
                "round_tokens_per_second": speeds[system.name].tolist(),
                "ratio": totals[system.name] / totals[baseline],
                "ratio_rounds": [float(ratios.min()), float(np.median(ratios)), float(ratios.max())],
            }
        )
    return entries


def use_device(asked: str | None) -> str:
    """The device that training uses; ``cuda`` when there is one and nothing else is asked.

    Raises:
        UserError: there is none.
    """
    there = torch.cuda.is_available()
    if asked == "cuda" and not there:
        raise UserError("--device cuda: torch finds no GPU here; use --device cpu")
    return asked or ("cuda" if there else "cpu")

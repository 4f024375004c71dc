"""Time systems in turn on the same sentences, so that the machine's noise affects all of them alike."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from time import sleep

import numpy as np

from vqnat.benchmarking.harness.clock import timed_translation
from vqnat.benchmarking.harness.device import synchronizer
from vqnat.benchmarking.system import Batch, System
from vqnat.terminal.progress import Steps

PAUSE = 0.5  # s; Intel's OpenMP keeps idle threads busy for 0.2 s (KMP_BLOCKTIME)
Output = tuple[int, ...]  # tokens of one sentence, without special symbols
Timed = Callable[[System, Batch], tuple[float, list[list[int]]]]  # ms, and the tokens of each sentence


@dataclass
class Measurement:
    """One system's times and outputs.

    Attributes:
        ms: (rounds, batches) ms of each whole batch.
        outputs: outputs of the first round, by batch and sentence.
        stable: whether all rounds gave the same outputs.
    """

    ms: np.ndarray
    outputs: list[list[Output]]
    stable: bool = True


def measure(
    systems: Sequence[System],
    batches: Sequence[Batch],
    repeats: int,
    warmup: int,
    seed: int,
    device: str = "cpu",
    steps: Steps | None = None,
    label: str = "",
    in_processes: Timed | None = None,
) -> dict[str, Measurement]:
    """Time every system on every batch ``repeats`` times.

    Within a round, batches come in random order; each is translated by all systems, again in random order, before
    the next batch. In processes of their own each translates all batches of the round at its turn, after a pause: their
    threads go on spinning for a while, which takes the cores of whoever comes next.

    Args:
        systems: with unique names.
        batches: what each system translates.
        repeats: number of rounds.
        warmup: untimed batches that each system translates first, from the shortest to the longest.
        seed: of both orders.
        device: ``cpu`` or ``cuda``.
        steps: shows the rounds; it must draw only when it is told to, which is between timings.
        label: begins the name of each round there.
        in_processes: times a translation in a process of the system's own; None: in this one.

    Returns:
        name -> measurement, in the order of ``systems``.
    """
    timed = in_processes or partial(timed_translation, synchronize=synchronizer(device))
    order = random.Random(seed)
    for number in range(warmup):
        batch = batches[(number * (len(batches) - 1) // max(1, warmup - 1)) if warmup > 1 else -1]
        for system in systems:
            timed(system, batch)

    found = {s.name: Measurement(np.zeros((repeats, len(batches))), [[] for _ in batches]) for s in systems}
    for round_ in range(repeats):
        shuffled = order.sample(range(len(batches)), len(batches))
        if in_processes:
            turns = [(index, system) for system in order.sample(list(systems), len(systems)) for index in shuffled]
        else:
            turns = [(index, system) for index in shuffled for system in order.sample(list(systems), len(systems))]
        if steps:
            steps.step(f"{label}round {round_ + 1} of {repeats}", len(turns))
        before = None
        for index, system in turns:
            if in_processes and system is not before:
                sleep(PAUSE)
                timed(system, batches[index])  # its threads and caches are cold
                before = system
            elapsed, raw = timed(system, batches[index])
            measurement = found[system.name]
            measurement.ms[round_, index] = elapsed
            length = batches[index].length  # a latent transformer writes multiples of 2^nc tokens
            outputs = [content(tokens, system.specials)[:length] for tokens in raw]
            if round_ == 0:
                measurement.outputs[index] = outputs
            elif outputs != measurement.outputs[index]:
                measurement.stable = False
            if steps:
                steps.advance()
    return found


def content(tokens: Sequence[int], specials: frozenset[int]) -> Output:
    """An output without special symbols."""
    return tuple(token for token in tokens if token not in specials)

"""One codebook per latent channel, behind the interface of a single bottleneck."""

from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from vqnat.bottlenecks import BottleneckOutput, bottleneck_fields, bottleneck_options, build_bottleneck


class ManyCodebooks(nn.Module):
    """n bottlenecks, the i-th of which quantizes the positions i, i + n, i + 2n, ...

    Codes are in [0, K); the position tells which codebook a code belongs to. Counts are (n K,), codebook by codebook.
    """

    def __init__(self, number: int, make: Callable[[], nn.Module]):
        super().__init__()
        self.members = nn.ModuleList(make() for _ in range(number))

    @property
    def num_codes(self) -> int:
        """K."""
        return self.members[0].num_codes

    @property
    def started(self) -> bool:
        """Whether all codebooks have started."""
        return all(member.started for member in self.members)

    @property
    def accumulating(self) -> bool:
        """Whether training batches are accumulated for the next update."""
        return self.members[0].accumulating

    @accumulating.setter
    def accumulating(self, value: bool) -> None:
        for member in self.members:
            member.accumulating = value

    def _parts(self, x: Tensor) -> list[Tensor]:
        return [x[:, i :: len(self.members)] for i in range(len(self.members))]

    def forward(self, z: Tensor, mask: Tensor) -> BottleneckOutput:
        """z (B, T, D), mask (B, T) with T a multiple of n; see :class:`BottleneckOutput`."""
        found = [m(*parts) for m, parts in zip(self.members, zip(self._parts(z), self._parts(mask)), strict=True)]  # noqa: B905

        def together(name: str) -> Tensor:
            return torch.stack([getattr(part, name) for part in found], 2).flatten(1, 2)  # (B, T, ...)

        losses = {name: tuple(sum(part.losses[name][i] for part in found) for i in (0, 1)) for name in found[0].losses}
        counts = torch.cat([part.code_counts for part in found])
        return BottleneckOutput(together("quantized"), together("codes"), together("samples"), losses, counts)

    def encode(self, z: Tensor) -> Tensor:
        """The codes (B, T) of z (B, T, D) as evaluation assigns them."""
        parts = zip(self.members, self._parts(z), strict=True)
        return torch.stack([member.encode(part) for member, part in parts], 2).flatten(1, 2)

    def embed(self, codes: Tensor) -> Tensor:
        """The vectors (B, T, D) of codes (B, T)."""
        parts = zip(self.members, self._parts(codes), strict=True)
        return torch.stack([member.embed(part) for member, part in parts], 2).flatten(1, 2)

    def mean_posterior(self, z: Tensor, mask: Tensor) -> Tensor | None:
        """The mean posterior (n K,): the members' in a row, each weighted by 1 / n."""
        parts = zip(self.members, self._parts(z), self._parts(mask), strict=True)
        found = [member.mean_posterior(*both) for member, *both in parts]
        return None if any(part is None for part in found) else torch.cat(found) / len(found)

    def set_num_updates(self, num_updates: int) -> None:
        for member in self.members:
            member.set_num_updates(num_updates)

    def discard(self) -> None:
        for member in self.members:
            member.discard()

    def apply_update(self) -> None:
        for member in self.members:
            member.apply_update()

    def usage(self) -> dict[str, Tensor]:
        """The codebook usage, averaged over the codebooks."""
        found = [member.usage() for member in self.members]
        return {name: sum(part[name] for part in found) / len(found) for name in found[0]}

    def scalars(self) -> dict[str, float]:
        return self.members[0].scalars()


def build_codebooks(config: object, own_defaults: type, dim: int) -> nn.Module:
    """Build the bottleneck that an image model's options ask for.

    Args:
        config: the options, with ``bottleneck`` and ``codebooks``.
        own_defaults: the model's default options. An option that has the model's default was not given by the user,
            so it is not an error if the chosen bottleneck lacks it.
        dim: D, components of a code.
    """
    known = bottleneck_fields(config.bottleneck)
    options = Namespace()
    for option in bottleneck_options():
        value = getattr(config, option.name)
        given = option.name in known or value != getattr(own_defaults, option.name)
        setattr(options, option.name, value if given else option.default)

    def make() -> nn.Module:
        return build_bottleneck(config.bottleneck, options, dim)

    return make() if config.codebooks == 1 else ManyCodebooks(config.codebooks, make)


def draws(bottleneck: nn.Module) -> bool:
    """Whether the decoder reads a mixture or a random draw in training, not the assigned code."""
    return any(getattr(module, "draws", False) for module in bottleneck.modules())


@contextmanager
def as_in_training(bottleneck: nn.Module, seed: int = 1) -> Iterator[None]:
    """Let a bottleneck sample as in training, reproducibly and without affecting its codebook.

    Used for figures whose decoder reads soft EM's mean of m codes. Such a figure is not a code length: the mean of m
    codes cannot be sent at the price of one.
    """
    training, accumulating = bottleneck.training, bottleneck.accumulating
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        bottleneck.train()
        bottleneck.accumulating = False
        try:
            yield
        finally:
            bottleneck.train(training)
            bottleneck.accumulating = accumulating

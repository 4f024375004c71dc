"""What the options of all bottlenecks have in common."""

from dataclasses import dataclass, field

from vqnat.errors import UserError


def check(config: object, *rules: tuple[str, bool, str]) -> None:
    """Refuse the first option that breaks its rule.

    Args:
        config: has the options as attributes.
        rules: (name of the attribute, whether its value is possible, what is possible in words).

    Raises:
        UserError: names the option, the value and the valid values.
    """
    for name, valid, expected in rules:
        if not valid:
            option = name.replace("_", "-")
            raise UserError(f"--{option} {getattr(config, name)} is not possible; valid: {expected}")


@dataclass
class Options:
    """The root of every config, so that each may check its own options and pass on to the next."""

    def __post_init__(self) -> None:
        pass


@dataclass
class SizeConfig(Options):
    """The option of every bottleneck whose number of codes is free."""

    codebook_size: int = field(
        default=4096, metadata={"help": "K, the number of codes: 2 to 65536; the paper uses 2^8 to 2^16"}
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check(self, ("codebook_size", 2 <= self.codebook_size <= 65536, "2 to 65536"))


@dataclass
class CommitmentConfig(Options):
    """The option of every bottleneck that pulls the encoder's vectors to their codes."""

    commitment: float = field(
        default=0.25, metadata={"help": "beta, weight of the commitment loss (mean over dimensions)"}
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check(self, ("commitment", self.commitment >= 0, "0 or more"))


def log2_of(config: SizeConfig) -> int:
    """log2 K, for bottlenecks whose codes are bits.

    Raises:
        UserError: K is not a power of 2.
    """
    size = config.codebook_size
    check(config, ("codebook_size", size & (size - 1) == 0, "a power of 2, from 2 to 65536"))
    return size.bit_length() - 1

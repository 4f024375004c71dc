"""Options of the image autoencoders."""

from dataclasses import dataclass, field

from fairseq.dataclass import FairseqDataclass

from vqnat.bottlenecks import bottleneck_names
from vqnat.errors import UserError
from vqnat.image.autoencoders.convolutions import ConvShape
from vqnat.models.latent_transformer_options import with_bottleneck_options

OUTPUTS = ("softmax", "mse")


@dataclass
class ConvConfig(FairseqDataclass):
    """Options of the encoder and the decoder; the defaults are those of Roy et al. 2018."""

    hidden_size: int = field(default=512, metadata={"help": "channels of the hidden layers"})
    kernel_size: int = field(default=5, metadata={"help": "kernel size of the strided convolutions: 4 or 5"})
    halvings: int = field(
        default=2, metadata={"help": "number of strided convolutions, each of which halves height and width"}
    )
    residual_layers: int = field(default=2, metadata={"help": "residual layers of the encoder and of the decoder"})
    middle_convolution: bool = field(
        default=False, metadata={"help": "add a 3 x 3 convolution between strided convolutions and residual layers"}
    )
    latent_channels: int = field(default=10, metadata={"help": "codes at each place of the latent field"})
    code_dim: int = field(default=512, metadata={"help": "D, components of a code"})
    output: str = field(
        default="softmax",
        metadata={
            "help": "softmax: a distribution over 256 values per sub-pixel; mse: one value and its squared error"
        },
    )


@dataclass
class _VQVAEConfig(ConvConfig):
    codebooks: int = field(
        default=1,
        metadata={"help": "1: one codebook for all latent channels; equal to --latent-channels: one for each"},
    )
    bottleneck: str = field(
        default="hard_em", metadata={"help": f"discrete bottleneck: {', '.join(bottleneck_names())}"}
    )


ImageVQVAEConfig = with_bottleneck_options(
    "ImageVQVAEConfig", _VQVAEConfig, __name__, "Options of ``--arch image_vqvae``."
)


def conv_shape(config: ConvConfig) -> ConvShape:
    """The sizes of encoder and decoder, from the options."""
    return ConvShape(
        config.hidden_size, config.kernel_size, config.halvings, config.residual_layers, config.middle_convolution
    )


def latent_field(config: ConvConfig, image_size: tuple[int, int]) -> tuple[int, int, int]:
    """(h, w, c) of the codes of an image.

    Raises:
        UserError: an option is impossible, or the image's sides are not multiples of 2^halvings.
    """
    checks = (
        ("hidden-size", config.hidden_size >= 1, "1 or more"),
        ("kernel-size", config.kernel_size in (4, 5), "4 or 5"),
        ("halvings", 1 <= config.halvings <= 6, "1 to 6"),
        ("residual-layers", config.residual_layers >= 0, "0 or more"),
        ("latent-channels", config.latent_channels >= 1, "1 or more"),
        ("code-dim", config.code_dim >= 1, "1 or more"),
        ("output", config.output in OUTPUTS, ", ".join(OUTPUTS)),
    )
    for option, valid, expected in checks:
        if not valid:
            raise UserError(
                f"--{option} {getattr(config, option.replace('-', '_'))} is not possible; valid: {expected}"
            )
    factor = 2**config.halvings
    if image_size[0] % factor or image_size[1] % factor:
        raise UserError(
            f"--halvings {config.halvings}: images of {image_size[0]} x {image_size[1]} pixels cannot be halved so "
            f"often; both sides must be multiples of {factor}"
        )
    return image_size[0] // factor, image_size[1] // factor, config.latent_channels

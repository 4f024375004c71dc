"""Options of ``--arch latent_transformer``: its own, and after them those of every bottleneck."""

import dataclasses
from dataclasses import dataclass, field

from omegaconf import II

from vqnat.bottlenecks import bottleneck_names, bottleneck_options
from vqnat.errors import UserError
from vqnat.models.code_training import CodeTrainingConfig, code_training_checks
from vqnat.output_layers import check_output_layer, output_layer_names

LENGTH_MODES = ("predictor", "ratio")
DECODER_READS = ("codes", "expectation")
TAKES_PRIOR = ("hard_em", "soft_em")  # bottlenecks whose E step takes a prior over codes


@dataclass
class _ModelConfig(CodeTrainingConfig):
    encoder_layers: int = field(default=6, metadata={"help": "layers of the source encoder"})
    encoder_normalize_before: bool = field(
        default=False, metadata={"help": "LayerNorm before each block of the source encoder, not after"}
    )
    decoder_layers: int = field(default=6, metadata={"help": "layers of the parallel decoder"})
    predictor_layers: int = field(
        default=0, metadata={"help": "layers of the autoregressive latent predictor; 0: as many as the decoder"}
    )
    decoder_reads: str = field(
        default="codes",
        metadata={
            "help": "what the decoder reads where the predictor has chosen, in greedy search and at --predicted-codes "
            "of training: codes, the vector of the best code, or expectation, the mean of all codes' vectors by the "
            "predictor's probabilities, which says how sure it is; in a beam always codes"
        },
    )
    helper_layers: int = field(
        default=0,
        metadata={
            "help": "layers of an autoregressive helper on the shared source encoder, a second task in training "
            "(Hao et al. 2021, arXiv:2010.12868); 0: none"
        },
    )
    embed_dim: int = field(default=512, metadata={"help": "D, width of every part and of the codes"})
    ffn_embed_dim: int = field(default=2048, metadata={"help": "inner width of the feed-forward parts"})
    attention_heads: int = field(default=8, metadata={"help": "attention heads of every part"})
    dropout: float = field(default=0.1, metadata={"help": "dropout probability"})
    attention_dropout: float = field(default=0.0, metadata={"help": "dropout probability of attention weights"})
    activation_dropout: float = field(default=0.0, metadata={"help": "dropout probability inside feed-forward parts"})
    share_decoder_input_output_embed: bool = field(
        default=False, metadata={"help": "one table for target embeddings and the output layer"}
    )
    share_all_embeddings: bool = field(
        default=False,
        metadata={"help": "one table for source, target and output (needs a joined dictionary)"},
    )
    compression_steps: int = field(
        default=3, metadata={"help": "nc: the latent sequence is 2^nc times shorter than the target; 1 to 5"}
    )
    target_encoder_attends_source: bool = field(
        default=False,
        metadata={"help": "the target encoder reads the encoded source (Kaiser et al. 2018; less stable)"},
    )
    length_mode: str = field(
        default="predictor",
        metadata={
            "help": "what sets the number of codes at inference: predictor (it ends the sequence itself) or ratio "
            "(a fixed multiple of the source length, as in the original)"
        },
    )
    length_ratio: float = field(
        default=2.0, metadata={"help": "target positions per source token, with --length-mode ratio"}
    )
    bottleneck: str = field(
        default="soft_em", metadata={"help": f"discrete bottleneck: {', '.join(bottleneck_names())}"}
    )
    output_layer: str = field(
        default="plain",
        metadata={"help": f"how positions become words: {', '.join(output_layer_names())} (Graves 2006; Huang 2022)"},
    )
    output_upsample: float = field(
        default=0.0,
        metadata={
            "help": "positions of the output layer per target position (without latents: per source token); "
            "0: the layer's own, with latents plain 1, ctc 2, dag 2, without ctc 2, dag 3"
        },
    )
    max_source_positions: int = II("task.max_source_positions")
    max_target_positions: int = II("task.max_target_positions")


def with_bottleneck_options(name: str, base: type, module: str, doc: str) -> type:
    """``base`` with the options of all bottlenecks as fields after its own.

    Args:
        name: of the new dataclass.
        base: the model's own options.
        module: ``__name__`` of the caller, where the new class can be found (pickling).
        doc: its docstring.
    """
    fields = [
        (option.name, option.type, field(default=option.default, metadata=dict(option.metadata)))
        for option in bottleneck_options()
    ]
    return dataclasses.make_dataclass(name, fields, bases=(base,), namespace={"__doc__": doc, "__module__": module})


LatentTransformerConfig = with_bottleneck_options(
    "LatentTransformerConfig", _ModelConfig, __name__, "Options of ``--arch latent_transformer``."
)


class TakesBottleneckOptions:
    """A fairseq model whose config has the options of all bottlenecks."""

    @classmethod
    def add_args(cls, parser) -> None:
        """As fairseq's; an option whose name fairseq has too (``--ema-decay``) keeps our default."""
        super().add_args(parser)
        config = getattr(cls, "__dataclass")()
        parser.set_defaults(**{option.name: getattr(config, option.name) for option in bottleneck_options()})


def check(config: _ModelConfig) -> None:
    """Refuse impossible options.

    Raises:
        UserError: names the option, the value and the valid values.
    """
    checks = (
        ("compression-steps", 1 <= config.compression_steps <= 5, "1 to 5"),
        ("length-mode", config.length_mode in LENGTH_MODES, ", ".join(LENGTH_MODES)),
        ("length-ratio", config.length_ratio > 0, "more than 0"),
        ("encoder-layers", config.encoder_layers >= 1, "1 or more"),
        ("decoder-layers", config.decoder_layers >= 1, "1 or more"),
        ("predictor-layers", config.predictor_layers >= 0, "0 (as the decoder) or more"),
        ("decoder-reads", config.decoder_reads in DECODER_READS, ", ".join(DECODER_READS)),
        ("helper-layers", config.helper_layers >= 0, "0 (none) or more"),
        ("dropout", 0 <= config.dropout < 1, "0 <= value < 1"),
        *code_training_checks(config),
    )
    for option, valid, expected in checks:
        if not valid:
            value = getattr(config, option.replace("-", "_"))
            raise UserError(f"--{option} {value} is not possible; valid: {expected}")
    check_output_layer(config, latents=True)
    if config.predictable_codes and config.bottleneck not in TAKES_PRIOR:
        raise UserError(
            f"--predictable-codes {config.predictable_codes}: not with --bottleneck {config.bottleneck}; "
            f"valid: {', '.join(TAKES_PRIOR)}"
        )
    if config.embed_dim % config.attention_heads:
        raise UserError(
            f"--embed-dim {config.embed_dim} is not a multiple of --attention-heads {config.attention_heads}"
        )

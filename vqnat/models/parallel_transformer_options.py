"""Options of ``--arch parallel_transformer``: those that it shares with the latent transformer."""

import dataclasses
from dataclasses import dataclass, field

from fairseq.dataclass import FairseqDataclass

from vqnat.errors import UserError
from vqnat.models.latent_transformer_options import LatentTransformerConfig
from vqnat.output_layers import check_output_layer

_SHARED = (
    *("encoder_layers", "encoder_normalize_before", "decoder_layers", "embed_dim", "ffn_embed_dim", "attention_heads"),
    *("dropout", "attention_dropout", "activation_dropout", "share_all_embeddings", "output_layer", "output_upsample"),
    *("max_source_positions", "max_target_positions"),
)
_OWN_DEFAULTS = {"output_layer": "ctc"}

ParallelTransformerConfig = dataclasses.make_dataclass(
    "ParallelTransformerConfig",
    [
        (
            option.name,
            option.type,
            field(default=_OWN_DEFAULTS.get(option.name, option.default), metadata=option.metadata),
        )
        for option in dataclasses.fields(LatentTransformerConfig)
        if option.name in _SHARED
    ],
    bases=(FairseqDataclass,),
    namespace={"__doc__": "Options of ``--arch parallel_transformer``.", "__module__": __name__},
)


@dataclass
class TinyParallelConfig(ParallelTransformerConfig):
    """4 + 4 layers, 128 wide: the usual size for Multi30k."""

    encoder_layers: int = 4
    decoder_layers: int = 4
    embed_dim: int = 128
    ffn_embed_dim: int = 256
    attention_heads: int = 4


def check(config: ParallelTransformerConfig) -> None:
    """Refuse impossible options.

    Raises:
        UserError: names the option, the value and the valid values.
    """
    for option in ("encoder_layers", "decoder_layers"):
        if getattr(config, option) < 1:
            name = option.replace("_", "-")
            raise UserError(f"--{name} {getattr(config, option)} is not possible; valid: 1 or more")
    if not 0 <= config.dropout < 1:
        raise UserError(f"--dropout {config.dropout} is not possible; valid: 0 <= value < 1")
    if config.embed_dim % config.attention_heads:
        raise UserError(
            f"--embed-dim {config.embed_dim} is not a multiple of --attention-heads {config.attention_heads}"
        )
    check_output_layer(config, latents=False)

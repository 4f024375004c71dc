"""Named sizes. Each is a config of its own, so ``--arch NAME`` and a YAML's ``_name: NAME`` mean the same."""

from dataclasses import dataclass

from fairseq.models import register_model

from vqnat.models.latent_transformer import LatentTransformer
from vqnat.models.latent_transformer_options import LatentTransformerConfig


@dataclass
class SmallConfig(LatentTransformerConfig):
    """3 layers, 384 wide: the original's small size."""

    encoder_layers: int = 3
    decoder_layers: int = 3
    embed_dim: int = 384
    ffn_embed_dim: int = 1536
    attention_heads: int = 6


@dataclass
class TinyConfig(LatentTransformerConfig):
    """4 + 4 layers, 128 wide: the usual size for Multi30k."""

    encoder_layers: int = 4
    decoder_layers: int = 4
    embed_dim: int = 128
    ffn_embed_dim: int = 256
    attention_heads: int = 4


@register_model("latent_transformer_small", dataclass=SmallConfig)
class LatentTransformerSmall(LatentTransformer):
    __doc__ = SmallConfig.__doc__


@register_model("latent_transformer_tiny", dataclass=TinyConfig)
class LatentTransformerTiny(LatentTransformer):
    __doc__ = TinyConfig.__doc__

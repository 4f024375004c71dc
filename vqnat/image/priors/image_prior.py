"""An autoregressive prior over the codes of an image (Roy et al. 2018, section 5.2; Parmar et al. 2018)."""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from fairseq.dataclass import FairseqDataclass
from fairseq.models import BaseFairseqModel, register_model
from torch import Tensor, nn

from vqnat.errors import UserError
from vqnat.kernels.dropout import dropout
from vqnat.kernels.linear import Linear
from vqnat.modules.key_value_cache import StackCache
from vqnat.modules.local_attention import LocalDotProduct
from vqnat.modules.transformer import StackShape, TransformerStack


@dataclass
class ImagePriorConfig(FairseqDataclass):
    """Options of ``--arch image_latent_transformer``; the layers and their attention are those of Roy et al. 2018."""

    prior_layers: int = field(default=6, metadata={"help": "number of layers"})
    prior_dim: int = field(default=512, metadata={"help": "width of the layers"})
    prior_ffn_dim: int = field(default=2048, metadata={"help": "hidden width of the feed-forward networks"})
    prior_heads: int = field(default=8, metadata={"help": "attention heads"})
    block_length: int = field(
        default=128,
        metadata={
            "help": "local attention: a code attends to earlier codes of its own and the previous block of this length"
        },
    )
    dropout: float = field(default=0.1, metadata={"help": "dropout probability"})


def check(config: ImagePriorConfig) -> None:
    """Check the options.

    Raises:
        UserError: one is impossible.
    """
    for option in ("prior-layers", "prior-dim", "prior-ffn-dim", "prior-heads", "block-length"):
        value = getattr(config, option.replace("-", "_"))
        if value < 1:
            raise UserError(f"--{option} {value} is not possible; valid: 1 or more")
    if config.prior_dim % config.prior_heads:
        raise UserError(f"--prior-dim {config.prior_dim} is not a multiple of --prior-heads {config.prior_heads}")
    if not 0 <= config.dropout < 1:
        raise UserError(f"--dropout {config.dropout} is not possible; valid: 0 <= value < 1")


@register_model("image_latent_transformer", dataclass=ImagePriorConfig)
class ImagePrior(BaseFairseqModel):
    """A causal Transformer with local self-attention over the T = h w c codes of an image, row by row.

    It learns its own code embeddings; where a position has m samples (training with soft EM), it reads the mean of
    their embeddings. The input at position i predicts code i + 1; a learned vector predicts the first.

    Attributes:
        num_codes: K.
        field: (h, w, c) of the latents.
        codebooks: 1, or c with one codebook per channel.
        length: T.
    """

    def __init__(self, config: ImagePriorConfig, num_codes: int, latent_field: tuple[int, int, int], codebooks: int):
        super().__init__()
        check(config)
        self.num_codes, self.field, self.codebooks = num_codes, latent_field, codebooks
        self.length = latent_field[0] * latent_field[1] * latent_field[2]
        dim = config.prior_dim
        rates = (config.dropout, 0.0, 0.0)
        shape = StackShape(config.prior_layers, dim, config.prior_ffn_dim, config.prior_heads, *rates)
        self.embedding = nn.Embedding(codebooks * num_codes, dim)
        self.start = nn.Parameter(torch.randn(dim) * dim**-0.5)
        self.positions = nn.Parameter(torch.randn(self.length, dim) * dim**-0.5)
        window = LocalDotProduct(min(config.block_length, self.length))
        self.stack = TransformerStack(shape, reads_source=False, core=window)
        self.output_proj = Linear(dim, num_codes)
        nn.init.normal_(self.embedding.weight, std=dim**-0.5)
        nn.init.normal_(self.output_proj.weight, std=dim**-0.5)
        nn.init.zeros_(self.output_proj.bias)

    @classmethod
    def build_model(cls, config: ImagePriorConfig, task) -> "ImagePrior":
        """Build for the codes of the task's autoencoder (fairseq calls this)."""
        autoencoder = task.autoencoder
        return cls(config, autoencoder.bottleneck.num_codes, autoencoder.field, autoencoder.config.codebooks)

    def _rows(self, codes: Tensor, first: int) -> Tensor:
        """Rows of the embedding matrix for codes (B, T', m) at positions from ``first``."""
        if self.codebooks == 1:
            return codes
        index = torch.arange(first, first + codes.shape[1], device=codes.device) % self.codebooks
        return codes + (index * self.num_codes)[:, None]

    def _embed(self, codes: Tensor, first: int = 0) -> Tensor:
        """(B, T', m) -> (B, T', D), the mean over the m codes."""
        rows = self._rows(codes, first)
        return F.embedding(rows, self.embedding.weight).mean(2)

    def forward(self, codes: Tensor) -> Tensor:
        """Teacher forcing.

        Args:
            codes: (B, T, m) int64 in [0, K).

        Returns:
            (B, T, K) logits; those at position i depend on codes before i only.
        """
        x = self._embed(codes[:, :-1])  # (B, T - 1, D)
        x = torch.cat([self.start.expand(len(codes), 1, -1), x], 1) + self.positions  # (B, T, D)
        x = dropout(x, self.stack.shape.dropout, self.training)
        return self.output_proj(self.stack(x, None, causal=True))

    def begin(self, batch: int) -> StackCache:
        """An empty key-value cache for ``batch`` images."""
        return self.stack.new_cache(batch, self.length, self.start)

    def step(self, codes: Tensor | None, position: int, cache: StackCache) -> Tensor:
        """Logits (B, K) of the code at ``position``.

        Args:
            codes: (B,) the codes at ``position - 1``; None at position 0.
            position: index of the code to predict.
            cache: from :meth:`begin`; keys and values of this position are written into it.
        """
        x = self.start.expand(cache.batch, 1, -1) if codes is None else self._embed(codes[:, None, None], position - 1)
        x = x + self.positions[position]
        return self.output_proj(self.stack(x, None, causal=True, caches=cache.at(position))[:, 0])

    @torch.no_grad()
    def sample(self, batch: int, temperature: float = 1.0, generator: torch.Generator | None = None) -> Tensor:
        """Sample the codes (B, T) of new images.

        Args:
            batch: number of images.
            temperature: of the softmax; 0 takes the likeliest code.
            generator: random number generator on the model's device.
        """
        codes = torch.zeros(batch, self.length, dtype=torch.long, device=self.start.device)
        cache = self.begin(batch)
        for i in range(self.length):
            logits = self.step(codes[:, i - 1] if i else None, i, cache)  # (B, K)
            if temperature == 0:
                codes[:, i] = logits.argmax(-1)
            else:
                share = (logits.float() / temperature).softmax(-1)
                codes[:, i] = torch.multinomial(share, 1, generator=generator)[:, 0]
        return codes

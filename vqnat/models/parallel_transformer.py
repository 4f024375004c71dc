"""A parallel transformer without latents: CTC (Libovický and Helcl 2018) or a graph of words (Huang et al. 2022)."""

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from fairseq.models import BaseFairseqModel, register_model
from fairseq.models.transformer import Embedding
from torch import Tensor, nn

from vqnat.errors import UserError
from vqnat.kernels.argmax import argmax
from vqnat.kernels.linear import Linear
from vqnat.models.inference import prepare_for
from vqnat.models.parallel_transformer_options import ParallelTransformerConfig, TinyParallelConfig, check
from vqnat.models.source_copy_decoder import SourceCopyDecoder
from vqnat.models.source_encoder import EncodedSource, SourceEncoder
from vqnat.modules.transformer import StackShape
from vqnat.output_layers import Positions, build_output_layer
from vqnat.output_layers.output_layer import PAD
from vqnat.output_layers.registry import check_checkpoint, upsample_factor


@dataclass
class ParallelOutput:
    """What a training forward pass gives the criterion.

    Attributes:
        positions: what the output layer reads.
        glanced: () at how many positions the decoder was shown the target; None without glancing.
        alignable: () at how many it could have been.
    """

    positions: Positions
    glanced: Tensor | None = None
    alignable: Tensor | None = None


@register_model("parallel_transformer", dataclass=ParallelTransformerConfig)
class ParallelTransformer(BaseFairseqModel):
    """Source encoder, parallel decoder over copies of the source, output layer."""

    def __init__(self, config: ParallelTransformerConfig, source_embedding: Embedding, target_symbols: int):
        super().__init__()
        self.config = config
        self.pad = PAD
        self.num_updates = 0
        rates = (config.dropout, config.attention_dropout, config.activation_dropout)
        shape = StackShape(
            config.decoder_layers, config.embed_dim, config.ffn_embed_dim, config.attention_heads, *rates
        )
        encoder_shape = replace(shape, layers=config.encoder_layers, normalize_before=config.encoder_normalize_before)
        self.encoder = SourceEncoder(encoder_shape, source_embedding, config.max_source_positions)
        upsample = upsample_factor(config, latents=False)
        self.decoder = SourceCopyDecoder(shape, config.max_source_positions, upsample)
        self.output_proj = Linear(config.embed_dim, target_symbols, bias=False)
        if config.share_all_embeddings:
            self.output_proj.weight = source_embedding.weight
        else:
            nn.init.normal_(self.output_proj.weight, std=config.embed_dim**-0.5)
        self.output_layer = build_output_layer(config)

    @classmethod
    def build_model(cls, config: ParallelTransformerConfig, task) -> "ParallelTransformer":
        """Build from the options and the task's dictionaries (fairseq calls this)."""
        check(config)
        source, target = task.source_dictionary, task.target_dictionary
        if config.share_all_embeddings and source != target:
            raise UserError("--share-all-embeddings needs a joined dictionary (fairseq-preprocess)")
        return cls(config, Embedding(len(source), config.embed_dim, source.pad()), len(target))

    def load_state_dict(self, state_dict, strict=True, model_cfg=None, args=None):
        """As fairseq's; a different vocabulary or output layer is reported before torch lists every tensor."""
        check_checkpoint(self.output_layer, state_dict)
        for name, side in (("encoder.embedding", "source"), ("output_proj", "target")):
            theirs, ours = state_dict.get(f"{name}.weight"), self.get_submodule(name).weight
            if theirs is not None and len(theirs) != len(ours):
                raise UserError(
                    f"the checkpoint was trained with a {side} dictionary of {len(theirs)} symbols, "
                    f"the data's has {len(ours)}"
                )
        return super().load_state_dict(state_dict, strict, model_cfg, args)

    def prepare_for_inference_(self, cfg):
        """As fairseq's, which fairseq-generate and -interactive call; then the task's ``--decode-...`` options."""
        super().prepare_for_inference_(cfg)
        prepare_for(self, cfg.task)

    def set_num_updates(self, num_updates):
        """fairseq's count of updates, which glancing goes by."""
        self.num_updates = num_updates
        super().set_num_updates(num_updates)

    def max_positions(self) -> tuple[int, int]:
        """(source, target) lengths in tokens."""
        return self.config.max_source_positions, self.config.max_target_positions

    def max_decoder_positions(self) -> int:
        return self.config.max_target_positions

    def forward(self, src_tokens: Tensor, src_lengths: Tensor, target: Tensor, glancing: float = 0.0) -> ParallelOutput:
        """One training pass.

        Args:
            src_tokens: (B, S) source, end of sentence included, padded on either side.
            src_lengths: (B,) its lengths in tokens; not needed.
            target: (B, T) target, end of sentence included, padded on the right; read by glancing only.
            glancing: of the positions where the model is wrong, as large a share is shown in the decoder's input.
        """
        source = self.encoder(src_tokens)
        x, real = self.decoder.begin(source, src_tokens.ne(self.pad))
        glanced = alignable = None
        if glancing > 0:
            shown, glanced, alignable = self._glance(x, real, source, target, glancing)
            words = F.embedding(shown.clamp(min=0), self.output_proj.weight) * self.config.embed_dim**0.5
            x = torch.where((shown >= 0).unsqueeze(-1), words.to(x), x)
        features = self.decoder(x, real, source)
        return ParallelOutput(Positions(features, real, self.output_proj(features[real])), glanced, alignable)

    @torch.no_grad()
    def _glance(
        self, x: Tensor, real: Tensor, source: EncodedSource, target: Tensor, share: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Which aligned words the decoder is shown (Qian et al. 2021), (B, L), -1 elsewhere; how many; of how many.

        Words are aligned with positions by the best way to write the target: Viterbi's for CTC (Gu and Kong 2021), the
        best path for a graph (Huang et al. 2022). The number is ``share`` of those that a first pass gets wrong.
        """
        self.decoder.eval()  # what the model knows, at less cost than with dropout
        features = self.decoder(x, real, source)
        self.decoder.train(self.training)
        positions = Positions(features, real, self.output_proj(features[real]))
        aligned = self.output_layer.align(positions, target)  # (B, L)
        candidates = aligned.ne(self.pad)
        best = aligned.clone()
        best[candidates] = argmax(positions.logits[candidates[real]])
        wrong = best.ne(aligned).sum(1)  # (B,)
        number = (wrong * share + torch.rand_like(wrong, dtype=torch.float32)).floor()  # rounded at random
        order = torch.rand(aligned.shape, device=aligned.device).masked_fill(~candidates, 2.0).argsort(1).argsort(1)
        chosen = candidates & (order < number.unsqueeze(1))
        return aligned.masked_fill(~chosen, -1), chosen.sum(), candidates.sum()

    def decode(self, source: EncodedSource, real: Tensor) -> tuple[Tensor, Tensor]:
        """Features (B, L, D) and real positions (B, L), from real source tokens (B, S)."""
        x, positions = self.decoder.begin(source, real)
        return self.decoder(x, positions, source), positions


@register_model("parallel_transformer_tiny", dataclass=TinyParallelConfig)
class ParallelTransformerTiny(ParallelTransformer):
    __doc__ = TinyParallelConfig.__doc__

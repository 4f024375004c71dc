"""The latent transformer (Kaiser et al. 2018; Roy et al. 2018, section 5.1)."""

from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from fairseq.models import BaseFairseqModel, register_model
from fairseq.models.transformer import Embedding
from torch import Tensor, nn

from vqnat.bottlenecks import BottleneckOutput, build_bottleneck
from vqnat.errors import UserError
from vqnat.kernels.linear import Linear
from vqnat.models.autoregressive_helper import AutoregressiveHelper
from vqnat.models.code_training import PARTS, mix_predicted, trained_parts, vectors_read
from vqnat.models.inference import prepare_for
from vqnat.models.latent_predictor import LatentPredictor
from vqnat.models.latent_transformer_options import LatentTransformerConfig, TakesBottleneckOptions, check
from vqnat.models.parallel_decoder import ParallelDecoder
from vqnat.models.source_encoder import EncodedSource, SourceEncoder
from vqnat.models.target_encoder import TargetEncoder
from vqnat.modules.transformer import StackShape
from vqnat.output_layers import Positions, build_output_layer
from vqnat.output_layers.registry import check_checkpoint, upsample_factor
from vqnat_serving.code_lengths import codes_for


@dataclass
class TrainingOutput:
    """What a training forward pass gives the criterion.

    Attributes:
        positions: what the output layer reads; None while only the predictor is trained, which no word depends on.
        target: (B, T) target, end of sentence included, padded on the right.
        code_logits: (B, T + 1, K + 1) of the latent predictor for each of its passes; none until the codebook has
            started.
        code_targets: (B, T + 1, m) what they predict, including the end of the codes.
        code_mask: (B, T + 1) True where a prediction counts.
        bottleneck: the record of the bottleneck.
        helper_logits: (N, V) of the autoregressive helper at the N real target positions; None without one.
    """

    positions: Positions | None
    target: Tensor
    code_logits: list[Tensor]
    code_targets: Tensor
    code_mask: Tensor
    bottleneck: BottleneckOutput
    helper_logits: Tensor | None = None


@register_model("latent_transformer", dataclass=LatentTransformerConfig)
class LatentTransformer(TakesBottleneckOptions, BaseFairseqModel):
    """Source encoder, target encoder, bottleneck, latent predictor, parallel decoder.

    Training:  target -> target encoder -> bottleneck -> decoder -> the same target;  source -> predictor -> codes.
    Inference: source -> predictor -> codes -> decoder -> all words in one pass.
    """

    config: Any  # a LatentTransformerConfig, a dataclass that is made at run time

    def __init__(
        self, config: LatentTransformerConfig, source_embedding: Embedding, target_embedding: Embedding, eos: int = 2
    ):
        super().__init__()
        self.config = config
        self.eos = eos
        self.pad = target_embedding.padding_idx
        self.stride = 2**config.compression_steps
        self.max_codes = codes_for(config.max_target_positions, self.stride)

        def shape(layers: int) -> StackShape:
            rates = (config.dropout, config.attention_dropout, config.activation_dropout)
            return StackShape(layers, config.embed_dim, config.ffn_embed_dim, config.attention_heads, *rates)

        steps = config.compression_steps
        encoder_shape = replace(shape(config.encoder_layers), normalize_before=config.encoder_normalize_before)
        self.encoder = SourceEncoder(encoder_shape, source_embedding, config.max_source_positions)
        self.target_encoder = TargetEncoder(shape(0), target_embedding, steps, config.target_encoder_attends_source)
        self.bottleneck = build_bottleneck(config.bottleneck, config, config.embed_dim)
        predictor_shape = shape(config.predictor_layers or config.decoder_layers)
        if config.predictor_dropout is not None:
            predictor_shape = replace(predictor_shape, dropout=config.predictor_dropout)
        self.predictor = LatentPredictor(predictor_shape, self.bottleneck, self.max_codes, config.tie_predictor_output)
        upsample = upsample_factor(config, latents=True)
        self.decoder = ParallelDecoder(shape(config.decoder_layers), steps, self.max_codes * self.stride, upsample)
        self.helper = None
        if config.helper_layers:
            # one more position: a candidate that fills all positions gets an end of sentence
            longest = self.max_codes * self.stride + 1
            self.helper = AutoregressiveHelper(shape(config.helper_layers), target_embedding, longest)
        vocabulary = target_embedding.num_embeddings
        self.output_proj = Linear(config.embed_dim, vocabulary, bias=False)
        if config.share_decoder_input_output_embed or config.share_all_embeddings:
            self.output_proj.weight = target_embedding.weight
        else:
            nn.init.normal_(self.output_proj.weight, std=config.embed_dim**-0.5)
        self.output_layer = build_output_layer(config)

        self.frozen = [part for name in PARTS if name not in trained_parts(config) and (part := getattr(self, name))]
        trained = {id(p) for name in trained_parts(config) if (part := getattr(self, name)) for p in part.parameters()}
        for parameter in self.parameters():  # one that is shared with a part that is trained is trained
            parameter.requires_grad_(id(parameter) in trained)

    def train(self, mode: bool = True) -> "LatentTransformer":
        """As torch's; frozen parts (``--train-only``) stay in evaluation: no dropout, no draws, no new codes."""
        super().train(mode)
        for part in self.frozen:
            part.eval()
        return self

    @classmethod
    def build_model(cls, config: LatentTransformerConfig, task) -> "LatentTransformer":
        """Build from the options and the task's dictionaries (fairseq calls this)."""
        check(config)
        source, target = task.source_dictionary, task.target_dictionary
        source_embedding = Embedding(len(source), config.embed_dim, source.pad())
        if config.share_all_embeddings:
            if source != target:
                raise UserError("--share-all-embeddings needs a joined dictionary (fairseq-preprocess)")
            target_embedding = source_embedding
        else:
            target_embedding = Embedding(len(target), config.embed_dim, target.pad())
        return cls(config, source_embedding, target_embedding, target.eos())

    def load_state_dict(self, state_dict, strict=True, model_cfg=None, args=None):
        """As fairseq's; a different vocabulary or output layer is reported before torch lists every tensor."""
        check_checkpoint(self.output_layer, state_dict)
        for name, side in (("encoder.embedding", "source"), ("target_encoder.embedding", "target")):
            theirs, ours = state_dict.get(f"{name}.weight"), self.get_submodule(name).num_embeddings
            if theirs is not None and len(theirs) != ours:
                raise UserError(
                    f"the checkpoint was trained with a {side} dictionary of {len(theirs)} symbols, "
                    f"the data's has {ours}"
                )
        return super().load_state_dict(state_dict, strict, model_cfg, args)

    def prepare_for_inference_(self, cfg):
        """As fairseq's, which fairseq-generate and -interactive call; then the task's ``--decode-...`` options."""
        super().prepare_for_inference_(cfg)
        prepare_for(self, cfg.task)

    def max_positions(self) -> tuple[int, int]:
        """(source, target) lengths in tokens."""
        return self.config.max_source_positions, self.config.max_target_positions

    def max_decoder_positions(self) -> int:
        return self.config.max_target_positions

    def num_codes(self, source_lengths: Tensor, target_lengths: Tensor | None = None) -> Tensor:
        """How many codes each sentence has (B,), from lengths in tokens (B,), end of sentence included.

        With ``--length-mode ratio`` max(|y|, ratio |x|) positions, in inference ratio |x|.
        """
        lengths = target_lengths
        if self.config.length_mode == "ratio":
            lengths = (source_lengths * self.config.length_ratio).ceil().long()
            lengths = lengths if target_lengths is None else torch.maximum(lengths, target_lengths)
        return codes_for(lengths, self.stride).clamp(1, self.max_codes)

    def forward(
        self, src_tokens: Tensor, src_lengths: Tensor, target: Tensor, predictor_passes: int = 1
    ) -> TrainingOutput:
        """One training pass.

        Args:
            src_tokens: (B, S) source, end of sentence included, padded on either side.
            src_lengths: (B,) its lengths in tokens.
            target: (B, T) target, end of sentence included, padded on the right.
            predictor_passes: how often the latent predictor runs, each time with new dropout masks.
        """
        source = self.encoder(src_tokens)
        codes = self.num_codes(src_lengths, target.ne(self.pad).sum(1))  # (B,)
        num = codes_for(target.shape[1], self.stride)
        if self.config.length_mode == "ratio":
            num = int(codes.max())
        target = F.pad(target, (0, num * self.stride - target.shape[1]), value=self.pad)  # (B, num * 2^nc)
        real = torch.arange(num, device=codes.device) < codes.unsqueeze(1)  # (B, num)

        z = self.target_encoder(target, source)  # (B, num, D)
        latents = self._quantize(z, real, source)
        code_targets, code_mask = self._code_targets(latents.samples, codes, real)
        vectors, code_logits = latents.quantized, []
        if self.bottleneck.started:
            if self.training:
                vectors = vectors_read(self.config, self.bottleneck, latents, real)
            code_logits = [self.predictor(vectors, source) for _ in range(predictor_passes)]
        positions = helper_logits = None
        if not (self.training and trained_parts(self.config) == {"predictor"}):
            if self.training and self.config.predicted_codes and code_logits:
                rate, expectation = self.config.predicted_codes, self.config.decoder_reads == "expectation"
                vectors = mix_predicted(rate, self.bottleneck, vectors, code_logits[0], real, expectation)
            features = self.decoder(vectors, real, source)  # (B, L, D)
            written = self.output_layer.written(target, self.decoder.real_positions(real))  # (B, L)
            positions = Positions(features, written, self.output_proj(features[written]))
            if self.helper is not None:
                helper_logits = self.output_proj(self.helper(target, self.eos, source)[target.ne(self.pad)])
        return TrainingOutput(
            positions=positions,
            target=target,
            code_logits=code_logits,
            code_targets=code_targets,
            code_mask=code_mask,
            bottleneck=latents,
            helper_logits=helper_logits,
        )

    def _quantize(self, z: Tensor, real: Tensor, source: EncodedSource) -> BottleneckOutput:
        """The codes of z (B, T, D), real (B, T); ``--predictable-codes``: the predictor gives the prior."""
        weight, floor = self.config.predictable_codes, self.config.predictable_codes_floor
        if not weight or not self.bottleneck.started:
            return self.bottleneck(z, real)
        codebook = self.bottleneck.codebook
        if codebook.perplexity() < floor * len(codebook):
            return self.bottleneck(z, real)
        with torch.no_grad():
            # Each code's prior depends on the codes before it: those that distances alone would choose.
            before = self.bottleneck.embed(self.bottleneck.encode(z)).to(z) * real.unsqueeze(-1)
            logits = self.predictor(before, source)[:, :-1, : self.bottleneck.num_codes]  # (B, T, K)
            log_prior = weight * logits.float().log_softmax(-1)
        return self.bottleneck(z, real, log_prior)

    def _code_targets(self, samples: Tensor, codes: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """Samples (B, T, m) with the end at position ``codes`` (B,), and which predictions count (B, T + 1)."""
        targets = F.pad(samples, (0, 0, 0, 1))  # (B, T + 1, m)
        index = torch.arange(targets.shape[1], device=codes.device)
        ends = index == codes.unsqueeze(1)  # (B, T + 1)
        targets = targets.masked_fill(ends.unsqueeze(-1), self.predictor.end)
        mask = F.pad(real, (0, 1))
        return targets, mask if self.config.length_mode == "ratio" else mask | ends

    def helper_scores(self, candidates: Tensor, source: EncodedSource) -> Tensor:
        """The helper's log p(word | words before, source) (B, T) of candidates (B, T), padded on the right."""
        logits = self.output_proj(self.helper(candidates, self.eos, source))  # (B, T, V)
        return logits.log_softmax(-1, dtype=torch.float32).gather(-1, candidates.unsqueeze(-1)).squeeze(-1)

    def decode(self, codes: Tensor, real: Tensor, source: EncodedSource, vectors: Tensor | None = None) -> Tensor:
        """Features (B, L, D) of all positions for the output layer.

        Args:
            codes: (B, T).
            real: (B, T) True at codes of the sentence.
            source: the encoded source.
            vectors: (B, T, D) read instead of the codes' own, see ``--decoder-reads``.
        """
        vectors = self.bottleneck.embed(codes) if vectors is None else vectors
        return self.decoder(vectors.to(source.vectors), real, source)

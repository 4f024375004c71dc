"""Searches over a set of sentences, and the text that is decoded from given codes.

All sentences of a batch have one source length (:func:`plan_batches`): no source is padded, and fairseq's search, which
limits output lengths by the longest source of a batch, gives a sentence the output that it would get alone.
"""

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
import torch
from fairseq.dataclass.configs import GenerationConfig
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from vqnat.decoding.latent_generator import LatentGenerator
from vqnat.decoding.latent_search import CodeSequences
from vqnat.diagnosis.diagnose_options import Options
from vqnat.distillation.batches import plan_batches
from vqnat.hub.translator import LatentTranslator
from vqnat_serving.vocabulary import BOS, EOS, PAD


@dataclass(frozen=True)
class Written:
    """What a model wrote for one sentence.

    Attributes:
        tokens: (length,) int64, end-of-sentence last.
        text: plain text, subwords joined.
        codes: (T,) the latents; None for an autoregressive model.
        at_limit: whether it is as long as allowed; None if the source alone determines the length.
    """

    tokens: Tensor
    text: str
    codes: Tensor | None = None
    at_limit: bool | None = None


@dataclass(frozen=True)
class Batch:
    """Sentences of one source length: their places in the set, tokens (B, S) and lengths (B,) on the device."""

    places: list[int]
    tokens: Tensor
    lengths: Tensor

    def sample(self) -> dict:
        """The batch as fairseq's tasks expect it."""
        return {"net_input": {"src_tokens": self.tokens, "src_lengths": self.lengths}}


def batches(sources: Sequence[Tensor], options: Options, device: torch.device, beam: int = 1) -> Iterator[Batch]:
    """All sentences in batches of at most ``--max-tokens`` source tokens over ``beam`` and ``--batch-size``."""
    lengths = np.array([len(source) for source in sources])
    for ids in plan_batches(lengths, max(1, options.max_tokens // beam), options.batch_size):
        tokens = torch.stack([sources[i] for i in ids]).to(device)
        yield Batch(ids.tolist(), tokens, torch.full((len(ids),), tokens.shape[1], device=device))


def device_of(translator: LatentTranslator) -> torch.device:
    """The device of its model."""
    return next(translator.model.parameters()).device


def text_of(translator: LatentTranslator, tokens: Tensor) -> str:
    """Plain text of target tokens."""
    kept = [token for token in tokens.tolist() if token not in (BOS, PAD, EOS)]
    return translator.pieces.decode(translator.target.decode(kept))


def generator_of(translator: LatentTranslator, beam: int = 1):
    """What fairseq-generate would search with: a :class:`LatentGenerator`, or fairseq's own for a teacher."""
    settings = GenerationConfig(beam=beam, nbest=1, **translator.settings)
    return translator.task.build_generator([translator.model], settings)


@torch.no_grad()
def translate(translator: LatentTranslator, sources: Sequence[Tensor], options: Options, beam: int) -> list[Written]:
    """The best hypothesis of each source, as fairseq-generate finds it with this beam."""
    generator, device = generator_of(translator, beam), device_of(translator)
    found: dict[int, Written] = {}
    for batch in batches(sources, options, device, beam):
        hypotheses = translator.task.inference_step(generator, [translator.model], batch.sample())
        limits = _limits(generator, batch.lengths)
        for place, [best, *_], limit in zip(batch.places, hypotheses, limits, strict=True):
            tokens, codes = best["tokens"].long().cpu(), best.get("codes")
            length = len(tokens) - 1 if codes is None else len(codes)
            at_limit = None if limit is None else length >= limit
            found[place] = Written(tokens, text_of(translator, tokens), codes, at_limit)
    return [found[place] for place in range(len(sources))]


def _limits(generator, lengths: Tensor) -> list[int | None]:
    """Maximum number of codes of a latent transformer, or of tokens before end-of-sentence of another model."""
    if not isinstance(generator, LatentGenerator):
        most = [int(generator.max_len_a * n + generator.max_len_b) for n in lengths.tolist()]
        return [min(n, generator.max_len - 1) for n in most]
    if generator.model.config.length_mode == "ratio":
        return [None] * len(lengths)
    return generator.code_limits(lengths).tolist()


def sequences_of(codes: Sequence[Tensor], device: torch.device) -> CodeSequences:
    """Given codes (T_i,) in the form that the search returns."""
    lengths = torch.tensor([len(one) for one in codes], device=device)
    padded = pad_sequence(list(codes), batch_first=True).to(device)  # padded with 0
    return CodeSequences(padded, lengths, torch.zeros(len(codes), device=device))


def with_codes(generator: LatentGenerator, predict: Callable[..., CodeSequences]) -> LatentGenerator:
    """A generator that decodes like the given one, but from the codes that ``predict(source, lengths)`` returns."""
    other = copy(generator)
    other.predict_codes = predict
    return other


@torch.no_grad()
def decode_given(
    translator: LatentTranslator, sources: Sequence[Tensor], codes: Sequence[Tensor], options: Options
) -> list[Written]:
    """What the model writes from given codes (T_i,), along the same path as in its own decoding."""
    generator, device = generator_of(translator), device_of(translator)
    found: dict[int, Written] = {}
    for batch in batches(sources, options, device):
        given = sequences_of([codes[place] for place in batch.places], device)
        forced = with_codes(generator, lambda source, lengths, given=given: given)
        hypotheses = translator.task.inference_step(forced, [translator.model], batch.sample())
        for place, [best] in zip(batch.places, hypotheses, strict=True):
            found[place] = Written(best["tokens"].cpu(), text_of(translator, best["tokens"]), best["codes"])
    return [found[place] for place in range(len(sources))]

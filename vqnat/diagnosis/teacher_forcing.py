"""Teacher forcing: given texts pass the model as in training, for their codes and the predictor's guesses."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from vqnat.diagnosis.decoding import batches, device_of, generator_of, sequences_of
from vqnat.diagnosis.diagnose_options import Options
from vqnat.diagnosis.models import samples_drawn
from vqnat.diagnosis.pairs import Pairs
from vqnat.hub.translator import LatentTranslator
from vqnat.models.latent_transformer import LatentTransformer


@dataclass
class Forced:
    """One sentence; an entry for each of its T codes unless stated otherwise.

    Attributes:
        codes: (T,) int64 of the target text, as in training but without sampling.
        nats: (T + 1,) negative log-probability of each code and of the end, given the true preceding codes; (T,) if
            the end is not predicted.
        right: likewise, whether the predictor's best guess is the code.
        entropy: nats, of the posterior over codes; empty if there is none, like the next two.
        best: probability of the posterior's best code, the expected share of samples that equal it.
        agree: probability that all m samples are the same code.
        wrong: (length,) whether the word decoded from the true codes differs from the target's, end-of-sentence
            included; None unless the output layer has one position per word.
    """

    codes: Tensor
    nats: Tensor
    right: Tensor
    entropy: Tensor = field(default_factory=lambda: torch.empty(0))
    best: Tensor = field(default_factory=lambda: torch.empty(0))
    agree: Tensor = field(default_factory=lambda: torch.empty(0))
    wrong: Tensor | None = None


@contextmanager
def _reading(bottleneck: torch.nn.Module) -> Iterator[dict[str, Any]]:
    """What the bottleneck read in the last forward pass: z (B, T, D) and its mask (B, T), True = real."""
    seen: dict[str, Any] = {}

    def keep(module, arguments, output) -> None:
        seen["z"], seen["mask"] = arguments[:2]

    hook = bottleneck.register_forward_hook(keep)
    try:
        yield seen
    finally:
        hook.remove()


def one_position_a_word(model: LatentTransformer) -> bool:
    """Whether the output layer writes word t at position t."""
    return getattr(model.config, "output_layer", "plain") == "plain"


@torch.no_grad()
def force(translator: LatentTranslator, pairs: Pairs, options: Options) -> list[Forced]:
    """Run every pair through the model's training pass in evaluation mode; results are in the order of ``pairs``."""
    model, device = translator.model.eval(), device_of(translator)
    generator = generator_of(translator)
    found: dict[int, Forced] = {}
    with _reading(model.bottleneck) as seen:
        for batch in batches(pairs.sources, options, device):
            targets = [pairs.targets[place] for place in batch.places]
            for place, one in zip(batch.places, _codes(model, batch, targets, seen), strict=True):
                found[place] = one
            if one_position_a_word(model):
                rows = [found[place] for place in batch.places]
                source = generator.encode(batch.tokens)
                words, _ = generator.decode_codes(sequences_of([row.codes for row in rows], device), source)
                for row, target, written in zip(rows, targets, words.cpu(), strict=True):
                    row.wrong = written[: len(target)] != target
    return [found[place] for place in range(len(pairs.ids))]


def _codes(model: LatentTransformer, batch, targets: Sequence[Tensor], seen: dict[str, Any]) -> list[Forced]:
    padded = pad_sequence(list(targets), batch_first=True, padding_value=model.pad)  # (B, T)
    output = model(batch.tokens, batch.lengths, padded.to(batch.tokens.device))
    # One element per pass of the predictor, or the logits themselves.
    logits = output.code_logits[0] if isinstance(output.code_logits, list) else output.code_logits
    logits, samples, counted = logits.float(), output.code_targets, output.code_mask  # (B, T + 1, K + 1), (.., m), (..)
    nats = (logits.logsumexp(-1) - logits.gather(-1, samples).mean(-1)).cpu()  # (B, T + 1)
    right = (logits.argmax(-1) == samples[..., 0]).cpu()
    codes, mask, counted = output.bottleneck.codes.cpu(), seen["mask"].cpu(), counted.cpu()
    rows = [Forced(codes[i][mask[i]], nats[i][counted[i]], right[i][counted[i]]) for i in range(len(targets))]
    bottleneck = model.bottleneck
    with torch.autocast(seen["z"].device.type, enabled=False):
        posterior = bottleneck.posterior(bottleneck.prepare(seen["z"][seen["mask"]].float()))  # (N, K) or None
    if posterior is not None:
        m = samples_drawn(model)
        sizes = mask.sum(1).tolist()
        for name, values in (
            ("entropy", torch.special.entr(posterior).sum(-1)),
            ("best", posterior.amax(-1)),
            *([("agree", posterior.pow(m).sum(-1))] if m else []),
        ):
            for row, part in zip(rows, values.cpu().split(sizes), strict=True):
                setattr(row, name, part)
    return rows

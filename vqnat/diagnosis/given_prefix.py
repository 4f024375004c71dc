"""How far a wrong code leads astray: the first codes are given, the rest is predicted."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import torch
from torch import Tensor

from vqnat.decoding.latent_search import CodeSequences, greedy_codes
from vqnat.diagnosis.decoding import Written, batches, device_of, generator_of, sequences_of, text_of, with_codes
from vqnat.diagnosis.diagnose_options import Options
from vqnat.hub.translator import LatentTranslator
from vqnat.models.latent_predictor import LatentPredictor, PredictorState
from vqnat.models.source_encoder import EncodedSource


@dataclass
class GivenFirst:
    """A predictor that gives all probability to the first ``first`` codes of each sequence (or to its end)."""

    predictor: LatentPredictor
    given: CodeSequences
    first: int

    @property
    def end(self) -> int:
        """The class that ends a sequence."""
        return self.predictor.end

    def begin(self, source: EncodedSource, beam: int, length: int) -> PredictorState:
        """As the predictor's."""
        return self.predictor.begin(source, beam, length)

    def step(self, vectors: Tensor | None, position: int, state: PredictorState) -> Tensor:
        """As the predictor's, logits (B, K + 1); its caches advance in any case."""
        logits = self.predictor.step(vectors, position, state)
        if position >= self.first:
            return logits
        classes = torch.full_like(self.given.lengths, self.end)
        if position < self.given.codes.shape[1]:
            classes = torch.where(position < self.given.lengths, self.given.codes[:, position], classes)
        # Not -infinity: after the end no code would have a probability, and their expectation no value.
        return torch.full_like(logits, -1e9).scatter_(1, classes.unsqueeze(1), 0.0)


@torch.no_grad()
def translate_after(
    translator: LatentTranslator, sources: Sequence[Tensor], codes: Sequence[Tensor], first: int, options: Options
) -> list[Written]:
    """Greedy search that starts from the first ``first`` of the given codes (T_i,) of each sentence."""
    model, device = translator.model, device_of(translator)
    generator = generator_of(translator)
    fixed = model.config.length_mode == "ratio"
    found: dict[int, Written] = {}
    for batch in batches(sources, options, device):
        given = sequences_of([codes[place] for place in batch.places], device)
        helped = SimpleNamespace(predictor=GivenFirst(model.predictor, given, first), bottleneck=model.bottleneck)

        def search(source: EncodedSource, lengths: Tensor, given=given, helped=helped) -> CodeSequences:
            limits = generator.code_limits(lengths)
            if first:  # the given codes may be more than a search may return
                limits = torch.maximum(limits, given.lengths.clamp(max=first))
            return greedy_codes(helped, source, limits, fixed, generator.table())

        hypotheses = translator.task.inference_step(with_codes(generator, search), [model], batch.sample())
        for place, [best] in zip(batch.places, hypotheses, strict=True):
            found[place] = Written(best["tokens"].cpu(), text_of(translator, best["tokens"]), best["codes"])
    return [found[place] for place in range(len(sources))]

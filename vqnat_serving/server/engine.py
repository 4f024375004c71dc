"""Model, teacher and the words of each code: what a request needs, in the model's thread."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from vqnat_serving.onnx_translator import OnnxTranslator
from vqnat_serving.server.settings import Settings
from vqnat_serving.server.teacher import BEAM, Teacher
from vqnat_serving.translator import Decoded

RUNS = 5  # of each system when times are compared
OFTEN = 4  # words that are shown of a code


@dataclass(frozen=True)
class Sentence:
    """What is to be decoded.

    Attributes:
        tokens: of the source, the end last; not the end alone.
        beam: candidates.
        scored: whether scores are wanted.
        codes: given ones, instead of a search.
    """

    tokens: list[int]
    beam: int = 1
    scored: bool = False
    codes: tuple[int, ...] | None = None

    @property
    def cost(self) -> int:
        """Sequences that are decoded."""
        return self.beam


class Engine:
    """Everything that is loaded. Only :meth:`OnnxTranslator.encode` may be called beside the model's thread.

    Raises:
        UserError: a folder cannot be used.
    """

    def __init__(self, settings: Settings):
        self.translator = OnnxTranslator(
            settings.model, precision=settings.precision, threads=settings.threads, shortlist=settings.shortlist
        )
        self.precision, self.threads = self.translator.precision, settings.threads
        folder = self.translator.model_folder
        self.name = folder.name if folder else Path(str(settings.model)).resolve().name
        found = folder.code_words() if folder else None
        self.code_words = {code: [text for text, _ in rows] for code, rows in (found or {}).items()}
        self.teacher = None
        if settings.teacher is not None:
            in_pieces = self.translator.description.sentencepiece is None
            self.teacher = Teacher(Path(settings.teacher), in_pieces, self.precision, settings.threads)
        self.warm_up()

    def warm_up(self) -> None:
        """Load what is loaded on first use, so that no request pays for it."""
        tokens = [*range(4, min(12, len(self.translator.source))), 2]
        latents = self.translator.description.latents
        for beam in (1, 2) if latents else (1,):
            self.run([Sentence(tokens, beam, scored=True)])
        if latents:
            self.translator.likely_codes(tokens, [0], 1)
        if self.teacher:
            self.teacher.translate(self.translator.pieces.decode(self.translator.source.decode(tokens[:-1])))

    def run(self, sentences: list[Sentence]) -> list[list[Decoded]]:
        """For each sentence its candidates, best first; those that are decoded alike share batches."""
        results: list[list[Decoded]] = [[] for _ in sentences]
        groups: dict[tuple[bool, int, bool], list[int]] = {}
        for place, one in enumerate(sentences):
            groups.setdefault((one.codes is not None, one.beam, one.scored), []).append(place)
        for (given, beam, scored), places in groups.items():
            chosen = [sentences[place] for place in places]
            tokens = [one.tokens for one in chosen]
            if given:
                codes = [one.codes or () for one in chosen]
                found = [[one] for one in self.translator.decode_codes(tokens, codes, scored)]
            else:
                found = [self.translator.candidates(one) for one in self.translator.decode(tokens, beam, scored)]
            for place, decoded in zip(places, found, strict=True):
                results[place] = decoded
        return results

    def propose(
        self, tokens: list[int], codes: Sequence[int], place: int, count: int
    ) -> list[tuple[int, float | None, Decoded]]:
        """Codes for a place, their probabilities, and what would be written with them."""
        likely: list[tuple[int, float | None]] = [*self.translator.likely_codes(tokens, codes, count)[place]]
        if not likely:
            likely = [(code, None) for code in self._common_codes(count)]
        swapped = [(*codes[:place], code, *codes[place + 1 :]) for code, _ in likely]
        found = self.run([Sentence(tokens, scored=True, codes=one) for one in swapped])
        return [(code, probability, one[0]) for (code, probability), one in zip(likely, found, strict=True)]

    def explain(
        self, tokens: list[int], codes: Sequence[int] | None, count: int
    ) -> tuple[list[list[tuple[int, float]]], Decoded]:
        """The likeliest choices at each step, and the translation."""
        given = None if codes is None else tuple(codes)
        [[decoded, *_]] = self.run([Sentence(tokens, scored=True, codes=given)])
        return self.translator.likely_codes(tokens, decoded.codes or (), count) if decoded.codes else [], decoded

    def compare(self, text: str) -> list[tuple[str, float, str]]:
        """The model's translation and the teacher's, the median ms of each, and how each was made.

        Each runs alone, one after the other, :data:`RUNS` times in turn.
        """
        kind = "greedy codes, then all words at once" if self.translator.description.latents else "all words at once"
        cores = f"{self.precision}, {self.threads} thread{'s' if self.threads != 1 else ''}"
        systems = [(lambda: str(self.translator.translate([text])[0]), f"{kind}; onnxruntime, {cores}")]
        if teacher := self.teacher:
            systems.append((lambda: teacher.translate(text), f"word by word, beam {BEAM}; CTranslate2, {cores}"))
        texts = [""] * len(systems)
        times: list[list[float]] = [[] for _ in systems]
        for _ in range(RUNS):
            for place, (translate, _how) in enumerate(systems):
                begun = perf_counter()
                texts[place] = translate()
                times[place].append((perf_counter() - begun) * 1000)
        return [(found, median(ms), how) for found, ms, (_, how) in zip(texts, times, systems, strict=True)]

    def often(self, code: int) -> list[str]:
        """What a code most often writes."""
        return self.code_words.get(code, [])[:OFTEN]

    def _common_codes(self, count: int) -> list[int]:
        """Codes to propose where nothing tells which are likely: those with known words first."""
        every = range(self.translator.description.end)
        return [*self.code_words, *(code for code in every if code not in self.code_words)][:count]

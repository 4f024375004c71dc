"""Sentences through the exported graphs: padded on the way in, each one's own positions on the way out."""

from collections.abc import Sequence

import numpy as np

from vqnat_serving.description import Description
from vqnat_serving.models import CodeSequences, Models, Source
from vqnat_serving.vocabulary import PAD
from vqnat_serving.written import Written


class GraphDecoder:
    """Searches and decoders of an export, on onnxruntime.

    Sources are tokens, the end of sentence last; limits are the most codes of each sentence.

    Args:
        models: the graphs.
        about: what the export says of itself.
    """

    def __init__(self, models: Models, about: Description):
        self._models, self._about = models, about

    def translate(self, sources: Sequence[list[int]], scored: bool) -> list[Written]:
        """Without latents: what each sentence's positions say."""
        written = self._models.decode_source(self._encoded(sources), scored)
        return [self._row(written, row, len(source)) for row, source in enumerate(sources)]

    def search(
        self,
        sources: Sequence[list[int]],
        limits: Sequence[int],
        fixed: bool,
        turns: int | None,
        scored: bool,
        beam: int = 1,
        length_penalty: float = 1.0,
    ) -> list[list[Written]]:
        """The ``beam`` best code sequences of each sentence, and what the decoder writes from them.

        Arguments as in :meth:`Models.greedy` and :meth:`Models.beam`.
        """
        source = self._encoded(sources).repeat(beam)
        most = np.array(limits)
        if beam == 1:
            found = self._models.greedy(source, most, fixed, turns)
        else:
            found = self._models.beam(source, most, fixed, beam, length_penalty)
        rows = self._decode(found, source, scored)
        return [rows[i : i + beam] for i in range(0, len(rows), beam)]

    def given(
        self, sources: Sequence[list[int]], codes: Sequence[Sequence[int]], limits: Sequence[int], scored: bool
    ) -> list[Written]:
        """What the decoder writes from given codes; their log-probability where the export can tell it."""
        source = self._encoded(sources)
        lengths = np.array([len(one) for one in codes])
        padded = np.zeros((len(codes), lengths.max()), dtype=np.int64)
        for row, one in enumerate(codes):
            padded[row, : len(one)] = one
        scores = np.zeros(len(codes), dtype=np.float32)
        if scored and self._models.scores_codes:
            log_probs = self._models.predict(padded, source)  # (B, T + 1, K + 1)
            for row, (one, length) in enumerate(zip(codes, lengths, strict=True)):
                scores[row] = log_probs[row, np.arange(length), list(one)].sum()
                if self._about.length_mode != "ratio" and length < limits[row]:
                    scores[row] += log_probs[row, length, self._about.end]  # at the limit it costs nothing
        return self._decode(CodeSequences(padded, lengths, scores), source, scored)

    def likely(self, source: list[int], codes: Sequence[int], count: int) -> list[list[tuple[int, float]]]:
        """The ``count`` most probable codes at each place after those before it; empty where the export cannot tell."""
        if not self._models.scores_codes:
            return [[] for _ in codes]
        found = self._models.predict(np.array([codes]), self._encoded([source]))
        probabilities = np.exp(found[0, : len(codes), : self._about.end])
        best = np.argsort(-probabilities, axis=-1, kind="stable")[:, :count]
        return [
            [(int(code), float(row[code])) for code in order] for row, order in zip(probabilities, best, strict=True)
        ]

    def _encoded(self, sources: Sequence[list[int]]) -> Source:
        batch = np.full((len(sources), max(map(len, sources))), PAD, dtype=np.int64)
        for row, tokens in enumerate(sources):
            batch[row, : len(tokens)] = tokens
        return self._models.encode(batch, batch != PAD)

    def _decode(self, found: CodeSequences, source: Source, scored: bool) -> list[Written]:
        written = self._models.decode(found, source, scored)
        rows = []
        for row, (codes, length) in enumerate(zip(found.codes, found.lengths.tolist(), strict=True)):
            one = self._row(written, row, length * self._about.stride)
            rows.append(one._replace(codes=codes[:length].tolist(), code_score=float(found.scores[row])))
        return rows

    def _row(self, written: tuple[np.ndarray, ...], row: int, length: int) -> Written:
        """A sentence of ``length`` target positions or source tokens, out of a batch."""
        room = self._about.positions(length)
        words, scores, *graph = (part[row, :room].tolist() for part in written)
        following, links = graph or ((), ())
        return Written(words, scores, following=following, links=links)

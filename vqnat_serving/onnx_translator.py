"""A translator that needs neither torch nor fairseq."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import numpy as np

from vqnat_serving.alignment import Alignment, align
from vqnat_serving.batches import batches_by_length
from vqnat_serving.code_lengths import codes_for
from vqnat_serving.cores import check_threads, usable_cores
from vqnat_serving.description import PRECISIONS
from vqnat_serving.errors import UserError
from vqnat_serving.export_place import ExportPlace
from vqnat_serving.hub_download import local_folder
from vqnat_serving.hypothesis import Hypothesis
from vqnat_serving.model_folder import CODE_WORDS, CONFIG, ONNX, SCORES, SMALL_MODEL
from vqnat_serving.models import CodeSequences, Models, Source
from vqnat_serving.native.engine import native_engine
from vqnat_serving.native.library import Written
from vqnat_serving.output_layers import READERS, Read
from vqnat_serving.pieces import SentencePieces, Words
from vqnat_serving.translator import Decoded, Translator
from vqnat_serving.vocabulary import PAD, Vocabulary

# Larger batches are slower: what they compute no longer fits the processor's caches (examples/latency/NOTES.md).
MAX_TOKENS = 256
ENGINES = ("native", "onnx")
# Of a model on the Hub, what is fetched.
NEEDED = (CONFIG, f"{ONNX}/*", "dict.*.txt", "*.model", CODE_WORDS, SCORES)


class OnnxTranslator(Translator):
    """An exported latent or parallel transformer, without torch.

    Greedy translations are those of the package's own engine (:mod:`vqnat_serving.native`) where it was built and the
    export has its weights; everything else, and everything where it is missing, is onnxruntime's.

        translator = OnnxTranslator()  # the small model that ships with the package
        translator.translate(["The old woman wanted to buy three books."])

    Args:
        folder: a model folder with an ``onnx/``, a folder that ``vqnat export`` wrote, or a model on the Hugging Face
            Hub (``org/name``); None: the small English-German model that ships with the package.
        precision: ``fp32`` or ``int8``, as exported; None: fp32 if it is there.
        threads: of onnxruntime in one operation, and parts of a batch that the own engine translates at once; 0 is one
            for each core.
        length_penalty: scores are divided by the length to this power.
        max_len_a: at most ``max_len_a * |x| + max_len_b`` target tokens.
        max_len_b: see there.
        max_tokens: of a batch, see :class:`Translator`.
        max_sentences: of a batch.
        revision: of a model on the Hub: branch, tag or commit.
        engine: ``native`` or ``onnx``; None: native where it can be.

    Attributes:
        description: what the export says of itself.
        precision: what is run.
        native: the own engine; None where onnxruntime does everything.
        model_folder: the model folder around the export; None for an export of its own.

    Raises:
        UserError: something is wrong with the folder or an argument, more threads than cores among them.
    """

    def __init__(
        self,
        folder: str | Path | None = None,
        precision: str | None = None,
        threads: int = 1,
        length_penalty: float = 1.0,
        max_len_a: float = 0.0,
        max_len_b: int = 200,
        max_tokens: int = MAX_TOKENS,
        max_sentences: int = 64,
        revision: str | None = None,
        engine: str | None = None,
    ):
        if engine not in (None, *ENGINES):
            raise UserError(f"engine {engine!r}: needed one of {', '.join(ENGINES)}")
        check_threads(threads)
        place = ExportPlace.find(SMALL_MODEL if folder is None else local_folder(folder, revision, NEEDED))
        self.description = about = place.describe()
        self.model_folder = place.model
        self.aligned_pieces = (
            Words() if about.sentencepiece is None else SentencePieces(place.text(about.sentencepiece))
        )
        super().__init__(
            Vocabulary.read(place.text(about.source_dictionary)),
            Vocabulary.read(place.text(about.target_dictionary)),
            self.aligned_pieces,
            about.max_source_tokens,
            max_tokens,
            max_sentences,
        )
        self.precision = precision or next((one for one in PRECISIONS if one in about.precisions), PRECISIONS[0])
        self._place, self._threads = place, threads
        self.native = None if engine == "onnx" else native_engine(place, about, self.precision, engine == "native")
        if self.native is None:
            self.models.load()
        # For benchmarks: the number of codes of every sentence; the step that would end them is computed too.
        self.forced_codes: int | None = None
        self.length_penalty, self.max_len_a, self.max_len_b = length_penalty, max_len_a, max_len_b

    @cached_property
    def models(self) -> Models:
        """The graphs in onnxruntime. Raises UserError."""
        return Models(self._place, self.description, self.precision, self._threads)

    def decode_batch(self, sources: list[list[int]], beam: int, scored: bool = True) -> list[list[Decoded]]:
        """Codes by greedy or beam search, then all words of each candidate in one pass; without latents the words."""
        if self.native is not None and beam == 1:
            return self._decode_natively(sources, scored)
        if not self.description.latents and beam > 1:
            raise UserError(f"beam {beam}: this model has no latents and writes one translation per sentence; valid: 1")
        lengths, source = self._encoded(sources)
        source = source.repeat(beam)
        if not self.description.latents:
            written = self.models.decode_source(source, scored)
            return [[self._written(row, int(length), written)] for row, length in enumerate(lengths)]
        limits, fixed, turns = self._search_limits(lengths)
        if beam == 1:
            found = self.models.greedy(source, limits, fixed, turns)
        else:
            found = self.models.beam(source, limits, fixed, beam, self.length_penalty)
        written = self.models.decode(found, source, scored)
        rows = [self._decoded(row, found, written) for row in range(len(found.codes))]
        grouped = [rows[i : i + beam] for i in range(0, len(rows), beam)]
        return [sorted(group, key=lambda one: -one.score) for group in grouped]

    def _decode_natively(self, sources: list[list[int]], scored: bool) -> list[list[Decoded]]:
        """Greedy, by the own engine, in as many parts at once as there are threads."""
        assert self.native is not None
        native, lengths = self.native, np.array([len(source) for source in sources])
        limits, fixed, turns = self._search_limits(lengths) if self.description.latents else (lengths, False, None)

        def write(rows: np.ndarray) -> list[list[Decoded]]:
            written = native.translate([sources[row] for row in rows], limits[rows], fixed, scored, turns)
            return [[self._natively(written, place, int(lengths[row]))] for place, row in enumerate(rows)]

        rows = np.arange(len(sources))
        threads = min(len(rows), self._threads or usable_cores())
        if threads == 1:
            return write(rows)
        return [one for part in self._workers.map(write, np.array_split(rows, threads)) for one in part]

    @cached_property
    def _workers(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._threads or usable_cores())

    def _natively(self, written: Written, place: int, length: int) -> Decoded:
        words = (written.words[place][None], written.word_scores[place][None])
        if not self.description.latents:
            return self._written(0, length, words)
        codes = written.codes[place]
        one = CodeSequences(codes[None], np.array([len(codes)]), written.code_scores[place : place + 1])
        return self._decoded(0, one, words)

    def from_codes(
        self, sentences: Sequence[str], codes: Sequence[Sequence[int]], scored: bool = True
    ) -> list[Hypothesis]:
        """What the decoder writes from given codes, one sequence for each sentence.

        It reads these codes; so a model whose greedy search has it read expectations (``--decoder-reads``) may write
        something else from the codes that the search chose.

        The score is as of the search where the export tells log-probabilities of given codes
        (:attr:`Models.scores_codes`), otherwise it is that of the words alone. An empty sentence has no codes.

        Raises:
            UserError: a sentence is too long; codes that are not the model's.
        """
        sources = self.encode_all(sentences)
        if len(codes) != len(sources):
            raise UserError(f"{len(codes)} code sequences for {len(sources)} sentences: needed one for each")
        filled = [row for row, tokens in enumerate(sources) if len(tokens) > 1]
        decoded = self.decode_codes([sources[row] for row in filled], [codes[row] for row in filled], scored)
        results = [Hypothesis("", (), 0.0)] * len(sources)
        for row, one in zip(filled, decoded, strict=True):
            results[row] = self.hypothesis(one)
        return results

    def decode_codes(
        self, sources: Sequence[list[int]], codes: Sequence[Sequence[int]], scored: bool = True
    ) -> list[Decoded]:
        """As :meth:`from_codes`, for tokens (the end of sentence last, and not alone)."""
        for one in codes:
            self.check_codes(one)
        results: list[Decoded | None] = [None] * len(sources)
        lengths = [len(tokens) for tokens in sources]
        for batch in batches_by_length(lengths, self.max_tokens, self.max_sentences):
            source_lengths, source = self._encoded([sources[row] for row in batch])
            found = self._given([codes[row] for row in batch], source, self._limits(source_lengths), scored)
            written = self.models.decode(found, source, scored)
            for place, row in enumerate(batch):
                results[row] = self._decoded(place, found, written)
        return [one for one in results if one is not None]

    def check_codes(self, codes: Sequence[int]) -> None:
        """Raises UserError unless the model has these codes, and so many for one sentence."""
        about = self.description
        if not about.latents:
            raise UserError("this model has no latents: it cannot decode given codes")
        if not 1 <= len(codes) <= about.max_codes:
            raise UserError(f"{len(codes)} codes for one sentence: needed 1 to {about.max_codes}")
        for code in codes:
            if not 0 <= code < about.end:
                raise UserError(f"code {code}: needed 0 to {about.end - 1}")

    def likely_codes(self, source: list[int], codes: Sequence[int], count: int) -> list[list[tuple[int, float]]]:
        """For each place of a code sequence the codes that the predictor finds likely after those before it.

        Args:
            source: tokens of one sentence, the end of sentence last.
            codes: of this sentence.
            count: how many codes a place.

        Returns:
            codes and probabilities, the most probable first; empty lists where the export cannot tell
            (:attr:`Models.scores_codes`).
        """
        self.check_codes(codes)
        if not self.models.scores_codes:
            return [[] for _ in codes]
        _, encoded = self._encoded([source])
        probabilities = np.exp(self.models.predict(np.array([codes]), encoded)[0, : len(codes), : self.description.end])
        best = np.argsort(-probabilities, axis=-1, kind="stable")[:, :count]
        return [
            [(int(code), float(row[code])) for code in order] for row, order in zip(probabilities, best, strict=True)
        ]

    def align(self, decoded: Decoded) -> Alignment:
        """Which codes wrote which words."""
        return align(decoded, self.description, self.target, self.aligned_pieces)

    def _encoded(self, sources: Sequence[list[int]]) -> tuple[np.ndarray, Source]:
        """Lengths (B,) of sources in tokens, and the encoded batch."""
        lengths = np.array([len(tokens) for tokens in sources])
        batch = np.full((len(sources), lengths.max()), PAD, dtype=np.int64)
        for row, tokens in enumerate(sources):
            batch[row, : len(tokens)] = tokens
        return lengths, self.models.encode(batch, batch != PAD)

    def _given(self, codes: Sequence[Sequence[int]], source: Source, limits: np.ndarray, scored: bool) -> CodeSequences:
        """Given codes in the form that the searches return, limits (B,) as theirs."""
        lengths = np.array([len(one) for one in codes])
        padded = np.zeros((len(codes), lengths.max()), dtype=np.int64)
        for row, one in enumerate(codes):
            padded[row, : len(one)] = one
        scores = np.zeros(len(codes), dtype=np.float32)
        if scored and self.models.scores_codes:
            log_probs = self.models.predict(padded, source)  # (B, T + 1, K + 1)
            for row, (one, length) in enumerate(zip(codes, lengths, strict=True)):
                scores[row] = log_probs[row, np.arange(length), list(one)].sum()
                if self.description.length_mode != "ratio" and length < limits[row]:
                    scores[row] += log_probs[row, length, self.description.end]  # at the limit it costs nothing
        return CodeSequences(padded, lengths, scores)

    def _search_limits(self, lengths: np.ndarray) -> tuple[np.ndarray, bool, int | None]:
        """Limits (B,), whether they are exact, and the most steps, of a search for sources of so many tokens (B,)."""
        limits = self._limits(lengths)
        if self.forced_codes:
            return np.full_like(limits, self.forced_codes), True, self.forced_codes + 1
        return limits, self.description.length_mode == "ratio", None

    def _limits(self, lengths: np.ndarray) -> np.ndarray:
        """The most codes (B,) of sources, from their lengths in tokens (B,)."""
        about = self.description
        lengths = lengths.astype(np.float32)  # as in training: rounding a product up depends on its precision
        if about.length_mode == "ratio":
            positions = np.ceil(lengths * np.float32(about.length_ratio)).astype(np.int64)
        else:
            positions = self._most_tokens(lengths)
        return np.clip(codes_for(positions, about.stride), 1, about.max_codes)

    def _most_tokens(self, lengths: np.ndarray) -> np.ndarray:
        return np.maximum((lengths * np.float32(self.max_len_a) + self.max_len_b).astype(np.int64), 1)

    def _decoded(self, row: int, found: CodeSequences, written: tuple[np.ndarray, ...]) -> Decoded:
        codes = int(found.lengths[row])
        read = self._read(row, codes * self.description.stride, written)
        score = (float(read.scores.sum()) + float(found.scores[row])) / len(read.tokens) ** self.length_penalty
        return self._told(row, codes * self.description.stride, read, written, score, found.codes[row, :codes])

    def _written(self, row: int, length: int, written: tuple[np.ndarray, ...]) -> Decoded:
        most = int(self._most_tokens(np.array([length], dtype=np.float32))[0])
        read = self._read(row, length, written)
        if len(read.tokens) > most + 1:
            read = Read(
                [*read.tokens[:most], read.tokens[-1]], read.scores[:most], [*read.spans[:most], read.spans[-1]]
            )
        score = float(read.scores.sum()) / len(read.tokens) ** self.length_penalty
        return self._told(row, length, read, written, score)

    def _read(self, row: int, length: int, written: tuple[np.ndarray, ...]) -> Read:
        """What the output layer makes of a sentence of ``length`` target positions or source tokens."""
        room = self.description.positions(length)
        return READERS[self.description.output_layer](*(part[row, :room] for part in written))

    def _told(
        self,
        row: int,
        length: int,
        read: Read,
        written: tuple[np.ndarray, ...],
        score: float,
        codes: np.ndarray | None = None,
    ) -> Decoded:
        symbols = written[0][row, : self.description.positions(length)].tolist()
        return Decoded(read.tokens, score, None if codes is None else tuple(codes.tolist()), read.spans, symbols)

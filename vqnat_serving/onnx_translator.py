"""A translator that needs neither torch nor fairseq."""

import ctypes
import math
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from vqnat_serving.batches import batches_by_length, shares
from vqnat_serving.code_lengths import codes_for
from vqnat_serving.cores import check_threads, usable_cores
from vqnat_serving.description import LARGEST, PRECISIONS
from vqnat_serving.errors import UserError
from vqnat_serving.export_place import ExportPlace
from vqnat_serving.hub_download import local_folder
from vqnat_serving.hypothesis import Hypothesis
from vqnat_serving.model_folder import CODE_WORDS, CONFIG, ONNX, SCORES, SMALL_MODEL
from vqnat_serving.native.engine import native_engine
from vqnat_serving.output_layers import READERS, Read
from vqnat_serving.pieces import SentencePieces, Words
from vqnat_serving.shortlist import Shortlist
from vqnat_serving.translator import Decoded, Translator
from vqnat_serving.vocabulary import Vocabulary
from vqnat_serving.written import Written

if TYPE_CHECKING:  # with numpy, which a new process that translates greedily can do without
    from concurrent.futures import ThreadPoolExecutor

    from vqnat_serving.alignment import Alignment
    from vqnat_serving.graph_decoder import GraphDecoder
    from vqnat_serving.models import Models

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
        shortlist: whether a sentence may only use the words that the export's shortlist allows: faster, and rarely
            another translation. The own engine's only, so beams choose from all words.

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
        shortlist: bool = False,
    ):
        if engine not in (None, *ENGINES):
            raise UserError(f"engine {engine!r}: needed one of {', '.join(ENGINES)}")
        check_threads(threads)
        place = ExportPlace.find(SMALL_MODEL if folder is None else local_folder(folder, revision, NEEDED))
        self.description = about = place.description
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
            if shortlist:
                raise UserError("shortlist: needs the engine 'native', not asked for or not able to run this")
            self.models.load()
        sizes = len(self.source), len(self.target)
        self._shortlist = Shortlist.read(place.shortlist(), *sizes) if shortlist else None
        # For benchmarks: the number of codes of every sentence; the step that would end them is computed too.
        self.forced_codes: int | None = None
        self.length_penalty, self.max_len_a, self.max_len_b = length_penalty, max_len_a, max_len_b

    @cached_property
    def models(self) -> "Models":
        """The graphs in onnxruntime. Raises UserError."""
        from vqnat_serving.models import Models

        return Models(self._place, self.description, self.precision, self._threads)

    @cached_property
    def _graphs(self) -> "GraphDecoder":
        from vqnat_serving.graph_decoder import GraphDecoder

        return GraphDecoder(self.models, self.description)

    @cached_property
    def _workers(self) -> "ThreadPoolExecutor":
        from concurrent.futures import ThreadPoolExecutor

        return ThreadPoolExecutor(self._threads or usable_cores())

    def decode_batch(self, sources: list[list[int]], beam: int, scored: bool = True) -> list[list[Decoded]]:
        """Codes by greedy or beam search, then all words of each candidate in one pass; without latents the words."""
        if self.native is not None and beam == 1:
            return [[one] for one in self._decode_natively(sources, scored)]
        if not self.description.latents:
            if beam > 1:
                raise UserError(
                    f"beam {beam}: this model has no latents and writes one translation per sentence; valid: 1"
                )
            rows = self._graphs.translate(sources, scored)
            return [[self._decoded(one, len(source))] for one, source in zip(rows, sources, strict=True)]
        limits, fixed, turns = self._search_limits(sources)
        found = self._graphs.search(sources, limits, fixed, turns, scored, beam, self.length_penalty)
        grouped = [
            [self._decoded(one, len(source)) for one in rows] for rows, source in zip(found, sources, strict=True)
        ]
        return [sorted(group, key=lambda one: -one.score) for group in grouped]

    def _decode_natively(self, sources: list[list[int]], scored: bool) -> list[Decoded]:
        """Greedy, by the own engine, in as many parts at once as there are threads."""
        assert self.native is not None
        native, (limits, fixed, turns) = self.native, self._search_limits(sources)

        def write(part: slice) -> list[Decoded]:
            written = native.translate(sources[part], limits[part], fixed, scored, turns, self._shortlist)
            return [self._decoded(one, len(source)) for one, source in zip(written, sources[part], strict=True)]

        parts = shares(len(sources), self._threads or usable_cores())
        found = self._workers.map(write, parts) if len(parts) > 1 else map(write, parts)
        return [one for part in found for one in part]

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
            limits = [self.code_limit(lengths[row]) for row in batch]
            parts = [sources[row] for row in batch], [codes[row] for row in batch]
            for row, written in zip(batch, self._graphs.given(*parts, limits, scored), strict=True):
                results[row] = self._decoded(written, lengths[row])
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
        return self._graphs.likely(source, codes, count)

    def align(self, decoded: Decoded) -> "Alignment":
        """Which codes wrote which words."""
        from vqnat_serving.alignment import align

        return align(decoded, self.description, self.target, self.aligned_pieces)

    def _search_limits(self, sources: Sequence[list[int]]) -> tuple[list[int], bool, int | None]:
        """The most codes of each source, whether exactly so many, and the most steps of the search."""
        if not self.description.latents:
            return [0] * len(sources), False, None
        if self.forced_codes:
            return [self.forced_codes] * len(sources), True, self.forced_codes + 1
        return [self.code_limit(len(source)) for source in sources], self.description.length_mode == "ratio", None

    def code_limit(self, length: int) -> int:
        """The most codes of a source of ``length`` tokens."""
        about = self.description
        if about.length_mode == "ratio":
            positions = math.ceil(_float32(length * _float32(about.length_ratio)))
        else:
            positions = self._most_tokens(length)
        return min(max(codes_for(positions, about.stride), 1), about.max_codes)

    def _most_tokens(self, length: int) -> int:
        most = _float32(_float32(length * _float32(self.max_len_a)) + self.max_len_b)
        return max(int(min(most, LARGEST)), 1)

    def _decoded(self, written: Written, length: int) -> Decoded:
        """What the output layer makes of it, for a source of ``length`` tokens."""
        read = READERS[self.description.output_layer](written)
        most = self._most_tokens(length)
        if written.codes is None and len(read.tokens) > most + 1:
            read = Read(
                [*read.tokens[:most], read.tokens[-1]], read.scores[:most], [*read.spans[:most], read.spans[-1]]
            )
        score = (sum(read.scores) + written.code_score) / len(read.tokens) ** self.length_penalty
        codes = None if written.codes is None else tuple(written.codes)
        return Decoded(read.tokens, score, codes, read.spans, written.words)


def _float32(value: float) -> float:
    """A product in single precision, as in training: whether it is rounded up to a further code depends on it."""
    return ctypes.c_float(value).value

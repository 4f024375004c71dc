"""A translator that needs neither torch nor fairseq."""

from pathlib import Path

import numpy as np

from vqnat_serving.code_lengths import codes_for
from vqnat_serving.description import PRECISIONS
from vqnat_serving.errors import UserError
from vqnat_serving.export_place import ExportPlace
from vqnat_serving.hub_download import local_folder
from vqnat_serving.model_folder import CODE_WORDS, CONFIG, ONNX, SCORES, SMALL_MODEL
from vqnat_serving.models import CodeSequences, Models
from vqnat_serving.output_layers import READERS
from vqnat_serving.pieces import SentencePieces, Words
from vqnat_serving.translator import Decoded, Translator
from vqnat_serving.vocabulary import PAD, Vocabulary

# Larger batches are slower: what they compute no longer fits the processor's caches (examples/latency/NOTES.md).
MAX_TOKENS = 256
# Of a model on the Hub, what is fetched.
NEEDED = (CONFIG, f"{ONNX}/*", "dict.*.txt", "*.model", CODE_WORDS, SCORES)


class OnnxTranslator(Translator):
    """An exported latent or parallel transformer on onnxruntime.

        translator = OnnxTranslator()  # the small model that ships with the package
        translator.translate(["The old woman wanted to buy three books."])

    Args:
        folder: a model folder with an ``onnx/``, a folder that ``vqnat export`` wrote, or a model on the Hugging Face Hub
            (``org/name``); None: the small English-German model that ships with the package.
        precision: ``fp32`` or ``int8``, as exported; None: fp32 if it is there.
        threads: of onnxruntime in one operation; 0 is one for each core.
        length_penalty: scores are divided by the length to this power.
        max_len_a: at most ``max_len_a * |x| + max_len_b`` target tokens.
        max_len_b: see there.
        max_tokens: of a batch, see :class:`Translator`.
        max_sentences: of a batch.
        revision: of a model on the Hub: branch, tag or commit.

    Attributes:
        description: what the export says of itself.
        model_folder: the model folder around the export; None for an export of its own.

    Raises:
        UserError: something is wrong with the folder or an argument.
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
    ):
        place = ExportPlace.find(SMALL_MODEL if folder is None else local_folder(folder, revision, NEEDED))
        self.description = about = place.describe()
        self.model_folder = place.model
        super().__init__(
            Vocabulary.read(place.text(about.source_dictionary)),
            Vocabulary.read(place.text(about.target_dictionary)),
            Words() if about.sentencepiece is None else SentencePieces(place.text(about.sentencepiece)),
            about.max_source_tokens,
            max_tokens,
            max_sentences,
        )
        best = next((one for one in PRECISIONS if one in about.precisions), PRECISIONS[0])
        self.models = Models(place, about, precision or best, threads)
        # For benchmarks: the number of codes of every sentence; the step that would end them is computed too.
        self.forced_codes: int | None = None
        self.length_penalty, self.max_len_a, self.max_len_b = length_penalty, max_len_a, max_len_b

    def decode_batch(self, sources: list[list[int]], beam: int, scored: bool = True) -> list[list[Decoded]]:
        """Codes by greedy or beam search, then all words of each candidate in one pass; without latents the words."""
        if not self.description.latents and beam > 1:
            raise UserError(f"beam {beam}: this model has no latents and writes one translation per sentence; valid: 1")
        lengths = np.array([len(tokens) for tokens in sources])
        batch = np.full((len(sources), lengths.max()), PAD, dtype=np.int64)
        for row, tokens in enumerate(sources):
            batch[row, : len(tokens)] = tokens
        source = self.models.encode(batch, batch != PAD).repeat(beam)
        if not self.description.latents:
            written = self.models.decode_source(source, scored)
            return [[self._written(row, int(length), written)] for row, length in enumerate(lengths)]
        limits, fixed, turns = self._limits(lengths), self.description.length_mode == "ratio", None
        if self.forced_codes:
            limits, fixed, turns = np.full_like(limits, self.forced_codes), True, self.forced_codes + 1
        if beam == 1:
            found = self.models.greedy(source, limits, fixed, turns)
        else:
            found = self.models.beam(source, limits, fixed, beam, self.length_penalty)
        written = self.models.decode(found.codes, found.real(), source, scored)
        rows = [self._decoded(row, found, written) for row in range(len(found.codes))]
        grouped = [rows[i : i + beam] for i in range(0, len(rows), beam)]
        return [sorted(group, key=lambda one: -one.score) for group in grouped]

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
        tokens, total = self._read(row, codes * self.description.stride, written)
        total += float(found.scores[row])
        return Decoded(tokens, total / len(tokens) ** self.length_penalty, tuple(found.codes[row, :codes].tolist()))

    def _written(self, row: int, length: int, written: tuple[np.ndarray, ...]) -> Decoded:
        most = int(self._most_tokens(np.array([length], dtype=np.float32))[0])
        tokens, total = self._read(row, length, written, most)
        return Decoded(tokens, total / len(tokens) ** self.length_penalty)

    def _read(
        self, row: int, length: int, written: tuple[np.ndarray, ...], most: int | None = None
    ) -> tuple[list[int], float]:
        """Tokens, the end of sentence last, and their log-probability; at most ``most`` tokens and the end."""
        about = self.description
        room = about.positions(length)
        tokens, scores = READERS[about.output_layer](*(part[row, :room] for part in written))
        if most is not None and len(tokens) > most + 1:
            tokens, scores = [*tokens[:most], tokens[-1]], scores[:most]
        return tokens, float(scores.sum())

"""Plain text to plain text with a checkpoint."""

from pathlib import Path
from typing import Any

import torch
from fairseq import utils
from fairseq.data import data_utils
from fairseq.dataclass.configs import FairseqConfig, GenerationConfig
from fairseq.models import FairseqIncrementalDecoder
from omegaconf import OmegaConf

import vqnat.plugin  # noqa: F401  (registration; torch.load accepts fairseq's checkpoints)
from vqnat.errors import UserError
from vqnat.fairseq_loading import load_checkpoint
from vqnat.hub.pieces import build_pieces
from vqnat.models.inference import DTYPES as CASTS
from vqnat.models.inference import prepare
from vqnat.models.latent_transformer import LatentTransformer
from vqnat.models.parallel_transformer import ParallelTransformer
from vqnat_serving.pieces import Pieces
from vqnat_serving.translator import Decoded, Translator
from vqnat_serving.vocabulary import Vocabulary

# names -> those of --decode-precision
DTYPES = {"float32": "fp32", "bfloat16": "bf16", "float16": "fp16", "int8_dynamic": "int8_dynamic"}
TASKS = ("translation", "latent_translation")  # those whose autoregressive models are decoded word for word


class LatentTranslator(Translator):
    """A latent transformer, or an autoregressive teacher, decoded as ``fairseq-generate`` does.

    Made by :meth:`from_pretrained`.

    Attributes:
        model: on its device, in evaluation mode.
        task: fairseq's task, which builds the generators.
        sentencepiece: the sentencepiece model's file, None when there is none.
    """

    def __init__(self, model, task, pieces: Pieces, settings: dict[str, Any], **batches: int):
        longest = utils.resolve_max_positions(task.max_positions(), model.max_positions())
        super().__init__(
            Vocabulary(task.source_dictionary.symbols),
            Vocabulary(task.target_dictionary.symbols),
            pieces,
            int(longest[0] if isinstance(longest, tuple | list) else longest),
            **batches,
        )
        self.model, self.task, self.settings = model, task, settings
        self.sentencepiece: Path | None = None
        self._generators: dict[int, Any] = {}

    @classmethod
    def from_pretrained(
        cls,
        path: str | Path,
        data: str | Path | None = None,
        bpe: str = "auto",
        bpe_model: str | Path | None = None,
        tokenizer: str | None = None,
        source_lang: str | None = None,
        target_lang: str | None = None,
        device: str = "cpu",
        dtype: str = "float32",
        length_penalty: float = 1.0,
        max_len_a: float = 0.0,
        max_len_b: int = 200,
        max_tokens: int = 1024,
        max_sentences: int = 64,
        packed: bool = True,
        compiled: bool = False,
        ctc_blank_penalty: float = 0.0,
        dag_search: str = "lookahead",
    ) -> "LatentTranslator":
        """Load a checkpoint, its dictionaries and its tokeniser.

        Args:
            path: checkpoint of a latent transformer or of an autoregressive fairseq model.
            data: folder with the dictionaries; None: beside the checkpoint, or where it was trained.
            bpe: sentencepiece, subword_nmt, none (text is in pieces), or auto, which tells by the dictionary.
            bpe_model: sentencepiece model or subword-nmt codes; None looks for ``spm.model`` in the data's folder,
                the one above it, and beside the checkpoint.
            tokenizer: ``moses`` where the text was so tokenised before byte-pair encoding.
            source_lang: names the dictionary, ``dict.LANG.txt``; None: as in training, or as the data's file names.
            target_lang: likewise.
            device: of torch, such as ``cuda``.
            dtype: float32, bfloat16, float16 or int8_dynamic (a latent transformer on a CPU; a translation may then
                depend on its batch).
            length_penalty: as ``--lenpen``.
            max_len_a: as ``--max-len-a``.
            max_len_b: as ``--max-len-b``.
            max_tokens: of a batch, see :class:`Translator`.
            max_sentences: of a batch.
            packed: False leaves a latent transformer's modules as they were trained, for export.
            compiled: torch.compile for a latent transformer, as ``--decode-compile``.
            ctc_blank_penalty: as ``--ctc-blank-penalty``.
            dag_search: as ``--dag-search``.

        Raises:
            UserError: a file is missing or of the wrong kind, an option is unknown.
        """
        path = Path(path)
        if dtype not in DTYPES:
            raise UserError(f"dtype {dtype!r} is unknown; choose from: {', '.join(DTYPES)}")
        languages = (source_lang, target_lang)
        loaded = load_checkpoint(path, None if data is None else Path(data), languages=languages)
        model, task, task_name = loaded.model, loaded.task, loaded.task_name
        if isinstance(model, LatentTransformer):
            if not getattr(model.bottleneck, "started", True):
                raise UserError(f"{path}: its codebook has not started; train for more updates")
        elif not isinstance(model, ParallelTransformer) and (
            not isinstance(getattr(model, "decoder", None), FairseqIncrementalDecoder) or task_name not in TASKS
        ):
            raise UserError(f"{path}: task {task_name}; needed a latent transformer or an autoregressive translator")
        pieces, sentencepiece = build_pieces(
            bpe,
            None if bpe_model is None else Path(bpe_model),
            tokenizer,
            (task.cfg.source_lang, task.cfg.target_lang),
            Vocabulary(task.source_dictionary.symbols),
            [loaded.data, loaded.data.absolute().parent, path.absolute().parent],
        )
        if isinstance(model, LatentTransformer | ParallelTransformer):
            task.cfg.ctc_blank_penalty, task.cfg.dag_search = ctc_blank_penalty, dag_search
            task.set_search(model.output_layer)
        elif ctc_blank_penalty:
            raise UserError(f"ctc_blank_penalty {ctc_blank_penalty:g}: {path} is an autoregressive model")
        settings = {"lenpen": length_penalty, "max_len_a": max_len_a, "max_len_b": max_len_b}
        model.eval()  # before the next line, after which it returns None
        try:
            model = model.to(device=device)
        except (RuntimeError, AssertionError) as error:  # an unknown name; torch without that device
            raise UserError(f"device {device!r}: {str(error).splitlines()[0]}") from error
        precision = DTYPES[dtype]
        if isinstance(model, LatentTransformer | ParallelTransformer):
            if packed:
                prepare(model, precision, compiled)
            elif compiled:
                raise UserError("compiled: not with packed=False, which leaves the model as it was trained")
        elif compiled:
            raise UserError(f"compiled: {path} has no latents; only latent transformers are compiled")
        else:
            if precision not in CASTS:
                raise UserError(f"dtype {dtype!r}: {path} has no latents; choose from: float32, bfloat16, float16")
            model.prepare_for_inference_(OmegaConf.structured(FairseqConfig(generation=GenerationConfig(**settings))))
            model.to(CASTS[precision])
        translator = cls(model, task, pieces, settings, max_tokens=max_tokens, max_sentences=max_sentences)
        translator.sentencepiece = sentencepiece
        return translator

    def decode_batch(self, sources: list[list[int]], beam: int, scored: bool = True) -> list[list[Decoded]]:
        """With the task's generator: latent search, or fairseq's beam search over words."""
        device = next(self.model.parameters()).device
        dictionary = self.task.source_dictionary
        rows = [torch.tensor(tokens) for tokens in sources]
        tokens = data_utils.collate_tokens(rows, dictionary.pad(), left_pad=self.task.cfg.left_pad_source)
        lengths = torch.tensor([len(row) for row in rows])
        sample = {"net_input": {"src_tokens": tokens.to(device), "src_lengths": lengths.to(device)}}
        found = self.task.inference_step(self._generator(beam), [self.model], sample)
        return [[_decoded(hypothesis) for hypothesis in one] for one in found]

    def _generator(self, beam: int) -> Any:
        if beam not in self._generators:
            settings = GenerationConfig(beam=beam, nbest=beam, **self.settings)
            self._generators[beam] = self.task.build_generator([self.model], settings)
        return self._generators[beam]


def _decoded(hypothesis: dict[str, Any]) -> Decoded:
    codes = hypothesis.get("codes")
    return Decoded(
        hypothesis["tokens"].tolist(),
        float(hypothesis["score"]),
        None if codes is None else tuple(codes.tolist()),
    )

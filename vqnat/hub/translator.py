"""From plain text to plain text with a checkpoint."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from fairseq import utils
from fairseq.data import data_utils
from fairseq.dataclass.configs import FairseqConfig, GenerationConfig
from fairseq.models import FairseqIncrementalDecoder
from omegaconf import OmegaConf

import vqnat.plugin  # noqa: F401  (registration; torch.load accepts fairseq's checkpoints)
from vqnat.checkpoints.folder_loading import data_folder
from vqnat.checkpoints.loading import LoadedModel, load_model
from vqnat.errors import UserError
from vqnat.hub.subwords import build_pieces
from vqnat.hub.translator_options import TranslatorOptions
from vqnat.models.inference import DTYPES, prepare
from vqnat.models.latent_transformer import LatentTransformer
from vqnat.models.parallel_transformer import ParallelTransformer
from vqnat_serving.hub_download import local_folder
from vqnat_serving.model_folder import CONFIG, WEIGHTS, ModelFolder, is_model_folder
from vqnat_serving.pieces import Pieces
from vqnat_serving.translator import Decoded, Translator
from vqnat_serving.vocabulary import Vocabulary

NEEDED = (CONFIG, WEIGHTS, "dict.*.txt", "*.model", "*.codes")  # of a model on the Hub, what is fetched
TASKS = ("translation", "latent_translation")  # tasks whose autoregressive models are decoded token by token


class LatentTranslator(Translator):
    """A latent transformer, or an autoregressive teacher, decoded as ``fairseq-generate`` does.

    Create one with :meth:`from_pretrained`. Text passes the subword model, then :meth:`decode_batch`, then the subword
    model again; the base class sorts sentences by length into batches.

    Attributes:
        model: on its device, in evaluation mode.
        task: fairseq's task, which builds the generators.
        sentencepiece: file of the sentencepiece model, None if there is none.
        model_folder: the model folder that it was loaded from, None for a checkpoint.
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
        self.model_folder: ModelFolder | None = None
        self._generators: dict[int, Any] = {}

    @classmethod
    def from_pretrained(
        cls,
        path: str | Path,
        data: str | Path | None = None,
        bpe: str = "auto",
        bpe_model: str | Path | None = None,
        tokenizer: str | None = None,
        revision: str | None = None,
        **options: Any,
    ) -> "LatentTranslator":
        """Load a model, its dictionaries and its tokenizer.

            translator = LatentTranslator.from_pretrained("my_model")  # a model folder
            translator.translate(["A sentence.", "Another one."], beam=4)

        Args:
            path: a model folder, a model on the Hugging Face Hub (``org/name``), or the checkpoint of a latent or
                parallel transformer or of an autoregressive fairseq model.
            data: folder with the dictionaries; None: the model folder, or beside the checkpoint, or where it was
                trained.
            bpe: see :class:`TranslatorOptions`.
            bpe_model: likewise.
            tokenizer: likewise.
            revision: of a model on the Hub: branch, tag or commit.
            **options: all other fields of :class:`TranslatorOptions`, such as ``device`` and ``dtype``.

        Raises:
            UserError: a file is missing, damaged or of the wrong kind, an option has no such value, or the Hub cannot
                be reached and its cache does not have the model.
        """
        path = local_folder(path, revision, NEEDED)
        folder = ModelFolder.read(path) if is_model_folder(path) else None
        chosen = TranslatorOptions(bpe=bpe, bpe_model=bpe_model, tokenizer=tokenizer, **options).checked()
        if folder is not None:
            chosen = _as_packaged(folder, chosen, check_dictionaries=data is None)
        loaded = load_model(
            path,
            None if data is None else Path(data),
            languages=(chosen.source_lang, chosen.target_lang),
            compare_dictionaries=chosen.compare_dictionaries,
        )
        _check_kind(loaded, path)
        subwords, sentencepiece = _build_subwords(loaded, path, chosen)
        _set_output_search(loaded, path, chosen)
        _prepare(loaded.model, path, chosen)
        batches = {"max_tokens": chosen.max_tokens, "max_sentences": chosen.max_sentences}
        translator = cls(loaded.model, loaded.task, subwords, chosen.generation, **batches)
        translator.sentencepiece, translator.model_folder = sentencepiece, folder
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


def _check_kind(loaded: LoadedModel, path: Path) -> None:
    """Raise UserError unless it is one of our models, ready to decode, or an autoregressive translator."""
    model = loaded.model
    if isinstance(model, LatentTransformer):
        if not getattr(model.bottleneck, "started", True):
            raise UserError(f"{path}: its codebook has not started; train for more updates")
        return
    autoregressive = (
        isinstance(getattr(model, "decoder", None), FairseqIncrementalDecoder) and loaded.task_name in TASKS
    )
    if not isinstance(model, ParallelTransformer) and not autoregressive:
        raise UserError(f"{path}: task {loaded.task_name}; needed a latent transformer or an autoregressive translator")


def _as_packaged(folder: ModelFolder, options: TranslatorOptions, check_dictionaries: bool) -> TranslatorOptions:
    """The options, with the subwords of a model folder unless the user chose others. Raises UserError."""
    if check_dictionaries:
        for name in (folder.source_dictionary, folder.target_dictionary):
            folder.file(name)
    if options.bpe != "auto" or options.bpe_model or options.tokenizer:
        return options
    model = None if folder.subword_model is None else folder.file(folder.subword_model)
    return replace(options, bpe=folder.subwords, bpe_model=model, tokenizer=folder.tokenizer)


def _build_subwords(loaded: LoadedModel, path: Path, options: TranslatorOptions) -> tuple[Pieces, Path | None]:
    task = loaded.task
    return build_pieces(
        options.bpe,
        None if options.bpe_model is None else Path(options.bpe_model),
        options.tokenizer,
        (task.cfg.source_lang, task.cfg.target_lang),
        Vocabulary(task.source_dictionary.symbols),
        [loaded.data, loaded.data.absolute().parent, data_folder(path)],
    )


def _set_output_search(loaded: LoadedModel, path: Path, options: TranslatorOptions) -> None:
    """Set the search of our models' output layer; other models have none."""
    penalty = options.ctc_blank_penalty
    if isinstance(loaded.model, LatentTransformer | ParallelTransformer):
        loaded.task.cfg.ctc_blank_penalty, loaded.task.cfg.dag_search = penalty, options.dag_search
        loaded.task.set_search(loaded.model.output_layer)
    elif penalty:
        raise UserError(f"ctc_blank_penalty {penalty:g}: {path} is an autoregressive model")


def _prepare(model: Any, path: Path, options: TranslatorOptions) -> None:
    """Move a model to its device and precision, in place, and make it fast: packed or compiled."""
    model.eval()
    try:
        model.to(device=options.device)
    except (RuntimeError, AssertionError) as error:  # an unknown name; torch without that device
        raise UserError(f"device {options.device!r}: {str(error).splitlines()[0]}") from error
    faster = [name for name in ("compiled", "cuda_graphs") if getattr(options, name)]
    if isinstance(model, LatentTransformer | ParallelTransformer):
        if options.packed:
            prepare(model, options.dtype, options.compiled, options.cuda_graphs)
        elif faster:
            raise UserError(f"{faster[0]}: not with packed=False, which leaves the model as it was trained")
    elif faster:
        raise UserError(f"{faster[0]}: {path} has no latents; only for latent transformers")
    elif options.dtype not in DTYPES:
        raise UserError(f"dtype {options.dtype!r}: {path} has no latents; choose from: {', '.join(DTYPES)}")
    else:
        generation = GenerationConfig(**options.generation)
        model.prepare_for_inference_(OmegaConf.structured(FairseqConfig(generation=generation)))
        model.to(DTYPES[options.dtype])


def _decoded(hypothesis: dict[str, Any]) -> Decoded:
    codes = hypothesis.get("codes")
    return Decoded(
        hypothesis["tokens"].tolist(),
        float(hypothesis["score"]),
        None if codes is None else tuple(codes.tolist()),
    )

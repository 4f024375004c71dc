"""From a checkpoint to a model folder."""

import json
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vqnat.checkpoints.checkpoint_config import CheckpointConfig
from vqnat.checkpoints.folder_weights import save_weights
from vqnat.checkpoints.reading import read_checkpoint
from vqnat.checkpoints.stock_checkpoint import ARCH, save_stock_checkpoint
from vqnat.errors import UserError
from vqnat.hub.folder_files import write_card, write_config
from vqnat.hub.translator import LatentTranslator
from vqnat.models.latent_transformer import LatentTransformer
from vqnat.models.parallel_transformer import ParallelTransformer
from vqnat.records.atomic import replacing_folder
from vqnat.records.checksums import sha256
from vqnat.records.results import commit, versions
from vqnat_serving.model_folder import (
    BPE_CODES,
    LATENT,
    PARALLEL,
    SCORES,
    SENTENCEPIECE,
    STOCK_CHECKPOINT,
    TEACHER,
    WEIGHTS,
    ModelFolder,
    is_model_folder,
)
from vqnat_serving.pieces import SentencePieces

TASKS = {LATENT: "latent_translation", PARALLEL: "latent_translation", TEACHER: "translation"}
DISTILLED = ("beam", "lenpen", "teacher sha256", "mix_raw")  # of a distillation's record, what the folder keeps


@dataclass(frozen=True)
class About:
    """What a checkpoint does not know of itself.

    Attributes:
        name: what the model is called.
        card: see :attr:`ModelFolder.card`.
        scores: the content of ``scores.json``.
        bpe_codes: subword-nmt's codes, if the text is cut by them.
        tokenizer: ``moses`` if the text is tokenized before it is cut.
    """

    name: str
    card: dict[str, str] = field(default_factory=dict)
    scores: dict[str, Any] | None = None
    bpe_codes: Path | None = None
    tokenizer: str | None = None


def package(translator: LatentTranslator, checkpoint: Path, out: Path, about: About) -> ModelFolder:
    """Write a model folder, which appears whole.

    Args:
        translator: the checkpoint, loaded with ``packed=False``: what translates is what is packaged.
        checkpoint: the file it was loaded from.
        out: folder to write; an earlier model folder there is replaced.
        about: what the checkpoint does not know.

    Raises:
        UserError: the checkpoint is a model folder already, or ``out`` holds something else or cannot be written.
    """
    if is_model_folder(checkpoint):
        raise UserError(f"{checkpoint}: a model folder already")
    check_replaceable(out)
    state = read_checkpoint(checkpoint)
    options = CheckpointConfig.of(state)
    languages = translator.task.cfg.source_lang, translator.task.cfg.target_lang
    kind = _kind(translator)
    folder = ModelFolder(
        path=out,
        kind=kind,
        name=about.name,
        source_lang=languages[0],
        target_lang=languages[1],
        arch=options.arch,
        options=options.model,
        subwords=_subwords(translator, about),
        tokenizer=about.tokenizer,
        task={"_name": TASKS[kind], **options.task},
        criterion=options.criterion,
        card=about.card,
        training=options.training | _distillation(options.data),
        made={
            "checkpoint": checkpoint.name,
            "checkpoint_sha256": sha256(checkpoint),
            "commit": commit(),
            **{name: value for name, value in versions().items() if name in ("vqnat", "torch", "fairseq-fixed")},
        },
    )
    try:
        with replacing_folder(out) as temporary:
            save_weights(state["model"], temporary / WEIGHTS)
            translator.task.source_dictionary.save(str(temporary / folder.source_dictionary))
            translator.task.target_dictionary.save(str(temporary / folder.target_dictionary))
            for file, name in ((translator.sentencepiece, SENTENCEPIECE), (about.bpe_codes, BPE_CODES)):
                if file is not None:
                    shutil.copyfile(file, temporary / name)
            if about.scores:
                text = json.dumps(about.scores, indent=1, ensure_ascii=False) + "\n"
                (temporary / SCORES).write_text(text, encoding="utf-8")
            if kind == TEACHER and options.arch.startswith(ARCH) and "_name" not in options.model:
                task = {**options.task, "source_lang": languages[0], "target_lang": languages[1]}
                save_stock_checkpoint(state["model"], options.model, task, temporary / STOCK_CHECKPOINT)
            folder = write_config(replace(folder, path=temporary))
            write_card(folder)
    except OSError as error:
        raise UserError(f"{out}: cannot be written ({error.strerror})") from error
    return replace(folder, path=out)


def check_replaceable(out: Path) -> None:
    """Raises UserError when ``out`` is anything but new, empty or an earlier model folder."""
    if out.exists() and not is_model_folder(out) and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out}: exists and is no model folder; give a new folder")


def _kind(translator: LatentTranslator) -> str:
    kinds: dict[type, str] = {LatentTransformer: LATENT, ParallelTransformer: PARALLEL}
    return next((kind for model, kind in kinds.items() if isinstance(translator.model, model)), TEACHER)


def _subwords(translator: LatentTranslator, about: About) -> str:
    if isinstance(translator.pieces, SentencePieces):
        return "sentencepiece"
    return "none" if about.bpe_codes is None else "subword_nmt"


def _distillation(data: Path) -> dict[str, Any]:
    """What the record of a distillation in the folder of the data says, if there is one."""
    try:
        settings = json.loads((data / "distillation.json").read_text(encoding="utf-8"))["settings"]
        return {"distillation": {name: settings[name] for name in DISTILLED if name in settings}}
    except (OSError, ValueError, KeyError, TypeError):
        return {}

"""The export of a model folder: into the folder itself, or into a copy for serving that has no weights."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vqnat.errors import UserError
from vqnat.export.code_words import count_code_words, write_code_words
from vqnat.export.folder import check_exportable, write_export
from vqnat.hub.folder_files import relisted, write_card, write_config
from vqnat.hub.packaging import check_replaceable
from vqnat.hub.translator import LatentTranslator
from vqnat.records.atomic import replacing_folder
from vqnat_serving.model_folder import CODE_WORDS, ONNX, STOCK_CHECKPOINT, WEIGHTS, ModelFolder
from vqnat_serving.onnx_translator import OnnxTranslator


def export_folder(
    translator: LatentTranslator, precisions: Sequence[str], shortlist: Path | None = None
) -> ModelFolder:
    """Write ``onnx/`` into the model folder that a translator was loaded from.

    ``onnx/`` appears whole and ``config.json`` lists it after that; an earlier one is replaced. Dictionaries and
    sentencepiece model stay where they are.

    Args:
        translator: a latent or parallel transformer from a model folder, loaded with ``packed=False``.
        precisions: of :data:`vqnat_serving.description.PRECISIONS`.
        shortlist: a binarized folder from whose training set to make a shortlist; None: none is made.

    Raises:
        UserError: it cannot be exported, or the folder cannot be written.
    """
    folder = _folder_of(translator)
    check_exportable(translator, folder.path)
    try:
        with replacing_folder(folder.path / ONNX) as temporary:
            write_export(translator, folder.path, temporary, precisions, shortlist)
        return relisted(folder)
    except OSError as error:
        raise UserError(f"{folder.path}: cannot be written ({error.strerror})") from error


def export_for_serving(
    translator: LatentTranslator,
    precisions: Sequence[str],
    out: Path,
    code_words: Path | None = None,
    shortlist: Path | None = None,
) -> ModelFolder:
    """Write a model folder with ``onnx/`` and without weights: all that the runner and the server need.

    Args:
        translator: see :func:`export_folder`; its own folder stays as it is.
        precisions: see there.
        out: the folder to write; an earlier model folder there is replaced.
        code_words: see :func:`add_code_words`; None keeps what the folder knows.
        shortlist: see :func:`export_folder`.

    Raises:
        UserError: it cannot be exported, ``out`` is something else or the folder itself, or cannot be written.
    """
    folder = _folder_of(translator)
    check_exportable(translator, folder.path)
    check_replaceable(out)
    if out.resolve() == folder.path.resolve():
        raise UserError(f"--out {out}: the model folder itself; leave the option out")
    try:
        with replacing_folder(out) as temporary:
            for name in folder.files:
                if "/" not in name and name not in (WEIGHTS, STOCK_CHECKPOINT):
                    shutil.copyfile(folder.file(name), temporary / name)
            (temporary / ONNX).mkdir()
            write_export(translator, folder.path, temporary / ONNX, precisions, shortlist)
            copied = write_config(replace(folder, path=temporary))
            if code_words is not None:
                copied = add_code_words(copied, code_words)
            write_card(copied)
    except OSError as error:
        raise UserError(f"--out {out}: cannot be written ({error.strerror})") from error
    return replace(copied, path=out)


def add_code_words(folder: ModelFolder, text: Path, most: int = 10) -> ModelFolder:
    """Write ``code_words.json``: what each code most often writes when a text is translated.

    Args:
        folder: exported to ONNX.
        text: source sentences, one a line.
        most: texts kept for each code.

    Raises:
        UserError: no such file, or a model without codes.
    """
    counts, sentences = count_code_words(OnnxTranslator(folder.path), text)
    write_code_words(folder.path / CODE_WORDS, counts, sentences, most)
    return relisted(folder)


def _folder_of(translator: LatentTranslator) -> ModelFolder:
    if translator.model_folder is None:
        raise UserError("needed a translator that was loaded from a model folder")
    return translator.model_folder

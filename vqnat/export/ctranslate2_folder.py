"""A teacher's model folder converted for CTranslate2."""

from pathlib import Path

from fairseq.data import Dictionary

from vqnat.checkpoints.ctranslate2_model import VOCABULARY_MAP, convert
from vqnat.checkpoints.folder_loading import folder_state
from vqnat.errors import UserError
from vqnat.export.lexical_shortlist import learn
from vqnat.hub.folder_files import relisted
from vqnat.records.atomic import replacing_folder
from vqnat_serving.model_folder import CTRANSLATE2, STOCK_CHECKPOINT, TEACHER, ModelFolder


def convert_teacher(folder: ModelFolder, shortlist: Path | None = None) -> ModelFolder:
    """Write ``ctranslate2/`` into a teacher's model folder.

    Args:
        folder: the model folder.
        shortlist: a binarized folder from whose training set to make a shortlist, CTranslate2's ``vmap.txt``; None:
            none is made.

    Raises:
        UserError: not a teacher's folder, an architecture that CTranslate2 does not know, or CTranslate2 is missing; a
            folder for the shortlist that is not in the teacher's symbols.
    """
    if folder.kind != TEACHER:
        raise UserError(f"{folder.path}: a {folder.kind}; only teachers are converted for CTranslate2")
    if not folder.has(STOCK_CHECKPOINT):
        raise UserError(f"{folder.path}: architecture {folder.arch}: CTranslate2 converts fairseq's transformer only")
    task = {**folder.task, "source_lang": folder.source_lang, "target_lang": folder.target_lang}
    try:
        # From the weights, not from the folder's own stock checkpoint: that would be unpickled.
        weights = folder_state(folder.path)["model"]
        with replacing_folder(folder.path / CTRANSLATE2) as temporary:
            convert(weights, folder.options, task, folder.path, temporary, str(folder.path))
            if shortlist is not None:
                dictionaries = (folder.file(folder.source_dictionary), folder.file(folder.target_dictionary))
                write_vocabulary_map(temporary / VOCABULARY_MAP, shortlist, *map(read_symbols, dictionaries))
        return relisted(folder)
    except OSError as error:
        raise UserError(f"{folder.path}: cannot be written ({error.strerror})") from error


def write_vocabulary_map(path: Path, data: Path, source: list[str], target: list[str]) -> None:
    """A shortlist as CTranslate2 reads it: a source symbol, a tab, target symbols; those of every sentence after none.

    Arguments and errors as of :func:`vqnat.export.lexical_shortlist.write_shortlist`.
    """
    lists = learn(data, source, target, always=[])
    names = ["", *source]
    rows = zip(names, [lists[-1], *lists[:-1]], strict=True)
    lines = [f"{name}\t{' '.join(target[word] for word in words)}\n" for name, words in rows if len(words)]
    path.write_text("".join(lines), encoding="utf-8")


def read_symbols(dictionary: Path) -> list[str]:
    """All symbols of a dictionary."""
    symbols: list[str] = Dictionary.load(str(dictionary)).symbols
    return symbols

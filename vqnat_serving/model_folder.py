"""The model folder: one trained model with everything that is needed to use it, for torch and for the runner.

    config.json          what the model is, its options, and the SHA-256 of every other file but the model card
    model.safetensors    the weights, for torch
    dict.SRC.txt         the dictionaries, as fairseq writes them
    dict.TGT.txt
    spm.model            the sentencepiece model, if the text is cut by one (bpe.codes: by subword-nmt)
    scores.json          what was measured, if anything was
    README.md            the model card, which people edit
    onnx/                an export (see :mod:`vqnat_serving.description`)
    code_words.json      the words that each code most often writes
    model.pt             a teacher again, as a stock fairseq checkpoint for other programs; never read here
    ctranslate2/         a teacher converted for CTranslate2

``vqnat package`` writes a folder, ``vqnat export`` adds to it.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from vqnat_serving.checksums import sealed, sha256, unsealed
from vqnat_serving.errors import UserError
from vqnat_serving.json_files import check_types, read_object

FORMAT = "vqnat-model"
VERSION = 2  # 1 had no checksum of config.json itself
CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"
SCORES, CODE_WORDS = "scores.json", "code_words.json"
SENTENCEPIECE, BPE_CODES = "spm.model", "bpe.codes"
STOCK_CHECKPOINT = "model.pt"
ONNX, CTRANSLATE2 = "onnx", "ctranslate2"  # folders
LATENT, PARALLEL, TEACHER = KINDS = ("latent_transformer", "parallel_transformer", "teacher")
SUBWORDS = ("sentencepiece", "subword_nmt", "none")
CODE_WORDS_FORMAT = "vqnat-code-words-1"
SMALL_MODEL = Path(__file__).with_name("small_model")  # ships with the package

_REPAIR = "it was changed or copied in part; fetch the folder again, or package the checkpoint again"


@dataclass(frozen=True)
class ModelFolder:
    """What ``config.json`` says, and access to the files that it lists.

    Read one with :meth:`read`. No file is unpickled, and none is handed out before its checksum was compared.

    Attributes:
        path: the folder.
        kind: ``latent_transformer``, ``parallel_transformer`` or ``teacher`` (an autoregressive fairseq model).
        name: what the model is called.
        source_lang: language code of the source.
        target_lang: language code of the target.
        arch: fairseq's name of the architecture.
        options: the model's options, as fairseq has them.
        subwords: how text is cut: ``sentencepiece``, ``subword_nmt`` or ``none``.
        tokenizer: ``moses`` if the text is tokenized before it is cut.
        task: fairseq's task and those of its options that decoding reads.
        criterion: the criterion of the training and its options, for ``fairseq-validate``.
        training: how it was trained, for people: data, optimizer, updates.
        made: where it comes from, for people: the checkpoint's checksum, commit, versions.
        card: what the model card says besides: ``license``, ``data_note``, ``dataset``, ``example``.
        files: SHA-256 of each file, by its path in the folder; of all but ``config.json`` and the model card.
    """

    path: Path
    kind: str
    name: str
    source_lang: str
    target_lang: str
    arch: str
    options: dict[str, Any]
    subwords: str = "none"
    tokenizer: str | None = None
    task: dict[str, Any] = field(default_factory=dict)
    criterion: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    made: dict[str, Any] = field(default_factory=dict)
    card: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: str | Path) -> "ModelFolder":
        """Read ``config.json``; the other files are looked at when they are asked for.

        Raises:
            UserError: no such folder, not a model folder, or one of a newer version.
        """
        path = Path(path)
        if not path.is_dir():
            raise UserError(f"{path}: no such folder (needed: a model folder, which vqnat package writes)")
        config = path / CONFIG
        if not config.is_file():
            raise UserError(f"{path}: not a model folder: it has no {CONFIG} (vqnat package writes one)")
        values = read_object(config, "the description of a vqnat model")
        try:
            values = unsealed(values)
        except ValueError as error:
            raise UserError(f"{config}: not the description of a vqnat model ({error})") from error
        found, version = values.pop("format", None), values.pop("version", None)
        if found != FORMAT or not isinstance(version, int):
            said = f"format {str(found)[:40]!r}, version {str(version)[:40]}"
            raise UserError(f"{config}: {said}; needed {FORMAT!r}, version {VERSION}")
        if version > VERSION:
            raise UserError(
                f"{config}: version {str(version)[:40]} is newer than this vqnat, which reads {VERSION}: upgrade vqnat"
            )
        try:
            check_types({"path": path, **values}, cls)
            folder = cls(path, **values)
            folder._check_values()
        except ValueError as error:
            raise UserError(f"{config}: not the description of a vqnat model ({error})") from error
        return folder

    def _check_values(self) -> None:
        """Raises ValueError for a value that no writer makes, so that nothing outside the folder is ever read."""
        for name, valid in (("kind", KINDS), ("subwords", SUBWORDS), ("tokenizer", (None, "moses"))):
            if getattr(self, name) not in valid:
                raise ValueError(f"{name} {getattr(self, name)!r}; valid: {', '.join(map(str, valid))}")
        for name in ("source_lang", "target_lang"):
            if not getattr(self, name) or {"/", "\0"} & set(getattr(self, name)):
                raise ValueError(f"{name} {getattr(self, name)!r}")
        for name in self.files:
            parts = PurePosixPath(name).parts
            if ".." in parts or name.startswith("/") or "\0" in name or not parts:
                raise ValueError(f"file {name!r}: not in this folder")

    def to_json(self) -> str:
        """The text of ``config.json``."""
        values = {name: value for name, value in asdict(self).items() if name != "path"}
        values["files"] = dict(sorted(self.files.items()))
        return json.dumps(sealed({"format": FORMAT, "version": VERSION, **values}), indent=1, ensure_ascii=False) + "\n"

    def has(self, name: str) -> bool:
        """Whether ``config.json`` lists a file, or any file in a folder, of this name."""
        return name in self.files or any(one.startswith(f"{name}/") for one in self.files)

    def file(self, name: str) -> Path:
        """A file of the folder, after its checksum was compared.

        Args:
            name: its path in the folder, with slashes.

        Raises:
            UserError: it is not listed, missing, or another file than the one that was packaged.
        """
        path, config = self.path / name, self.path / CONFIG
        if name not in self.files:
            raise UserError(f"{path}: not listed in {config}: package or export the model again")
        try:
            found = sha256(path)
        except (OSError, ValueError) as error:
            raise UserError(
                f"{path}: cannot be read ({getattr(error, 'strerror', error)}), but {CONFIG} lists it: {_REPAIR}"
            ) from error
        if found != self.files[name]:
            raise UserError(
                f"{path}: its SHA-256 is {found[:12]}..., not {self.files[name][:12]}... as {CONFIG} says: {_REPAIR}"
            )
        return path

    def check(self) -> None:
        """Compare every file that ``config.json`` lists. Raises UserError as :meth:`file` does."""
        for name in self.files:
            self.file(name)

    @property
    def source_dictionary(self) -> str:
        """File name of the source dictionary."""
        return f"dict.{self.source_lang}.txt"

    @property
    def target_dictionary(self) -> str:
        """File name of the target dictionary."""
        return f"dict.{self.target_lang}.txt"

    @property
    def subword_model(self) -> str | None:
        """File name of the sentencepiece model or of subword-nmt's codes; None if the text is in pieces already."""
        return {"sentencepiece": SENTENCEPIECE, "subword_nmt": BPE_CODES}.get(self.subwords)

    def scores(self) -> dict[str, Any] | None:
        """The content of ``scores.json``; None if nothing was measured. Raises UserError."""
        return self._json(SCORES)

    def code_words(self) -> dict[int, list[tuple[str, int]]] | None:
        """For each code the texts that it most often writes and how often, most frequent first; None if not known.

        Raises:
            UserError: ``code_words.json`` is damaged.
        """
        values = self._json(CODE_WORDS)
        if values is None:
            return None
        try:
            if values["format"] != CODE_WORDS_FORMAT:
                raise ValueError(values["format"])
            return {int(code): [(str(text), int(n)) for text, n in rows] for code, rows in values["codes"].items()}
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            raise UserError(f"{self.path / CODE_WORDS}: not a table of {CODE_WORDS_FORMAT} ({error})") from error

    def _json(self, name: str) -> dict[str, Any] | None:
        if name not in self.files:
            return None
        return read_object(self.file(name), f"{name} of a model folder")


def is_model_folder(path: str | Path) -> bool:
    """Whether a path is a folder with a ``config.json`` of ours, of whatever version."""
    config = Path(path) / CONFIG
    try:
        return config.is_file() and read_object(config, "").get("format") == FORMAT
    except (OSError, ValueError):  # a UserError among them
        return False

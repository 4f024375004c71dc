"""Where the files of an export are: in a folder of its own, or in a model folder and its ``onnx/``."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from vqnat_serving.checksums import sha256
from vqnat_serving.description import NAME, Description
from vqnat_serving.errors import UserError
from vqnat_serving.model_folder import ONNX, SMALL_MODEL, TEACHER, ModelFolder, is_model_folder
from vqnat_serving.native.weights import FILE as WEIGHTS_FILE
from vqnat_serving.shortlist import FILE as SHORTLIST


@dataclass(frozen=True)
class ExportPlace:
    """An export on disk.

    Attributes:
        graphs: the folder with ``export.json`` and the graphs.
        model: the model folder around it, which has the checksums; None for an export of its own, which has them in
            ``export.json``.
    """

    graphs: Path
    model: ModelFolder | None = None

    @classmethod
    def find(cls, path: Path) -> "ExportPlace":
        """The export at ``path``: a model folder, its ``onnx/``, or an export of its own.

        Raises:
            UserError: no such folder, or a model folder that was not exported.
        """
        if is_model_folder(path):
            return cls._inside(ModelFolder.read(path))
        if path.name == ONNX and is_model_folder(path.parent):
            return cls._inside(ModelFolder.read(path.parent))
        if path == SMALL_MODEL and not path.is_dir():
            raise UserError("this installation of vqnat has no small model; name a model folder or an export")
        return cls(path)

    @classmethod
    def _inside(cls, model: ModelFolder) -> "ExportPlace":
        if not model.has(f"{ONNX}/{NAME}"):
            if model.kind == TEACHER:
                raise UserError(
                    f"{model.path}: a teacher, which torch and CTranslate2 run; {ONNX}/ is not for teachers"
                )
            raise UserError(f"{model.path}: has no {ONNX}/; to write it: vqnat export {model.path}")
        return cls(model.path / ONNX, model)

    @cached_property
    def description(self) -> Description:
        """What ``export.json`` says. Raises UserError."""
        if self.model is not None:
            self.model.file(f"{ONNX}/{NAME}")
        return Description.read(self.graphs)

    def graph(self, precision: str, part: str) -> Path:
        """The file of a graph; in a model folder, after its checksum was compared. Raises UserError."""
        name = Description.model_file(precision, part)
        if self.model is not None:
            return self.model.file(f"{ONNX}/{name.as_posix()}")
        return self._own(name.as_posix())

    def has_graph(self, precision: str, part: str) -> bool:
        """Whether there is a graph that an export may lack."""
        name = Description.model_file(precision, part)
        if self.model is not None:
            return self.model.has(f"{ONNX}/{name.as_posix()}")
        return (self.graphs / name).is_file()

    def weights(self, precision: str) -> Path | None:
        """The own engine's weights, after their checksum was compared; None where an export lacks them."""
        name = Path(precision) / WEIGHTS_FILE
        if self.model is not None:
            listed = f"{ONNX}/{name.as_posix()}"
            return self.model.file(listed) if self.model.has(listed) else None
        there = (self.graphs / name).is_file() or name.as_posix() in self.description.files
        return self._own(name.as_posix()) if there else None

    def shortlist(self) -> Path:
        """The shortlist, after its checksum was compared. Raises UserError: there is none."""
        if self.model is not None and self.model.has(f"{ONNX}/{SHORTLIST}"):
            return self.model.file(f"{ONNX}/{SHORTLIST}")
        if self.model is None and SHORTLIST in self.description.files:
            return self._own(SHORTLIST)
        raise UserError(f"{self.graphs}: has no shortlist; to make one: vqnat export --shortlist DATA_BIN")

    def text(self, name: str) -> Path:
        """A dictionary or the sentencepiece model: an export's own, or that of the model folder. Raises UserError."""
        if self.model is None:
            return self._own(name)
        return self.model.file(name if self.model.has(name) else f"{ONNX}/{name}")

    def _own(self, name: str) -> Path:
        """A file of an export of its own, after its checksum was compared, if it has one. Raises UserError."""
        path, expected = self.graphs / name, self.description.files.get(name)
        if expected is None:  # of an older version, or missing: whoever reads it says so
            return path
        try:
            found = sha256(path)
        except OSError as error:
            raise UserError(f"{path}: cannot be read ({error.strerror}); export the checkpoint again") from error
        if found != expected:
            raise UserError(f"{path}: damaged: {NAME} has another checksum; export the checkpoint again")
        return path

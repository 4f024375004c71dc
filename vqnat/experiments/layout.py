"""Where the files of a run lie, relative to its folder, and what must be there for a file to be made.

Without ``seeds`` everything lies in the run's folder. With them, ``at`` is ``seed1/``, ``seed2/`` and so on for what
each seed has of its own; teacher and distilled text are shared, unless the configuration says ``per_seed``.
"""

from collections.abc import Sequence
from pathlib import Path

from vqnat.errors import UserError
from vqnat.experiments.commands import SPLITS
from vqnat.experiments.config import Config, System

OLD = "stages"  # of the engine of versions up to 0.2


class Layout:
    """The files of one experiment."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.places = [f"seed{seed}/" for seed in config.seeds] or [""]
        self.shared = set() if config.distillation.per_seed else self._with_starts([config.distillation.teacher])

    def _with_starts(self, names: Sequence[str]) -> set[str]:
        found = set(names)
        for name in reversed(self.config.trainings):  # a training starts from those before it
            if name in found:
                found |= set(self.config.starts(name))
        return found

    def seed(self, at: str) -> int:
        """The seed of a place."""
        return int(at.removeprefix("seed").removesuffix("/")) if at else self.config.seed

    def place(self, training: str, at: str) -> str:
        """Where a training lies that is wanted at ``at``."""
        return "" if training in self.shared else at

    def system_place(self, system: System, at: str) -> str:
        """Where a system's translations lie: shared if all it loads is."""
        return "" if self.shared.issuperset(self.config.loads(system)) else at

    def text_place(self, at: str) -> str:
        """Where the distilled text lies."""
        return self.place(self.config.distillation.teacher, at)

    def checkpoint(self, training: str, at: str) -> str:
        """The checkpoint of a training that others load."""
        place = self.place(training, at)
        if self.config.trainings[training].average:
            return f"{place}averaged/{training}.pt"
        return f"{place}models/{training}/checkpoint_best.pt"

    def checkpoints(self, at: str) -> dict[str, str]:
        """Of all trainings."""
        return {name: self.checkpoint(name, at) for name in self.config.trainings}

    def ready(self, training: str, at: str) -> str:
        """The file that shows that a checkpoint is there: of an average the average itself, as it is made whole."""
        if self.config.trainings[training].average:
            return self.checkpoint(training, at)
        return f"{self.place(training, at)}models/{training}/trained"

    def raw(self) -> list[str]:
        """The raw text."""
        return [f"raw/{split}.{language}" for split in SPLITS for language in (self.config.source, self.config.target)]

    def binarized(self) -> list[str]:
        """Vocabulary and splits."""
        pair = f"{self.config.source}-{self.config.target}"
        names = [f"{s}.{pair}.{x}.{end}" for s in SPLITS for x in pair.split("-") for end in ("bin", "idx")]
        return [
            "prep/spm.model",
            *(f"prep/bin/dict.{x}.txt" for x in pair.split("-")),
            *(f"prep/bin/{n}" for n in names),
        ]

    def data(self, training: str, at: str) -> tuple[str, list[str]]:
        """The folder that a training reads, and the files that show that it is there."""
        text = self.config.trainings[training].text
        if text == "raw":
            return "prep/bin", self.binarized()
        folder = f"{self.text_place(at)}{text}"
        return folder, [f"{folder}.merged"]

    def results(self) -> list[str]:
        """What a run is for."""
        made = [f"{at}{name}" for at in self.places for name in ("results.json", "report.html")]
        return [*made, *(["seeds.md"] if self.config.seeds else [])]


def text_files(config: Config) -> dict[str, Path]:
    """Of ``data.kind: folder``: the file that each raw file is a copy of.

    Raises:
        UserError: the folder lacks one.
    """
    folder = Path(config.folder or config.data.path)
    files = {name: folder / Path(name).name for name in Layout(config).raw()}
    missing = [path.name for path in files.values() if not path.is_file()]
    if missing:
        where = "from" if config.folder else "data.path"
        raise UserError(f"{where}: {str(folder)!r} is not valid; it lacks {', '.join(missing)}")
    return files


def refuse_old(run: Path) -> None:
    """Raise UserError for the folder of a run that another version has begun."""
    if (run / OLD).is_dir():
        raise UserError(
            f"--run {run}: begun by an older version of vqnat, which cannot be continued; give another folder"
        )

"""Data folders are checked before they are read, so that a damaged file is named and not learned from."""

from pathlib import Path

from fairseq.utils import split_paths

from vqnat.data.intact import check_dictionaries, check_split_files


class CheckedData:
    """Checks the dictionaries and every split that a task loads; see :mod:`vqnat.data.intact`."""

    @classmethod
    def setup_task(cls, cfg, **kwargs):
        """As fairseq's."""
        for folder in split_paths(cfg.data):
            check_dictionaries(Path(folder))
        return super().setup_task(cfg, **kwargs)

    def load_dataset(self, split, epoch=1, combine=False, **kwargs):
        """As fairseq's."""
        folders = split_paths(self.cfg.data)
        if split != self.cfg.train_subset:
            folders = folders[:1]
        check_split_files(Path(folders[(epoch - 1) % len(folders)]), split)
        super().load_dataset(split, epoch, combine, **kwargs)

"""Raw images -> train, valid and test splits that share no image."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from vqnat.errors import UserError
from vqnat.image.datasets.checksums import check_sums
from vqnat.image.datasets.raw_images import CIFAR_ROWS, find_pictures, read_cifar_batch
from vqnat.image.datasets.split_files import write_split
from vqnat_serving.text_lines import read_texts

CIFAR_TRAIN = [f"data_batch_{n}.bin" for n in range(1, 6)]
CIFAR_TEST = "test_batch.bin"
PARTITION = "list_eval_partition.txt"


def write_splits(out: Path, splits: dict[str, Iterable[np.ndarray]], source: str) -> dict[str, int]:
    """Write ``train``, ``valid`` and ``test``, leaving out images that another split has, byte for byte.

    The held-out splits are written first, so duplicates are dropped from training.

    Args:
        out: the folder.
        splits: name -> images (H, W, 3) uint8.
        source: a few words on what the data is.

    Returns:
        name -> number of images.
    """
    seen: set[bytes] = set()
    counts = {}
    for split in ("test", "valid", "train"):
        fresh = Fresh(splits[split], seen)
        counts[split] = write_split(out, split, fresh, {"source": source})
        if fresh.dropped:
            print(f"{split}: {fresh.dropped} images left out that a held-out split has too")
        seen |= fresh.own
    print(f"{out}: {', '.join(f'{counts[split]} {split}' for split in ('train', 'valid', 'test'))}")
    return counts


class Fresh:
    """Iterates over the images (H, W, 3) that are not among those ``seen`` in other splits.

    Attributes:
        own: digests of the images that were passed on.
        dropped: number of images that were not.
    """

    def __init__(self, images: Iterable[np.ndarray], seen: set[bytes]):
        self.images, self.seen = images, seen
        self.own: set[bytes] = set()
        self.dropped = 0

    def __iter__(self) -> Iterator[np.ndarray]:
        for image in self.images:
            digest = hashlib.blake2b(np.ascontiguousarray(image).tobytes(), digest_size=16).digest()
            if digest in self.seen:
                self.dropped += 1
            else:
                self.own.add(digest)
                yield image


def prepare_cifar10(folder: Path, out: Path, valid: int | None = None) -> dict[str, int]:
    """Prepare CIFAR-10 from its binary batches; some of the training batches are enough.

    The last ``valid`` rows of the training batches (default: a tenth) become the validation set.

    Raises:
        UserError: files are missing or damaged (judging by size, labels and, if it exists, ``SHA256SUMS`` beside
            them), or ``valid`` is not possible.
    """
    if not folder.is_dir():
        raise UserError(f"--from {folder}: no such folder")
    names = [name for name in CIFAR_TRAIN if (folder / name).exists()]
    if not names:
        raise UserError(f"--from {folder}: none of {', '.join(CIFAR_TRAIN)} (CIFAR-10's binary version)")
    batches = {name: read_cifar_batch(folder / name) for name in [*names, CIFAR_TEST]}
    check_sums(folder, [*names, CIFAR_TEST])
    rows = CIFAR_ROWS * len(names)
    valid = rows // 10 if valid is None else valid
    if not 1 <= valid < rows:
        raise UserError(f"--valid {valid} is not possible; valid: 1 to {rows - 1}")
    train = np.concatenate([batches[name] for name in names])
    splits = {"train": train[: rows - valid], "valid": train[rows - valid :], "test": batches[CIFAR_TEST]}
    return write_splits(out, splits, f"CIFAR-10, {len(names)} of {len(CIFAR_TRAIN)} training batches")


def prepare_pictures(
    folder: Path, out: Path, size: int, valid: float = 0.1, test: float = 0.1, name: str = "pictures"
) -> dict[str, int]:
    """Prepare any folder or archive of pictures as center crops, resized to ``size`` x ``size`` pixels.

    If the folder has CelebA's ``list_eval_partition.txt``, its splits are used. Otherwise pictures are sorted by file
    name: the last share ``test`` becomes the test set, the share ``valid`` before it the validation set.

    Raises:
        UserError: there are no or too few pictures, one is damaged, or an option is impossible.
    """
    if not 4 <= size <= 1024:
        raise UserError(f"--size {size} is not possible; valid: 4 to 1024 pixels")
    if valid <= 0 or test <= 0 or valid + test >= 1:
        raise UserError(f"--valid {valid} --test {test}: not possible; both above 0, together below 1")
    pictures = find_pictures(folder)
    partition = folder / PARTITION
    if folder.is_dir() and partition.is_file():
        names = split_by_partition(pictures.names, partition)
    else:
        count = len(pictures.names)
        held = [max(1, round(count * share)) for share in (valid, test)]
        if count < sum(held) + 1:
            raise UserError(f"{folder}: {count} pictures are too few for three splits")
        first, second = count - sum(held), count - held[1]
        ordered = pictures.names
        names = {"train": ordered[:first], "valid": ordered[first:second], "test": ordered[second:]}
    splits = {split: pictures.images(chosen, size) for split, chosen in names.items()}
    return write_splits(out, splits, f"{name}, {len(pictures.names)} pictures, {size} x {size}")


def split_by_partition(names: list[str], partition: Path) -> dict[str, list[str]]:
    """Names by CelebA's official partition (0 train, 1 valid, 2 test); pictures not listed in it are left out.

    Raises:
        UserError: a line is not ``NAME 0|1|2``.
    """
    by_file = {Path(name).name: name for name in names}
    splits: dict[str, list[str]] = {"train": [], "valid": [], "test": []}
    kinds = dict(zip("012", splits, strict=True))
    for number, line in enumerate(_lines(partition), 1):
        words = line.split()
        if len(words) != 2 or words[1] not in kinds:
            raise UserError(f"{partition}, line {number}: {line[:80]!r} is not 'NAME 0', 'NAME 1' or 'NAME 2'")
        if words[0] in by_file:
            splits[kinds[words[1]]].append(by_file[words[0]])
    return splits


def _lines(path: Path) -> list[str]:
    with path.open("rb") as stream:
        return list(read_texts(stream, str(path)))

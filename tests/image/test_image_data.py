"""Data preparation: splits that never mix, epochs that can be resumed, and one line for every kind of damage."""

import hashlib
import io
import json
import pickle
import tarfile

import numpy as np
import pictures
import pytest

from vqnat.errors import UserError
from vqnat.image.datasets.image_dataset import ImageDataset
from vqnat.image.datasets.prepare import prepare_cifar10, prepare_pictures, write_splits
from vqnat.image.datasets.raw_images import CIFAR_ROW, CIFAR_ROWS, read_cifar_batch
from vqnat.image.datasets.split_files import open_split, read_header, split_file, write_split


@pytest.fixture
def cifar(tmp_path):
    """Two training batches and the test batch in the official layout."""
    random = np.random.default_rng(1)
    folder = tmp_path / "raw"
    folder.mkdir()
    for name in ("data_batch_1.bin", "data_batch_2.bin", "test_batch.bin"):
        rows = random.integers(0, 256, (CIFAR_ROWS, CIFAR_ROW), dtype=np.uint8)
        rows[:, 0] %= 10
        rows.tofile(folder / name)
    return folder


def test_cifar_planes_become_pixels(cifar, tmp_path):
    counts = prepare_cifar10(cifar, tmp_path / "out", 500)
    assert counts == {"train": 19500, "valid": 500, "test": 10000}
    row = np.fromfile(cifar / "data_batch_1.bin", np.uint8)[:CIFAR_ROW]
    first = open_split(tmp_path / "out", "train")[0]
    assert first[0, 0].tolist() == [row[1], row[1 + 1024], row[1 + 2048]]
    assert first[2, 5].tolist() == [row[1 + 69], row[1 + 1024 + 69], row[1 + 2048 + 69]]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.write_bytes(b""), "empty: 0 bytes, a batch has 30730000"),
        (lambda path: path.write_bytes(path.read_bytes()[:-5]), "truncated: 30729995 bytes"),
        (lambda path: path.write_bytes(path.read_bytes() + b"x"), "too long: 30730001 bytes"),
        (lambda path: path.write_bytes(b"\xff" + path.read_bytes()[1:]), "damaged: row 0 has the label 255"),
        (lambda path: path.unlink(), "no such file"),
    ],
)
def test_damaged_cifar(cifar, damage, message):
    damage(cifar / "test_batch.bin")
    with pytest.raises(UserError, match=message):
        read_cifar_batch(cifar / "test_batch.bin")


def test_checksums_beside_the_batches_are_checked(cifar, tmp_path):
    (cifar / "SHA256SUMS").write_text(f"{'0' * 64}  data_batch_2.bin\n")
    with pytest.raises(UserError, match=r"data_batch_2.bin: damaged: its sha256 is"):
        prepare_cifar10(cifar, tmp_path / "out")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "train.npy").write_bytes(b""), "empty: 0 bytes, train.json says"),
        (lambda f: (f / "train.npy").write_bytes((f / "train.npy").read_bytes()[:-1]), "truncated"),
        (lambda f: (f / "train.npy").write_bytes((f / "train.npy").read_bytes() + b"x"), "too long"),
        (lambda f: (f / "train.npy").write_bytes((f / "train.npy").read_bytes()[:-1] + b"\x07"), "damaged"),
        (lambda f: (f / "train.npy").unlink(), "no such file"),
        (lambda f: (f / "train.json").write_text("{}"), "not the description of an image file"),
        (lambda f: (f / "train.json").write_text("[1"), "not the description of an image file"),
        (lambda f: (f / "train.json").unlink(), "make the data with a script"),
    ],
)
def test_damaged_splits(tmp_path, damage, message):
    folder = pictures.write(tmp_path / "data", 5, 2, 2)
    damage(folder)
    with pytest.raises(UserError, match=message):
        open_split(folder, "train")


def test_numpy_reads_a_split(tmp_path):
    folder = pictures.write(tmp_path / "data", 5, 2, 3)
    assert np.array_equal(np.load(folder / "train.npy"), pictures.draw(10)[:5])
    header = read_header(folder, "train")
    assert header["bytes"] == (folder / "train.npy").stat().st_size and header["shape"] == [8, 8, 3]


def test_data_of_version_0_1_is_read_and_replaced(tmp_path):
    images = pictures.draw(5)
    (tmp_path / "train.bin").write_bytes(images.tobytes())
    header = {"format": "vqnat images 1", "count": 5, "shape": [8, 8, 3], "source": "squares"}
    header["sha256"] = hashlib.sha256(images.tobytes()).hexdigest()
    (tmp_path / "train.json").write_text(json.dumps(header))
    assert split_file(tmp_path, "train").name == "train.bin"
    found = open_split(tmp_path, "train")
    assert isinstance(found, np.memmap) and np.array_equal(found, images)
    assert np.array_equal(pickle.loads(pickle.dumps(ImageDataset(found))).images, images)
    write_split(tmp_path, "train", images[:3], {})
    assert np.array_equal(open_split(tmp_path, "train"), images[:3]) and not (tmp_path / "train.bin").exists()


def test_splits_share_no_image(tmp_path):
    images = pictures.draw(6)
    twice = {"train": images, "valid": images[[0, 1]], "test": images[[1, 2]]}
    assert write_splits(tmp_path, twice, "squares") == {"train": 3, "valid": 1, "test": 2}
    kept = {split: {image.tobytes() for image in open_split(tmp_path, split)} for split in twice}
    assert not (kept["train"] & kept["valid"] or kept["train"] & kept["test"] or kept["valid"] & kept["test"])
    assert json.loads((tmp_path / "train.json").read_text())["count"] == 3


def test_folder_and_archive_of_pictures_give_the_same(tmp_path):
    folder = pictures.write_files(tmp_path / "raw", 20)
    with tarfile.open(tmp_path / "raw.tar", "w") as tar:
        tar.add(folder, "faces")
    for source, out in ((folder, "a"), (tmp_path / "raw.tar", "b")):
        assert prepare_pictures(source, tmp_path / out, 8) == {"train": 16, "valid": 2, "test": 2}
    assert np.array_equal(open_split(tmp_path / "a", "test"), open_split(tmp_path / "b", "test"))


def test_official_partition(tmp_path):
    folder = pictures.write_files(tmp_path / "raw", 6)
    lines = [f"{n:03}.png {kind}" for n, kind in enumerate((0, 2, 1, 0, 0, 2))]
    (folder / "list_eval_partition.txt").write_text("\n".join(lines) + "\n")
    assert prepare_pictures(folder, tmp_path / "out", 8) == {"train": 3, "valid": 1, "test": 2}
    (folder / "list_eval_partition.txt").write_text("000.png 3\n")
    with pytest.raises(UserError, match=r"line 1: '000\.png 3' is not"):
        prepare_pictures(folder, tmp_path / "out", 8)


@pytest.mark.parametrize("content", [b"", b"no picture", None])
def test_damaged_pictures(tmp_path, content):
    folder = pictures.write_files(tmp_path / "raw", 12)
    whole = (folder / "003.png").read_bytes()
    (folder / "003.png").write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(UserError, match=r"003.png is (empty|not a readable picture)"):
        prepare_pictures(folder, tmp_path / "out", 8)
    assert not (tmp_path / "out" / "train.npy").exists()


def test_sources_without_pictures(tmp_path):
    (tmp_path / "bad.tar").write_bytes(b"not an archive at all")
    (tmp_path / "empty").mkdir()
    for source, message in (("bad.tar", "not a readable archive"), ("empty", "no picture"), ("none", "not a folder")):
        with pytest.raises(UserError, match=message):
            prepare_pictures(tmp_path / source, tmp_path / "out", 8)
    with pytest.raises(UserError, match="--size 2 is not possible"):
        prepare_pictures(tmp_path / "empty", tmp_path / "out", 2)


def test_epochs_are_functions_of_the_seed(tmp_path):
    images = open_split(pictures.write(tmp_path / "data"), "train")
    first, second = (ImageDataset(images, train=True, flip=True, seed=3) for _ in range(2))
    first.set_epoch(2)
    orders = [[first[i]["id"] for i in range(len(first))]]
    first.set_epoch(5)
    orders.append([first[i]["id"] for i in range(len(first))])
    second.set_epoch(5)
    assert orders[0] != orders[1] == [second[i]["id"] for i in range(len(second))]
    assert sorted(orders[0]) == list(range(len(images)))
    mirrored = 0
    for i in range(len(first)):
        item = first[i]["image"].numpy()
        plain = images[first[i]["id"]]
        assert np.array_equal(item, plain) or np.array_equal(item, plain[:, ::-1])
        mirrored += not np.array_equal(item, plain)
    assert 0.2 < mirrored / len(first) < 0.8
    assert np.array_equal(first[0]["image"], second[0]["image"])


def test_workers_map_the_file_themselves(tmp_path):
    images = open_split(pictures.write(tmp_path / "data"), "train")
    pickled = pickle.dumps(ImageDataset(images))
    assert len(pickled) < images.nbytes
    assert np.array_equal(pickle.load(io.BytesIO(pickled)).images, images)

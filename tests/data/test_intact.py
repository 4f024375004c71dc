"""Binarized text that is damaged is named before anything is learned from it."""

import random
import shutil
import subprocess

import bitext
import pytest

from vqnat.data.bitext import open_split, open_train_split
from vqnat.data.intact import check_split_files
from vqnat.errors import UserError
from vqnat.records.checksums import SUMS, check_sums, read_sums, sha256, write_sums
from vqnat.tasks.latent_translation import LatentTranslationConfig, LatentTranslationTask


@pytest.fixture
def data(digits, tmp_path):
    """A copy of the digits with checksums, as data-prep and distillation write them."""
    folder = tmp_path / "bin"
    shutil.copytree(digits, folder)
    write_sums(
        folder, {path.name: sha256(path) for path in folder.iterdir() if path.suffix in (".bin", ".idx", ".txt")}
    )
    return folder


def load(folder):
    task = LatentTranslationTask.setup_task(
        LatentTranslationConfig(data=str(folder), source_lang="en", target_lang="de", dataset_impl="mmap")
    )
    task.load_dataset("train")
    return task


def test_checksums_are_those_of_sha256sum(data):
    assert len(load(data).dataset("train")) == 2000
    if shutil.which("sha256sum"):
        done = subprocess.run(["sha256sum", "--check", "--strict", SUMS], cwd=data, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
        written = subprocess.run("sha256sum *.bin *.idx *.txt", shell=True, cwd=data, capture_output=True, text=True)
        assert sorted(written.stdout.splitlines()) == sorted((data / SUMS).read_text().splitlines())


@pytest.mark.parametrize("name", ["train.en-de.de.bin", "train.en-de.en.idx", "dict.de.txt"])
def test_a_flipped_bit(data, name):
    content = bytearray((data / name).read_bytes())
    content[random.Random(1).randrange(len(content))] ^= 4
    (data / name).write_bytes(content)
    message = f"^{data / name}: damaged: SHA256SUMS beside it has another checksum; make the folder again$"
    for read in (load, lambda folder: open_train_split(folder, "en", "de")):
        with pytest.raises(UserError, match=message):
            read(data)


def test_a_file_that_is_missing_or_more(data):
    (data / "test.en-de.de.bin").unlink()
    load(data)
    with pytest.raises(UserError, match="no such file"):
        open_split(data, "test")
    shutil.copyfile(data / "valid.en-de.de.bin", data / "train1.en-de.de.bin")
    with pytest.raises(UserError, match=f"^{data / 'train1.en-de.de.bin'}: not listed in SHA256SUMS"):
        check_split_files(data, "train1")
    (data / SUMS).write_text("of another kind\n")
    with pytest.raises(UserError, match=f"^{data / SUMS}, line 1: not a checksum"):
        read_sums(data)
    (data / SUMS).unlink()
    check_sums(data, lambda name: True)  # a folder of fairseq-preprocess has none


@pytest.mark.parametrize("ending", ["bin", "idx"])
@pytest.mark.parametrize("length", [0, 8, 30, -4])
def test_truncated_without_checksums(digits, tmp_path, ending, length):
    folder = tmp_path / "bin"
    shutil.copytree(digits, folder)
    path = folder / f"train.en-de.en.{ending}"
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(UserError, match=f"^{path}: .*; binarize the text again$"):
        load(folder)


@pytest.mark.slow
def test_training_names_it(data, tmp_path):
    path = data / "train.en-de.de.bin"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    done = bitext.run(
        *("fairseq-train", data, "--user-dir", "vqnat", "--task", "latent_translation", "--cpu"),
        *("--arch", "latent_transformer_tiny", *bitext.TINY, "--criterion", "latent_transformer_loss"),
        *("--optimizer", "adam", "--max-tokens", 500, "--max-update", 1, "--save-dir", tmp_path / "run"),
        check=False,
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert f"error: {path}: damaged" in done.stderr

"""Checkpoints are whole or not there, and a damaged one is named."""

import os
import random
import resource
import shutil
import signal
import time

import pytest
import torch
from fairseq import checkpoint_utils

import vqnat.plugin  # noqa: F401
from vqnat.checkpoints.averaging import average_checkpoints
from vqnat.checkpoints.fairseq_files import check_archive
from vqnat.checkpoints.reading import read_checkpoint
from vqnat.errors import UserError

STATE = {
    "cfg": None,
    "args": None,
    "model": {"weight": torch.arange(5000.0)},
    "optimizer_history": [{"num_updates": 1}],
}
STATE |= {"extra_state": {}, "last_optimizer_state": None}


@pytest.fixture
def checkpoint(tmp_path):
    checkpoint_utils.torch_persistent_save(STATE, str(tmp_path / "checkpoint_last.pt"))
    return tmp_path / "checkpoint_last.pt"


def test_a_flipped_bit_is_named_or_harmless(checkpoint):
    """torch.load reads most of them without a word."""
    content, numbers, named = checkpoint.read_bytes(), random.Random(1), 0
    for _ in range(300):
        at = numbers.randrange(len(content))
        checkpoint.write_bytes(content[:at] + bytes([content[at] ^ 1 << numbers.randrange(8)]) + content[at + 1 :])
        try:
            weight = read_checkpoint(checkpoint)["model"]["weight"]
        except UserError as error:
            assert str(error).startswith(f"{checkpoint}: not a readable checkpoint (") and "\n" not in str(error)
            named += 1
        else:
            assert torch.equal(weight, STATE["model"]["weight"])
    assert named > 200  # most of the file are weights


@pytest.mark.parametrize("length", [0, 1, 3, 100, 10_000, -1])
def test_a_truncated_one_is_named(checkpoint, length):
    checkpoint.write_bytes(checkpoint.read_bytes()[:length])
    for read in (read_checkpoint, lambda path: checkpoint_utils.load_checkpoint_to_cpu(str(path))):
        with pytest.raises(UserError, match=rf"^{checkpoint}: not a readable checkpoint"):
            read(checkpoint)
    with pytest.raises(UserError, match="not a readable checkpoint"):
        average_checkpoints([checkpoint])


def test_files_in_the_old_format_are_read(tmp_path):
    torch.save(STATE, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    check_archive(tmp_path / "old.pt")
    assert torch.equal(read_checkpoint(tmp_path / "old.pt")["model"]["weight"], STATE["model"]["weight"])


def in_a_child(work, limit=None):
    """Fork; returns the child's id. ``limit``: the largest file in bytes that it may write."""
    child = os.fork()
    if child == 0:
        if limit is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        try:
            work()
        except UserError as error:
            os._exit(7 if "cannot write (File too large); earlier checkpoints are kept" in str(error) else 8)
        except BaseException:
            os._exit(9)
        os._exit(0)
    return child


@pytest.mark.parametrize("way", ["save", "copy"])
def test_a_full_disk_leaves_the_earlier_one(checkpoint, way):
    before = checkpoint.read_bytes()
    shutil.copyfile(checkpoint, checkpoint.with_name("best.pt"))
    ways = {
        "save": lambda: checkpoint_utils.torch_persistent_save(STATE, str(checkpoint)),
        "copy": lambda: checkpoint_utils.PathManager.copy(
            str(checkpoint.with_name("best.pt")), str(checkpoint), overwrite=True
        ),
    }
    _, status = os.waitpid(in_a_child(ways[way], limit=len(before) // 2), 0)
    assert os.waitstatus_to_exitcode(status) == 7
    assert checkpoint.read_bytes() == before
    assert sorted(os.listdir(checkpoint.parent)) == ["best.pt", "checkpoint_last.pt"]


def test_a_kill_leaves_a_whole_one(checkpoint):
    """fairseq copies the newest checkpoint to checkpoint_last.pt in place, and a kill then leaves the half of it."""
    other = checkpoint.with_name("other.pt")
    checkpoint_utils.torch_persistent_save(STATE | {"model": {"weight": torch.ones(500_000)}}, str(other))
    whole = {checkpoint.read_bytes(), other.read_bytes()}
    numbers = random.Random(1)

    def copy_for_ever():
        while True:
            checkpoint_utils.PathManager.copy(str(other), str(checkpoint), overwrite=True)

    for _ in range(20):
        child = in_a_child(copy_for_ever)
        time.sleep(numbers.uniform(0.01, 0.04))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert checkpoint.read_bytes() in whole
    checkpoint_utils.PathManager.copy(str(other), str(checkpoint), overwrite=True)  # removes what the killed ones left
    assert sorted(os.listdir(checkpoint.parent)) == ["checkpoint_last.pt", "other.pt"]

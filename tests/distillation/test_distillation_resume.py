"""A distillation that is killed, cut into shards or runs out of disk gives the undisturbed result."""

import json
import re
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import bitext
import pytest
from distilling import command, files

from vqnat.distillation import journal
from vqnat.distillation.journal import Journal, read_header, scan

pytestmark = pytest.mark.slow
SINGLE = ("--max-tokens", 1)  # batches of one sentence: 200 of them, so that there is time to kill


def finished_batches(out: Path) -> list[int]:
    """The batches in all journals of a folder."""
    found = []
    for path in (out / "shards").glob("*.journal"):
        header, first = read_header(path)
        found += [record.batch for _, _, record in scan(path, first)] if header else []
    return found


def total_batches(result: Path) -> int:
    """The batches that a result was decoded in."""
    return json.loads((result / "distillation.json").read_text())["counts"]["batches"]


def kill_after(root: Path, out: Path, batches: int, *extra: object) -> int:
    """Kill -9 the command line when the journals hold so many batches; returns how many they hold."""
    process = subprocess.Popen(command(root, out, *SINGLE, *extra), stderr=subprocess.DEVNULL)
    limit = time.monotonic() + 120
    while len(finished_batches(out)) < batches:
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < limit
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    return len(finished_batches(out))


def test_killed_twice(root: Path, reference: Path, distill: Callable, tmp_path: Path) -> None:
    first = kill_after(root, tmp_path, 1)
    second = kill_after(root, tmp_path, first + 20)
    assert first < second < 200
    last = distill(tmp_path, *SINGLE)
    assert last.returncode == 0, last.stderr
    # every batch in the journals was decoded once, so at most the one in flight at each kill is repeated
    assert f"decoded {200 - second} batches" in last.stderr
    assert f"{second} of 200 sentences were done before" in last.stderr
    assert files(tmp_path) == files(reference)


def test_jobs_killed(root: Path, reference: Path, distill: Callable, tmp_path: Path) -> None:
    kill_after(root, tmp_path, 1, "--jobs", 2)
    time.sleep(1)  # the children leave by themselves
    before = finished_batches(tmp_path)
    time.sleep(0.2)
    assert finished_batches(tmp_path) == before
    assert len(set(before)) == len(before) < 200
    last = distill(tmp_path, *SINGLE, "--jobs", 2)
    assert last.returncode == 0, last.stderr
    assert f"{len(before)} of 200 sentences were done before" in last.stderr
    assert files(tmp_path) == files(reference)


def test_three_shards_by_hand(root: Path, reference: Path, tmp_path: Path, distill: Callable) -> None:
    shards = ("--num-shards", 3)
    words = [command(root, tmp_path, *shards, "--shard", i) for i in range(2)]
    running = [subprocess.Popen(line, stderr=subprocess.PIPE, text=True) for line in words]
    errors = [process.communicate()[1] for process in running]
    assert [process.returncode for process in running] == [0, 0], errors
    early = distill(tmp_path, *shards, "--merge")
    assert early.returncode == 2
    assert "shard-2-of-3.journal: no such shard yet" in early.stderr
    stranger = distill(tmp_path, *shards, "--shard", 2, teacher="other.pt")
    assert stranger.returncode == 2
    assert stranger.stderr.count("\n") == 1
    assert re.search(r"made with teacher sha256 = \w{64}, asked for \w{64}", stranger.stderr)
    assert distill(tmp_path, *shards, "--shard", 2).returncode == 0
    merged = distill(tmp_path, *shards, "--merge")
    assert merged.returncode == 0, merged.stderr
    assert files(tmp_path) == files(reference)


@pytest.mark.parametrize("damage", ["torn", "flipped", "junk"])
def test_damaged_journal_tail(reference: Path, distill: Callable, tmp_path: Path, damage: str) -> None:
    done = distill(tmp_path / "shard", "--num-shards", 1, "--shard", 0)
    assert done.returncode == 0, done.stderr
    path = tmp_path / "shard" / "shards" / "shard-0-of-1.journal"
    content = bytearray(path.read_bytes())
    if damage == "torn":
        content = content[:-7]
    elif damage == "flipped":
        content[-20] ^= 1
    else:
        content = content[: len(content) // 2] + b"\0" * 100
    path.write_bytes(content)
    left = total_batches(reference) - len(finished_batches(tmp_path / "shard"))
    assert left >= 1
    again = distill(tmp_path / "shard")
    assert again.returncode == 0, again.stderr
    assert "of an unfinished batch" in again.stderr
    assert f"decoded {left} batches" in again.stderr
    assert files(tmp_path / "shard") == files(reference)


def test_two_writers(distill: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "LOCK_WAIT", 0.3)
    done = distill(tmp_path, "--num-shards", 2, "--shard", 0)
    assert done.returncode == 0, done.stderr
    with (
        Journal(tmp_path / "shards" / "shard-0-of-2.journal", {}),
        pytest.raises(Exception, match="another process"),
    ):
        Journal(tmp_path / "shards" / "shard-0-of-2.journal", {})


def limit_file_size(size: int) -> Callable[[], None]:
    """For ``preexec_fn``: writing beyond ``size`` bytes of a file fails as on a full disk."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_no_space_for_a_shard_then_for_the_result(
    root: Path, reference: Path, distill: Callable, tmp_path: Path
) -> None:
    full = bitext.run(*command(root, tmp_path), check=False, preexec_fn=limit_file_size(4000))
    assert full.returncode == 2
    assert full.stderr.count("cannot write") == 1
    assert "shard-0-of-1.journal: cannot write: File too large" in full.stderr
    assert "Traceback" not in full.stderr
    kept = len(finished_batches(tmp_path))
    assert 0 < kept < total_batches(reference)
    again = distill(tmp_path, "--num-shards", 1, "--shard", 0)
    assert f"decoded {total_batches(reference) - kept} batches" in again.stderr
    full = bitext.run(*command(root, tmp_path), check=False, preexec_fn=limit_file_size(2200))
    assert full.returncode == 2
    assert full.stderr.count("\n") == 1
    assert "train.en-de.en.idx: cannot write: File too large" in full.stderr
    assert not list(tmp_path.glob("*.idx")) and not list(tmp_path.glob(".*.tmp"))
    last = distill(tmp_path)
    assert last.returncode == 0, last.stderr
    assert files(tmp_path) == files(reference)


def test_real_full_disk(reference: Path, distill: Callable, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "none", str(small)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs privileges; RLIMIT_FSIZE is tested above")
    try:
        full = distill(small / "out")
        assert full.returncode == 2
        assert "cannot write: No space left on device" in full.stderr.splitlines()[-1]
        assert "Traceback" not in full.stderr
        assert len(set(finished_batches(small / "out"))) == len(finished_batches(small / "out"))
        subprocess.run(["mount", "-o", "remount,size=1m", str(small)], check=True)
        last = distill(small / "out")
        assert last.returncode == 0, last.stderr
        assert files(small / "out") == files(reference)
    finally:
        subprocess.run(["umount", str(small)], check=True)

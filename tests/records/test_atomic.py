"""A file or a folder that is replaced is whole, or as it was."""

import os
import signal
import subprocess
import sys

import pytest
from bitext import REPO

from vqnat.records.atomic import replacing, replacing_folder


def test_the_new_content_or_the_old(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old" and temporary.parent == tmp_path
    assert path.read_text() == "new" and os.listdir(tmp_path) == ["file"]
    with pytest.raises(KeyboardInterrupt), replacing(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "new" and os.listdir(tmp_path) == ["file"]
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "none" / "file") as temporary:
        temporary.write_text("nowhere")


def test_what_a_killed_process_left_behind_is_removed(tmp_path):
    ended = os.fork()
    if not ended:
        os._exit(0)
    os.waitpid(ended, 0)
    (tmp_path / f".file.{ended}.tmp").write_text("left behind")
    (tmp_path / f".file.{os.getppid()}.tmp").write_text("being written")
    (tmp_path / f".other.{ended}.tmp").write_text("another file's")
    with replacing(tmp_path / "file") as temporary:
        temporary.write_text("new")
    left = {f".file.{os.getppid()}.tmp", f".other.{ended}.tmp", "file"}
    assert set(os.listdir(tmp_path)) == left


def test_a_folder_is_replaced_whole(tmp_path):
    path = tmp_path / "new" / "folder"
    for content in ("old", "new"):
        with replacing_folder(path) as temporary:
            (temporary / content).mkdir()
            (temporary / content / "file").write_text(content)
        assert os.listdir(path) == [content] and os.listdir(path.parent) == ["folder"]
    with pytest.raises(KeyboardInterrupt), replacing_folder(path) as temporary:
        (temporary / "half").touch()
        raise KeyboardInterrupt
    assert os.listdir(path) == ["new"] and os.listdir(path.parent) == ["folder"]


def test_a_process_killed_while_it_swaps_folders_loses_nothing(tmp_path):
    path = tmp_path / "folder"
    path.mkdir()
    (path / "old").touch()
    program = """
import os, signal, sys
from pathlib import Path
from vqnat.records import atomic

def rename(source, target, real=os.replace):
    real(source, target)
    os.kill(os.getpid(), signal.SIGKILL)

atomic.os.replace = rename
with atomic.replacing_folder(Path(sys.argv[1])) as temporary:
    (temporary / "new").touch()
"""
    assert subprocess.run([sys.executable, "-c", program, path], cwd=REPO).returncode == -signal.SIGKILL
    assert not path.exists()  # killed between the two renames
    with pytest.raises(KeyboardInterrupt), replacing_folder(path):
        raise KeyboardInterrupt
    assert os.listdir(path) == ["old"] and os.listdir(tmp_path) == ["folder"]

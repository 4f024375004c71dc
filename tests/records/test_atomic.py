"""A file that is replaced is whole, or as it was."""

import os

import pytest

from vqnat.records.atomic import replacing


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

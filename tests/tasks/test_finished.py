"""A training that has ended, by whatever option, changes nothing when the same command is run again."""

import fcntl
import hashlib
import shutil

import bitext
import pytest

from vqnat.tasks import one_writer

SHORT = ("--codebook-start-updates", 2, "--log-interval", 1)


def contents(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def train(data, folder, *more, updates=4, check=True):
    command = (
        *("fairseq-train", data, "--user-dir", "vqnat", "--task", "latent_translation", "--cpu"),
        *("--arch", "latent_transformer_tiny", *bitext.TINY, "--criterion", "latent_transformer_loss"),
        *("--optimizer", "adam", "--lr", 0.001, "--max-tokens", 500, "--max-update", updates, "--num-workers", 0),
        *("--codebook-size", 16, "--save-dir", folder, "--no-epoch-checkpoints", "--no-progress-bar", *SHORT, *more),
    )
    return bitext.run(*command, check=check)


@pytest.fixture(scope="module")
def ended(digits, tmp_path_factory):
    """A training of 4 updates, with a checkpoint of each second one; only the newest is kept."""
    folder = tmp_path_factory.mktemp("ended")
    train(digits, folder, "--save-interval-updates", 2, "--keep-interval-updates", 1)
    return folder


def test_reached_its_last_update(digits, ended, tmp_path):
    found = contents(ended)
    assert "checkpoint_1_4.pt" in found and "checkpoint_1_2.pt" not in found
    folder = tmp_path / "again"
    shutil.copytree(ended, folder)
    # Killed when everything was saved and before what is superseded was removed:
    shutil.copyfile(folder / "checkpoint_1_4.pt", folder / "checkpoint_1_2.pt")
    done = train(digits, folder, "--save-interval-updates", 2, "--keep-interval-updates", 1)
    assert contents(folder) == found
    said = [line for line in done.stdout.splitlines() if "has ended" in line]
    assert len(said) == 1
    assert said[0].endswith(f"{folder}: this training has ended (4 updates, --max-update 4): nothing to do")


def test_fewer_updates_than_were_made_change_nothing(digits, ended, tmp_path):
    shutil.copytree(ended, tmp_path / "again")
    assert "(4 updates, --max-update 3)" in train(digits, tmp_path / "again", updates=3).stdout
    assert contents(tmp_path / "again") == contents(ended)


def test_more_updates_continue(digits, ended, tmp_path):
    shutil.copytree(ended, tmp_path / "more")
    assert "has ended" not in train(digits, tmp_path / "more", updates=5).stdout
    assert contents(tmp_path / "more")["checkpoint_last.pt"] != contents(ended)["checkpoint_last.pt"]


def test_another_training_may_start_from_it(digits, ended, tmp_path):
    done = train(digits, tmp_path, "--finetune-from-model", ended / "checkpoint_last.pt")
    assert "has ended" not in done.stdout and (tmp_path / "checkpoint_last.pt").exists()


def test_its_patience_survives_a_kill(digits, tmp_path):
    def patient(folder):
        # At a learning rate of 0 no validation is better than the first, at update 2: it stops at 6.
        options = ("--patience", 2, "--save-interval-updates", 2, "--lr", 0, "--max-valid-steps", 1)
        fixed = ("--bottleneck", "vq", "--codebook-start", "random", "--dead-code-threshold", 0)
        return train(digits, folder, *options, *fixed, updates=20)

    patient(tmp_path / "whole")
    found = contents(tmp_path / "whole")
    assert "checkpoint_1_6.pt" in found and "checkpoint_1_8.pt" not in found
    assert "no better for 2 validations, --patience 2" in patient(tmp_path / "whole").stdout
    assert contents(tmp_path / "whole") == found

    (tmp_path / "killed").mkdir()
    for name in ("checkpoint_1_4.pt", "checkpoint_last.pt"):
        shutil.copyfile(tmp_path / "whole" / "checkpoint_1_4.pt", tmp_path / "killed" / name)
    patient(tmp_path / "killed")
    continued = contents(tmp_path / "killed")
    assert "checkpoint_1_6.pt" in continued and "checkpoint_1_8.pt" not in continued


def test_another_training_in_the_folder(digits, ended, tmp_path):
    shutil.copytree(ended, tmp_path / "again")
    with open(tmp_path / "again" / one_writer.NAME, "r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        done = train(digits, tmp_path / "again", updates=5, check=False)
    assert done.returncode == 1
    [line] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert line.startswith(f"error: --save-dir {tmp_path / 'again'}: another training writes there")

"""Several gloo processes train as one with the same global batches; a part of what ``run_replicas.py`` compares."""

import os
import signal
import threading
import time

import bitext
import pytest
from replicated import BACKENDS, PROGRAM, free_port, largest_difference, losses, rank_words, train, words

from vqnat.checkpoints.reading import read_checkpoint

pytestmark = pytest.mark.slow
ROUNDING = (
    2e-3  # of weights after 10 updates at a learning rate of 0.003: Adam makes small gradients as large as others
)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """70 pairs of digits: an epoch ends within an update, so that some processes have nothing to do in its last one."""
    folder = tmp_path_factory.mktemp("replicas")
    bitext.write(folder / "raw", {"train": 70, "valid": 8, "test": 8})
    return bitext.binarize(folder / "raw", folder / "bin")


@pytest.fixture(scope="module")
def alone(data, tmp_path_factory):
    """One process, 4 batches an update, k-means at update 3: folder and logged losses."""
    folder = tmp_path_factory.mktemp("alone")
    return folder, losses(train(data, folder, "hard_em", "--update-freq", 4)[0])


@pytest.mark.parametrize(("ranks", "backend"), [(2, "legacy_ddp"), (4, "no_c10d"), (2, "pytorch_ddp")])
def test_as_one_process(data, alone, tmp_path, ranks, backend):
    done = train(data, tmp_path, "hard_em", "--update-freq", 4 // ranks, ranks=ranks, backend=backend)
    ours, theirs = losses(done[0]), alone[1]
    assert len(ours) == len(theirs) == 10 and "predictor_loss" in ours[-1]
    for one, other in zip(ours, theirs, strict=True):
        assert one == pytest.approx(other, abs=2e-3, rel=1e-3)
    assert largest_difference(alone[0] / "checkpoint_last.pt", tmp_path / "checkpoint_last.pt") < ROUNDING


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1)])
def test_resumed_by_another_number_of_processes(data, alone, tmp_path, before, after):
    """Stopped before the codebook's start, and between two epochs."""
    train(data, tmp_path, "hard_em", "--update-freq", 4 // before, ranks=before, updates=2)
    train(data, tmp_path, "hard_em", "--update-freq", 4 // after, ranks=after)
    assert largest_difference(alone[0] / "checkpoint_last.pt", tmp_path / "checkpoint_last.pt") < ROUNDING


def test_a_killed_process_ends_the_others(data, tmp_path):
    port, done = free_port(), {}
    given = words(data, tmp_path, "hard_em", "--save-interval-updates", 2, "--disable-validation", updates=100_000)

    def run(rank):
        report = ("-c", f"import os; open({str(tmp_path / f'pid{rank}')!r}, 'w').write(str(os.getpid()))")
        program = f"{report[1]}; import runpy; runpy.run_path({str(PROGRAM)!r}, run_name='__main__')"
        command = ["-c", *map(str, given), *map(str, rank_words(rank, 2, port, BACKENDS[0]))]
        done[rank] = bitext.forks().run(command, bitext.REPO, program), time.monotonic()

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(2)]
    for thread in threads:
        thread.start()
    until = time.monotonic() + 120
    while not (tmp_path / "checkpoint_last.pt").exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    os.kill(int((tmp_path / "pid1").read_text()), signal.SIGKILL)
    killed = time.monotonic()
    for thread in threads:
        thread.join(120)
    (ended, when), (other, _) = done[0], done[1]
    assert other.returncode == -signal.SIGKILL
    assert when - killed < 60
    assert ended.returncode == 1 and "Traceback" not in ended.stderr, ended.stderr[-2000:]
    [line] = [line for line in ended.stderr.splitlines() if "error: " in line]
    assert line.startswith("[rank0]: error: another process of this training has ended")
    assert read_checkpoint(tmp_path / "checkpoint_last.pt")["optimizer_history"][-1]["num_updates"] % 2 == 0

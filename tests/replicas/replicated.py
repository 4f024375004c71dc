"""fairseq-train as one process and as several gloo processes on the CPU, with the same global batches."""

import json
import socket
import sys
import threading
from pathlib import Path
from subprocess import CompletedProcess

import bitext

from vqnat.bottlenecks import bottleneck_fields
from vqnat.checkpoints.reading import read_checkpoint

PROGRAM = Path(__file__).with_name("train_seeded.py")
# Of these options a bottleneck gets those that it has.
SMALL = {"codebook_size": 16, "codebook_start_updates": 3, "fsq_levels": "4,3", "num_samples": 4}
BACKENDS = ("legacy_ddp", "no_c10d", "pytorch_ddp")


def words(data: Path, save_dir: Path, bottleneck: str, *more: object, updates: int) -> list[object]:
    """A short training; batches of few sentences, so that there are several in an update."""
    given = {name: value for name, value in SMALL.items() if name in bottleneck_fields(bottleneck)}
    small = [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", value)]
    return [
        *(data, "--user-dir", "vqnat", "--task", "latent_translation", "--cpu"),
        *("--arch", "latent_transformer_tiny", *bitext.TINY, "--embed-dim", 32, "--share-all-embeddings"),
        *("--criterion", "latent_transformer_loss", "--optimizer", "adam", "--lr", 0.003),
        *("--max-tokens", 300, "--max-update", updates, "--num-workers", 0, "--seed", 1, "--compression-steps", 1),
        *("--no-progress-bar", "--log-interval", 1, "--log-format", "json", "--no-epoch-checkpoints"),
        *("--save-dir", save_dir, "--bottleneck", bottleneck, *small, *more),
    ]


def rank_words(rank: int, ranks: int, port: int, backend: str) -> list[object]:
    """The options of one of several processes."""
    if ranks == 1:
        return []
    where = ("--distributed-init-method", f"tcp://localhost:{port}", "--distributed-backend", "gloo")
    size = ("--distributed-world-size", ranks, "--distributed-rank", rank, "--device-id", 0)
    return [*where, *size, "--distributed-no-spawn", "--ddp-backend", backend]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("localhost", 0))
        return found.getsockname()[1]


def train(
    data: Path,
    save_dir: Path,
    bottleneck: str,
    *more: object,
    ranks: int = 1,
    updates: int = 10,
    backend: str = "legacy_ddp",
    check: bool = True,
) -> list[CompletedProcess]:
    """Train with so many processes; returns how each ended."""
    port, done = free_port(), {}
    given = words(data, save_dir, bottleneck, *more, updates=updates)

    def run(rank: int) -> None:
        command = (sys.executable, PROGRAM, *given, *rank_words(rank, ranks, port, backend))
        done[rank] = bitext.run(*command, check=False)

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(ranks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if check:
        for one in done.values():
            assert one.returncode == 0, one.stdout[-2000:] + one.stderr[-4000:]
    return [done[rank] for rank in range(ranks)]


def losses(done: CompletedProcess) -> list[dict[str, float]]:
    """What was logged of each update."""
    found = []
    for line in done.stdout.splitlines():
        if "| train_inner |" in line:
            row = json.loads(line[line.index("{") :])
            found.append({name: float(row[name]) for name in ("loss", "predictor_loss", "gnorm") if name in row})
    return found


def largest_difference(one: Path, other: Path) -> float:
    """Between the tensors of two checkpoints: weights, codebook, Adam's moments."""
    states = [read_checkpoint(path) for path in (one, other)]
    assert states[0]["optimizer_history"][-1]["num_updates"] == states[1]["optimizer_history"][-1]["num_updates"]
    models = [state["model"] for state in states]
    assert list(models[0]) == list(models[1])
    moments = [state["last_optimizer_state"]["state"] for state in states]
    pairs = [(models[0][name], models[1][name]) for name in models[0]]
    for number, ours in moments[0].items():
        assert ours["step"] == moments[1][number]["step"], "Adam has counted other steps"
        pairs += [(ours[name], moments[1][number][name]) for name in ("exp_avg", "exp_avg_sq")]
    differences = []
    for a, b in pairs:
        assert a.shape == b.shape
        if a.numel():
            differences.append(float((a.double() - b.double()).abs().max()))
    return max(differences)

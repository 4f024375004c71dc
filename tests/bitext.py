"""A small real bitext for tests: English digit names to German ones, one word for one word."""

import functools
import random
import shlex
import subprocess
import sys
from pathlib import Path

import fork_server
from fork_server import Server

REPO = Path(__file__).resolve().parents[1]
ENGLISH = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
GERMAN = ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"]


def write(folder: Path, sizes: dict[str, int], shortest: int = 3, longest: int = 12, seed: int = 1) -> None:
    """``{train,valid,test}.{en,de}`` with that many pairs."""
    numbers = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for split, size in sizes.items():
        pairs = []
        for _ in range(size):
            digits = [numbers.randrange(10) for _ in range(numbers.randint(shortest, longest))]
            pairs.append((" ".join(ENGLISH[d] for d in digits), " ".join(GERMAN[d] for d in digits)))
        for language, side in (("en", 0), ("de", 1)):
            text = "".join(pair[side] + "\n" for pair in pairs)
            (folder / f"{split}.{language}").write_text(text, encoding="utf-8")


@functools.cache
def forks() -> Server:
    """The process that runs our programs; one for each pytest process."""
    return Server()


def forked_python() -> str:
    """A command that runs a program as ``python`` does, forked from the server: for VQNAT_PYTHON of the workflow."""
    forks().wait()
    return shlex.join([sys.executable, "-S", str(Path(fork_server.__file__)), "--client", str(forks().socket)])


def run(*command: object, check: bool = True, **options) -> subprocess.CompletedProcess:
    """A command line as a user would type it, from the checkout; `fairseq-X` means this interpreter's."""
    words = [str(word) for word in command]
    program = words[1:] if words[0] == sys.executable else words
    if options.keys() <= {"input"} and (
        program[0].startswith("fairseq-") or program[0].endswith(".py") or program[0] == "-m"
    ):
        done = forks().run(program, REPO, options.get("input") or "")
    else:
        done = subprocess.run(words, cwd=REPO, capture_output=True, text=True, **options)
    if check and done.returncode:
        raise AssertionError(
            f"{' '.join(words)}\nexit status {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
        )
    return done


def binarize(raw: Path, out: Path) -> Path:
    """fairseq-preprocess with a joined dictionary; returns the binary folder."""
    splits = [word for split in ("train", "valid", "test") for word in (f"--{split}pref", raw / split)]
    languages = ("--source-lang", "en", "--target-lang", "de", "--joined-dictionary")
    run("fairseq-preprocess", *languages, *splits, "--destdir", out, "--workers", 1)
    return out


SIZES = {"encoder-layers": 1, "decoder-layers": 1, "embed-dim": 64, "ffn-embed-dim": 128, "attention-heads": 2}
TINY = [word for option, value in SIZES.items() for word in (f"--{option}", value)]


DECAY = 700  # updates until the learning rate is 0


def train_latent(data: Path, save_dir: Path, *more: object, updates: int = 400) -> Path:
    """Train a very small latent transformer; returns its last checkpoint."""
    command = (
        *("fairseq-train", data, "--user-dir", "vqnat", "--task", "latent_translation", "--cpu"),
        *("--arch", "latent_transformer_tiny", *TINY, "--share-all-embeddings", "--dropout", 0),
        *("--criterion", "latent_transformer_loss", "--optimizer", "adam", "--lr", 0.003),
        *("--lr-scheduler", "polynomial_decay", "--total-num-update", DECAY),
        *("--max-tokens", 1500, "--max-update", updates, "--num-workers", 0, "--seed", 1),
        *("--codebook-size", 64, "--compression-steps", 1, "--codebook-start-updates", 50),
        *("--ema-decay", 0.99, "--num-samples", 4, "--no-progress-bar", "--log-interval", 50),
        *("--save-dir", save_dir, "--no-epoch-checkpoints", *more),
    )
    run(*command)
    return save_dir / "checkpoint_last.pt"


def train_parallel(data: Path, save_dir: Path, *more: object, updates: int = 600) -> Path:
    """Train a very small parallel transformer without latents; returns its last checkpoint."""
    command = (
        *("fairseq-train", data, "--user-dir", "vqnat", "--task", "latent_translation", "--cpu"),
        *("--arch", "parallel_transformer_tiny", *TINY, "--share-all-embeddings", "--dropout", 0),
        *("--criterion", "parallel_loss", "--optimizer", "adam", "--lr", 0.003, "--max-update", updates),
        *("--lr-scheduler", "polynomial_decay", "--total-num-update", updates),
        *("--max-tokens", 1500, "--num-workers", 0, "--seed", 1, "--no-progress-bar", "--log-interval", 50),
        *("--save-dir", save_dir, "--no-epoch-checkpoints", *more),
    )
    run(*command)
    return save_dir / "checkpoint_last.pt"


def sides(width: int) -> list[object]:
    """Options of a very small encoder and decoder of fairseq's own."""
    sizes = (("layers", 1), ("embed-dim", width), ("ffn-embed-dim", 2 * width), ("attention-heads", 2))
    return [word for side in ("encoder", "decoder") for name, size in sizes for word in (f"--{side}-{name}", size)]


def train_teacher(data: Path, save_dir: Path, *more: object, updates: int = 300) -> Path:
    """Train a very small autoregressive Transformer; returns its last checkpoint."""
    command = (
        *("fairseq-train", data, "--user-dir", "vqnat", "--task", "translation", "--cpu"),
        *("--arch", "transformer", *sides(64), "--share-all-embeddings", "--dropout", 0),
        *("--criterion", "label_smoothed_cross_entropy", "--optimizer", "adam", "--lr", 0.003),
        *("--max-tokens", 1500, "--max-update", updates, "--num-workers", 0, "--seed", 1),
        *("--save-dir", save_dir, "--no-epoch-checkpoints", "--disable-validation", "--no-progress-bar", *more),
        # stock fairseq: without these it drops the last batch, and its buffer thread may abort the process
        *("--required-batch-size-multiple", 1, "--data-buffer-size", 0),
    )
    run(*command)
    return save_dir / "checkpoint_last.pt"


def train_nat(data: Path, save_dir: Path, *more: object, updates: int = 20) -> Path:
    """Train a very small one-shot model of fairseq's own for a moment; returns its last checkpoint."""
    run(
        *("fairseq-train", data, "--user-dir", "vqnat", "--task", "translation_lev", "--cpu"),
        *("--arch", "nonautoregressive_transformer", *sides(32), "--criterion", "nat_loss", "--noise", "full_mask"),
        *("--src-embedding-copy", "--pred-length-offset", "--length-loss-factor", 0.1),
        *("--share-all-embeddings", "--apply-bert-init", "--optimizer", "adam", "--lr", 0.003),
        *("--max-tokens", 1500, "--max-update", updates, "--num-workers", 0, "--seed", 1),
        *("--save-dir", save_dir, "--no-epoch-checkpoints", "--disable-validation", "--no-progress-bar", *more),
    )
    return save_dir / "checkpoint_last.pt"


def hypotheses(generated: str, kind: str = "H") -> dict[int, list[tuple[float, str]]]:
    """The ``H-`` (or ``D-``) lines of fairseq-generate: sentence -> [(score, text)], best first."""
    found: dict[int, list[tuple[float, str]]] = {}
    for line in generated.splitlines():
        if line.startswith(kind + "-"):
            label, score, text = line.split("\t")
            found.setdefault(int(label[2:]), []).append((float(score), text))
    return found

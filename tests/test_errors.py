"""A user's mistake is one line that names the file or the option, the value and what is valid."""

import shutil
import sys

import bitext
import pytest

from vqnat.bottlenecks import bottleneck_names

COMMON = ("--user-dir", "vqnat", "--task", "latent_translation", "--cpu")


def last_line(done):
    """The one line; a mistake must not end in a traceback."""
    assert done.returncode != 0
    assert "Traceback" not in done.stderr, done.stderr[-2000:]
    return done.stderr.strip().splitlines()[-1]


def train(data, save_dir, *more):
    return bitext.run(
        *("fairseq-train", data, *COMMON, "--arch", "latent_transformer_tiny", "--max-tokens", 1000),
        *("--criterion", "latent_transformer_loss", "--optimizer", "adam", "--max-update", 1),
        *("--save-dir", save_dir, *more),
        check=False,
    )


def generate(data, checkpoint, *more):
    return bitext.run("fairseq-generate", data, *COMMON, "--path", checkpoint, "--beam", 1, *more, check=False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--codebook-size", 1), "error: --codebook-size 1 is not possible; valid: 2 to 65536"),
        (("--codebook-size", 70000), "error: --codebook-size 70000 is not possible; valid: 2 to 65536"),
        (("--compression-steps", 6), "error: --compression-steps 6 is not possible; valid: 1 to 5"),
        (
            ("--bottleneck", "vqvae3"),
            f"error: --bottleneck 'vqvae3' is unknown; choose from: {', '.join(bottleneck_names())}",
        ),
        (
            ("--bottleneck", "gumbel_softmax", "--estimator", "rotation"),
            "error: --estimator rotation means nothing with --bottleneck gumbel_softmax; "
            "it works with: hard_em, product, sim_vq, soft_em, vq",
        ),
        (("--length-mode", "fixed"), "error: --length-mode fixed is not possible; valid: predictor, ratio"),
        (("--autocast", "fp16"), "error: --autocast fp16 is not possible; valid: none, auto, bf16"),
        (
            ("--train-compile", "--arch", "transformer_tiny"),
            "error: --train-compile: only with --arch latent_transformer, parallel_transformer and their presets",
        ),
        (("--embed-dim", 130), "error: --embed-dim 130 is not a multiple of --attention-heads 4"),
        (("--encoder-from", "nowhere.pt"), "error: nowhere.pt: no such checkpoint"),
    ],
)
def test_impossible_training_options(digits, tmp_path, options, message):
    assert last_line(train(digits, tmp_path, *options)) == message


def test_a_loss_refuses_another_model_before_data_is_read(digits, tmp_path):
    failed = train(digits, tmp_path, "--arch", "transformer_tiny")
    expected = "error: --criterion latent_transformer_loss: only with --arch latent_transformer and its presets"
    assert last_line(failed) == expected
    assert "loaded" not in failed.stderr + failed.stdout  # nor have workers begun, which would die with a traceback


def test_encoder_of_another_size(digits, teacher_checkpoint, tmp_path):
    line = last_line(train(digits, tmp_path, "--encoder-from", teacher_checkpoint))
    assert line.startswith(f"error: --encoder-from {teacher_checkpoint}: other layers than this model's encoder")


def test_missing_and_corrupt_checkpoints(digits, latent_checkpoint, tmp_path):
    assert (
        last_line(generate(digits, tmp_path / "none.pt")) == f"error: --path {tmp_path / 'none.pt'}: no such checkpoint"
    )
    torn = tmp_path / "torn.pt"
    torn.write_bytes(latent_checkpoint.read_bytes()[:5000])
    assert last_line(generate(digits, torn)).startswith(f"error: {torn}: not a readable checkpoint")
    shutil.copyfile(bitext.REPO / "README.md", torn)
    assert last_line(generate(digits, torn)).startswith(f"error: {torn}: not a readable checkpoint")


def test_dictionary_of_another_vocabulary(digits, latent_checkpoint, tmp_path):
    other = shutil.copytree(digits, tmp_path / "other")
    for language in ("en", "de"):
        with (other / f"dict.{language}.txt").open("a") as dictionary:
            dictionary.write("zehn 1\n")
    line = last_line(generate(other, latent_checkpoint))
    assert line.startswith("error: the checkpoint was trained with a source dictionary of ")
    assert line.endswith(" symbols, the data's has 25")


def test_lines_longer_than_the_positions(digits, latent_checkpoint):
    line = last_line(generate(digits, latent_checkpoint, "--max-source-positions", 5))
    assert "is invalid" in line and "max_positions=(5," in line


@pytest.mark.parametrize(
    ("line", "expected"),
    [("", "line 2: empty line"), ("   ", "line 2: empty line")],
)
def test_binarize_refuses_empty_lines(tmp_path, line, expected):
    bitext.write(tmp_path / "raw", {"train": 50, "valid": 5, "test": 5})
    path = tmp_path / "raw" / "train.de"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[1] = line
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = bitext.run("data-prep/binarize.py", "--raw", tmp_path / "raw", "--out", tmp_path / "out", check=False)
    assert last_line(done).startswith(f"binarize: {path}, {expected}")


def test_binarize_refuses_unequal_and_missing_files(tmp_path):
    bitext.write(tmp_path / "raw", {"train": 50, "valid": 5, "test": 5})
    with (tmp_path / "raw" / "valid.en").open("a") as file:
        file.write("one\n")
    command = ("data-prep/binarize.py", "--raw", tmp_path / "raw", "--out", tmp_path / "out")
    assert "has 6 lines and" in last_line(bitext.run(*command, check=False))
    (tmp_path / "raw" / "train.de").unlink()
    assert "train.de: no such file" in last_line(bitext.run(*command, check=False))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--num-epoch-checkpoints", 3), "has only 0 epoch checkpoints"),
        (("--num-epoch-checkpoints", 0), "vqnat average: --num-epoch-checkpoints 0: needed 1 or more"),
    ],
)
def test_averaging_too_few(tmp_path, options, message):
    done = bitext.run(
        *("scripts/average_checkpoints.py", "--inputs", tmp_path, "--output", tmp_path / "x.pt", *options), check=False
    )
    assert done.returncode == 2 and message in last_line(done)


@pytest.mark.parametrize("shown", [False, True])
def test_ctrl_c_that_fairseq_passes_over(shown):
    # As fairseq's reader of options does: it catches all, and later fails at what it did not read. What fails in an
    # interactive session after a Ctrl-C that was shown is another matter.
    program = f"""
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell has it ignored
import vqnat.plugin
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)
except:
    {shown} and sys.excepthook(*sys.exc_info())
raise ValueError("not read")
"""
    done = bitext.run(sys.executable, "-c", program, check=False)
    assert done.returncode == 1
    interrupted = "error: interrupted; what is finished is kept"
    assert done.stderr.strip().splitlines()[-1] == ("ValueError: not read" if shown else interrupted)
    assert interrupted in done.stderr and ("Traceback" in done.stderr) == shown

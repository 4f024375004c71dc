"""The image user-dir through fairseq's own command lines, as a user runs them."""

import json
import re
import subprocess
import sys

import bitext
import pictures
import pytest
import torch

IMAGE, TEXT = "vqnat/image", "vqnat"


@pytest.mark.parametrize("order", [(IMAGE, TEXT), (TEXT, IMAGE), (IMAGE, IMAGE)])
def test_user_dirs_in_any_order_register_once(order):
    program = (
        "import sys; from argparse import Namespace; from fairseq import utils\n"
        "for name in sys.argv[1:]: utils.import_user_module(Namespace(user_dir=name))\n"
        "import vqnat.image, image\n"
        "from fairseq.tasks import TASK_REGISTRY\n"
        "assert TASK_REGISTRY['image_vqvae'].__module__ == 'vqnat.image.training.vqvae_task'\n"
        "assert 'latent_translation' in TASK_REGISTRY\n"
        "assert not {'errors', 'tasks', 'models'} & set(sys.modules)\n"
        "assert not [name for name in sys.modules if name.startswith('image.')]\n"
        "assert not any(path.endswith('/vqnat') for path in sys.path), sys.path\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *order], cwd=bitext.REPO, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def validate(data, checkpoint, *more):
    done = bitext.run(
        *("fairseq-validate", data, "--user-dir", IMAGE, "--cpu", "--path", checkpoint, "--valid-subset", "test"),
        *("--batch-size", 5, "--log-format", "json", "--task", *more),
    )
    found = re.findall(r"^.*\| test \| (\{.*\})$", done.stdout + done.stderr, re.MULTILINE)
    return {name.removeprefix("test_"): float(value) for name, value in json.loads(found[-1]).items()}


def test_validation_reports_what_the_tables_need(squares, vqvae_checkpoint):
    values = validate(squares, vqvae_checkpoint, "image_vqvae")
    for name in ("mse_e3", "ppl_hard", "ppl_soft", "code_ppl", "code_use", "pixel_bits", "pixel_bits_soft"):
        assert values[name] > 0, name
    assert 1 <= values["ppl_hard"] <= values["code_ppl"] <= 16  # a batch cannot be more diverse than all batches
    assert values["ppl_hard"] <= values["ppl_soft"] <= 16
    # 2 x 2 x 2 codes of 4 bits over 8 x 8 x 3 sub-pixels
    assert values["bpd_uniform_prior"] == pytest.approx(values["pixel_bits"] + 8 * 4 / 192, abs=2e-4)


def test_prior_reports_hard_and_soft_bits(squares, vqvae_checkpoint, prior_checkpoint):
    values = validate(squares, prior_checkpoint, "image_latent_transformer", "--vqvae", vqvae_checkpoint)
    assert values["bpd"] == pytest.approx(values["pixel_bits"] + values["loss"] * 8 / 192, abs=2e-4)
    assert values["bpd_soft"] > 0
    autoencoder = validate(squares, vqvae_checkpoint, "image_vqvae")
    assert values["pixel_bits"] == pytest.approx(autoencoder["pixel_bits"], abs=1e-4)


def test_resuming_is_exact(squares, vqvae_checkpoint, tmp_path):
    pictures.train_vqvae(squares, tmp_path, 7)  # in the middle of an epoch, after the codebook's start
    _, checkpoint = pictures.train_vqvae(squares, tmp_path, 12)
    resumed = torch.load(checkpoint, weights_only=True)["model"]
    straight = torch.load(vqvae_checkpoint, weights_only=True)["model"]
    assert all(torch.equal(resumed[name], value) for name, value in straight.items())


def test_autocast_trains_in_bfloat16(squares, vqvae_checkpoint, tmp_path):
    _, checkpoint = pictures.train_vqvae(squares, tmp_path, 12, "--autocast", "bf16")
    half = torch.load(checkpoint, weights_only=True)["model"]
    full = torch.load(vqvae_checkpoint, weights_only=True)["model"]
    assert all(value.dtype == full[name].dtype for name, value in half.items())
    weight = "decoder.output.weight"
    assert 0 < (half[weight] - full[weight]).abs().mean() < 0.01


def last_line(done):
    assert done.returncode != 0
    assert "Traceback" not in done.stderr, done.stderr[-2000:]
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--halvings", 4), "error: --halvings 4: images of 8 x 8 pixels cannot be halved so often"),
        (("--codebooks", 3), "error: --codebooks 3 is not possible; valid: 1, or --latent-channels, which is 10"),
        (("--output", "rgb"), "error: --output rgb is not possible; valid: softmax, mse"),
        (("--log-mse",), "error: --log-mse needs --output mse"),
        (("--autocast", "fp8"), "error: --autocast fp8 is not possible; valid: none, auto, bf16"),
    ],
)
def test_impossible_options(squares, tmp_path, options, message):
    done = bitext.run(
        *("fairseq-train", squares, "--user-dir", IMAGE, "--task", "image_vqvae", "--cpu", "--batch-size", 4),
        *("--arch", "image_vqvae_roy2018", "--criterion", "image_vqvae_loss", "--optimizer", "adam"),
        *("--hidden-size", 8, "--code-dim", 8, "--max-update", 1, "--save-dir", tmp_path, *options),
        check=False,
    )
    assert last_line(done).startswith(message)


def test_damaged_data_is_one_line(tmp_path):
    data = pictures.write(tmp_path / "data", 12, 4, 4)
    with (data / "train.npy").open("r+b") as file:
        file.truncate(100)
    done = bitext.run(
        *("fairseq-train", data, "--user-dir", IMAGE, "--task", "image_vqvae", "--cpu", "--batch-size", 4),
        *("--arch", "image_vqvae_roy2018", "--criterion", "image_vqvae_loss", "--optimizer", "adam"),
        *("--save-dir", tmp_path / "run", *pictures.SMALL_ARGS),
        check=False,
    )
    assert last_line(done).startswith(f"error: {data / 'train.npy'}: truncated: 100 bytes, train.json says 2432")


def test_pictures_and_report(squares, vqvae_checkpoint, prior_checkpoint, tmp_path):
    bitext.run("scripts/image_reconstruct.py", squares, "--path", vqvae_checkpoint, "--out", tmp_path / "made.png")
    sample = ("scripts/image_sample.py", "--path", prior_checkpoint, "--count", 3, "--out")
    for name in ("a.png", "b.png"):
        bitext.run(*sample, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    log = tmp_path / "train.log"
    log.write_text('x | INFO | train_inner | {"epoch": 1, "loss": "5.5", "num_updates": "1"}\n')
    bitext.run(
        *("scripts/image_report.py", squares, "--vqvae", vqvae_checkpoint, "--prior", prior_checkpoint, "--count", 4),
        *("--log", log, "--out", tmp_path / "report"),
    )
    names = {path.name for path in (tmp_path / "report").iterdir()}
    assert names == {"reconstructions.png", "samples.png", "usage.png", "curves.png", "report.html"}
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert page.count('src="data:image/png;base64,') == 4 and 'src="http' not in page
    done = bitext.run("scripts/image_sample.py", "--path", vqvae_checkpoint, "--out", tmp_path / "x.png", check=False)
    assert last_line(done) == f"image_sample: {vqvae_checkpoint}: an autoencoder, not a prior"

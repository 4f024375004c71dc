"""A training that goes wrong says so while it runs, or stops, or starts its codes anew."""

import json
import logging
from argparse import Namespace

import bitext
import pytest
import torch

from vqnat.bottlenecks import build_bottleneck
from vqnat.tasks.collapse import Watched, codebooks_of, collapse_of
from vqnat.tasks.latent_translation import LatentTranslationConfig, LatentTranslationTask

# Random codes far from the encoder's vectors, of which nobody replaces the dead ones: a few take everything.
COLLAPSING = (
    *("--bottleneck", "hard_em", "--codebook-start", "random", "--dead-code-threshold", 0, "--ema-decay", 0.5),
    *("--collapse-after", 10, "--collapse-perplexity", 0.5, "--codebook-size", 64),
)


def train(data, folder, *more, updates=31):
    command = (
        *("fairseq-train", data, "--user-dir", "vqnat", "--task", "latent_translation", "--cpu"),
        *("--arch", "latent_transformer_tiny", *bitext.TINY, "--embed-dim", 32),
        *("--criterion", "latent_transformer_loss", "--optimizer", "adam", "--lr", 0.001, "--max-tokens", 300),
        *("--max-update", updates, "--num-workers", 0, "--save-dir", folder, "--no-epoch-checkpoints"),
        *("--log-format", "json", "--log-interval", 1, "--disable-validation", "--save-interval-updates", 5, *more),
    )
    return bitext.run(*command, check=False)


def warnings(done):
    return [line for line in done.stdout.splitlines() if "| WARNING | vqnat" in line]


def test_it_warns_once_of_each(digits, tmp_path):
    done = train(digits, tmp_path, *COLLAPSING, "--lr", 0)
    assert done.returncode == 0, done.stderr
    said = warnings(done)
    assert len(said) == 2, said
    assert (
        "update 11: the codes have collapsed: perplexity" in said[0]
        and "of 64; try a smaller --codebook-size" in said[0]
    )
    assert "the latent predictor is no better than chance" in said[1] and "chance is 4.17; try a lower --lr" in said[1]


def test_it_stops(digits, tmp_path):
    done = train(digits, tmp_path, *COLLAPSING, "--on-collapse", "stop")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    [line] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert line.startswith("error: update 11: the codes have collapsed: perplexity")
    assert torch.load(tmp_path / "checkpoint_last.pt", weights_only=True)["optimizer_history"][-1]["num_updates"] == 10


def test_it_starts_the_codes_anew(digits, tmp_path):
    done = train(digits, tmp_path, *COLLAPSING, "--on-collapse", "restart-codes", "--collapse-perplexity", 0.3)
    assert done.returncode == 0, done.stderr
    said = warnings(done)[0]
    assert "update 11: the codes have collapsed" in said
    assert said.endswith("the codebook starts anew from encoder vectors")
    rows = [json.loads(line[line.index("{") :]) for line in done.stdout.splitlines() if "| train_inner |" in line]
    used = {int(row["num_updates"]): float(row["code_ppl"]) for row in rows if row.get("code_ppl")}
    assert used[11] < 0.3 * 64 and max(used[update] for update in used if 11 < update < 21) > 2 * used[11]


def test_restart_needs_code_vectors(digits, tmp_path):
    done = train(digits, tmp_path, "--bottleneck", "fsq", "--on-collapse", "restart-codes")
    message = "error: --on-collapse restart-codes: --bottleneck fsq has no code vectors; valid: warn, stop"
    assert message in done.stderr.splitlines()
    done = train(digits, tmp_path, "--on-collapse", "ignore")
    message = "error: --on-collapse ignore is not possible; valid: warn, stop, restart-codes"
    assert message in done.stderr.splitlines()


def test_what_is_not_finite_ends_the_training_with_advice(digits, tmp_path):
    done = train(digits, tmp_path, "--lr", 1e30)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    [line] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert line.startswith("error: the loss or its gradients are not finite") and "--clip-norm 1" in line


@pytest.fixture
def task():
    found = LatentTranslationTask(LatentTranslationConfig(collapse_after=20), None, None)
    found._watched = Watched(chance=5.0, started_at=0)
    return found


class Criterion:
    """As much of a criterion as the task looks at."""

    training = True

    @staticmethod
    def reduce_metrics(logging_outputs):
        pass


def test_a_predictor_that_diverges(task, caplog):
    def learn(loss, updates):
        for _ in range(updates):
            task.reduce_metrics([{"ncodes": 10, "predictor_loss": 10 * loss, "loss": 1.0}], Criterion())

    learn(1.0, 100)
    with caplog.at_level(logging.WARNING, "vqnat"):
        learn(3.0, 100)
    assert [record.getMessage().split(";")[0] for record in caplog.records] == [
        "the latent predictor diverges: 1.66 nats per code after 1.00 at its best"
    ]


def test_healthy_codes():
    bottleneck = build_bottleneck("soft_em", Namespace(codebook_size=64), 4)
    assert collapse_of(bottleneck, 0.5) is None
    [codebook] = codebooks_of(bottleneck)
    codebook.counts.zero_()[:2] = 1.0
    assert collapse_of(bottleneck, 0.5) == "the codes have collapsed: perplexity 2.0 of 64"
    assert collapse_of(bottleneck, 0.0) is None
    codebook.counts[0] = float("nan")
    assert collapse_of(bottleneck, 0.0) == "the codebook is not finite (code perplexity nan)"

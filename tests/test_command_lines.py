"""fairseq's own command lines with the plug-in, as a user runs them."""

import json
import re

import bitext
import pytest
import torch

COMMON = ("--user-dir", "vqnat", "--task", "latent_translation", "--cpu")


def generate(data, checkpoint, *more, check=True):
    return bitext.run(
        *("fairseq-generate", data, *COMMON, "--path", checkpoint, "--gen-subset", "test", *more), check=check
    )


def references(data):
    return (data.parent / "raw" / "test.de").read_text(encoding="utf-8").splitlines()


def right(found, data):
    """Share of first hypotheses that are the reference."""
    expected = references(data)
    return sum(found[i][0][1] == expected[i] for i in found) / len(expected)


def test_generate_translates_unseen_digits(digits, latent_checkpoint):
    done = generate(digits, latent_checkpoint, "--beam", 1, "--scoring", "sacrebleu")
    found = bitext.hypotheses(done.stdout)
    assert len(found) == len(references(digits))
    assert right(found, digits) >= 0.85
    assert float(re.search(r"BLEU = ([\d.]+)", done.stdout).group(1)) > 90


def test_n_best_is_sorted_and_distinct_from_beam_one(digits, latent_checkpoint):
    found = bitext.hypotheses(generate(digits, latent_checkpoint, "--beam", 4, "--nbest", 3).stdout)
    for hypotheses in found.values():
        scores = [score for score, _ in hypotheses]
        assert len(hypotheses) == 3 and scores == sorted(scores, reverse=True)
    assert right(found, digits) >= 0.85


def test_batch_size_one_writes_the_same(digits, latent_checkpoint):
    runs = [
        bitext.hypotheses(generate(digits, latent_checkpoint, "--beam", beam, *size).stdout, "D")
        for beam in (1, 3)
        for size in (("--batch-size", 1), ("--batch-size", 64))
    ]
    for one, many in (runs[:2], runs[2:]):
        assert {i: h[0][1] for i, h in one.items()} == {i: h[0][1] for i, h in many.items()}


def test_teacher_reorders_candidates(digits, latent_checkpoint, teacher_checkpoint):
    plain = bitext.hypotheses(generate(digits, latent_checkpoint, "--beam", 4, "--nbest", 4).stdout)
    done = generate(digits, latent_checkpoint, "--beam", 4, "--nbest", 4, "--rescore-with", teacher_checkpoint)
    rescored = bitext.hypotheses(done.stdout)
    # The teacher scores the same candidates, and each as it scores a given reference.
    for index, hypotheses in rescored.items():
        assert {text for _, text in hypotheses} == {text for _, text in plain[index]}
    scored = bitext.run(
        *("fairseq-generate", digits, "--user-dir", "vqnat", "--task", "translation", "--cpu"),
        *("--path", teacher_checkpoint, "--score-reference", "--beam", 1, "--required-batch-size-multiple", 1),
    )
    alone = bitext.hypotheses(scored.stdout)
    matched = 0
    for index, hypotheses in rescored.items():
        for score, text in hypotheses:
            if text == alone[index][0][1]:
                assert score == pytest.approx(alone[index][0][0], abs=2e-3)
                matched += 1
    assert matched >= 40


def test_interactive_keeps_the_order_and_survives_odd_lines(digits, latent_checkpoint):
    lines = ["one two three", "nine nine nine nine eight", "", "unheard words", "four three two one"]
    done = bitext.run(
        *("fairseq-interactive", digits, *COMMON, "--path", latent_checkpoint, "--beam", 1),
        *("--buffer-size", 5, "--batch-size", 2),
        input="\n".join(lines) + "\n",
    )
    found = bitext.hypotheses(done.stdout)
    assert sorted(found) == [0, 1, 2, 3, 4]
    assert found[0][0][1] == "eins zwei drei"
    assert found[4][0][1] == "vier drei zwei eins"


def test_validate_reports_the_codebook(digits, latent_checkpoint):
    done = bitext.run(
        *("fairseq-validate", digits, *COMMON, "--path", latent_checkpoint, "--valid-subset", "test"),
        *("--log-format", "json", "--max-tokens", 1000),
    )
    record = json.loads(re.search(r"\{.*test_loss.*\}", done.stdout + done.stderr).group())
    assert float(record["test_word_acc"]) > 0.95
    assert 2 < float(record["test_code_ppl"]) <= 64
    assert 0 < float(record["test_code_use"]) <= 1


@pytest.mark.parametrize(
    "options",
    [
        ("--bottleneck", "hard_em", "--length-mode", "ratio", "--length-ratio", 1.0),
        ("--bottleneck", "soft_em", "--target-encoder-attends-source", "--codebook-start", "data"),
    ],
    ids=["hard EM, fixed length", "target encoder reads the source"],
)
def test_other_models_train_and_translate(digits, tmp_path, options):
    checkpoint = bitext.train_latent(digits, tmp_path, *options, updates=bitext.DECAY)
    assert right(bitext.hypotheses(generate(digits, checkpoint, "--beam", 1).stdout), digits) >= 0.8


def test_eval_bleu_resume_and_tensorboard(digits, tmp_path):
    options = ("--eval-bleu", "--best-checkpoint-metric", "bleu", "--maximize-best-checkpoint-metric")
    logs = ("--tensorboard-logdir", tmp_path / "tb", "--log-format", "json")
    bitext.train_latent(digits, tmp_path / "stopped", *options, *logs, updates=60)
    whole = bitext.train_latent(digits, tmp_path / "whole", *options, updates=90)
    resumed = bitext.train_latent(digits, tmp_path / "stopped", *options, updates=90)
    one, two = (torch.load(path, weights_only=True) for path in (whole, resumed))
    assert one["optimizer_history"][-1]["num_updates"] == 90
    assert 0 <= one["extra_state"]["best"] <= 100  # a BLEU score
    for name, value in one["model"].items():
        assert torch.equal(value, two["model"][name]), name

    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for subset in ("train_inner", "valid"):
        events = EventAccumulator(str(tmp_path / "tb" / subset)).Reload()
        assert {"code_ppl", "code_use"} <= set(events.Tags()["scalars"]), subset


def test_averaged_checkpoints_translate(digits, tmp_path):
    bitext.train_latent(
        digits, tmp_path, "--save-interval-updates", 50, "--keep-interval-updates", 4, updates=bitext.DECAY
    )
    done = bitext.run(
        *("scripts/average_checkpoints.py", "--inputs", tmp_path, "--num-update-checkpoints", 3),
        *("--output", tmp_path / "average.pt"),
    )
    assert "average of 3" in done.stdout
    newest = sorted(tmp_path.glob("checkpoint_*_*.pt"), key=lambda p: int(p.stem.split("_")[2]))[-3:]
    states = [torch.load(path, weights_only=True)["model"] for path in newest]
    average = torch.load(tmp_path / "average.pt", weights_only=True)["model"]
    for name in ("bottleneck.codebook.counts", "bottleneck.codebook.sums", "output_proj.weight"):
        mean = torch.stack([state[name].double() for state in states]).mean(0)
        torch.testing.assert_close(average[name].double(), mean)
    assert right(bitext.hypotheses(generate(digits, tmp_path / "average.pt", "--beam", 1).stdout), digits) >= 0.7


def test_the_best_checkpoints_by_bleu_are_averaged(digits, tmp_path):
    bitext.train_latent(
        *(digits, tmp_path, "--validate-interval-updates", 40, "--save-interval-updates", 40),
        *("--eval-bleu", "--eval-bleu-args", '{"beam": 1}', "--keep-best-checkpoints", 3),
        *("--best-checkpoint-metric", "bleu", "--maximize-best-checkpoint-metric", "--keep-interval-updates", 1),
        updates=320,
    )
    kept = sorted(tmp_path.glob("checkpoint.best_bleu_*.pt"), key=lambda p: float(p.stem.split("_")[-1]))
    assert len(kept) == 3
    command = ("scripts/average_checkpoints.py", "--inputs", tmp_path, "--output", tmp_path / "average.pt")
    bitext.run(*command, "--num-best-checkpoints", 2)
    best = [torch.load(path, weights_only=True)["model"]["predictor.start"].double() for path in kept[-2:]]
    average = torch.load(tmp_path / "average.pt", weights_only=True)["model"]["predictor.start"].double()
    torch.testing.assert_close(average, sum(best) / 2)
    done = bitext.run(*command, "--num-best-checkpoints", 9, check=False)
    assert "--num-best-checkpoints 9" in done.stderr and "has only 3 of --keep-best-checkpoints" in done.stderr


def test_hydra_trains_the_same_model_as_the_command_line(digits, tmp_path):
    config = tmp_path / "digits.yaml"
    config.write_text(
        f"""# @package _group_
common: {{user_dir: {bitext.REPO / "vqnat"}, cpu: true, seed: 1, no_progress_bar: true}}
task: {{_name: latent_translation, data: {digits}}}
model: {{_name: latent_transformer_tiny, encoder_layers: 1, decoder_layers: 1, embed_dim: 64, ffn_embed_dim: 128,
  attention_heads: 2, share_all_embeddings: true, dropout: 0, codebook_size: 64, compression_steps: 1,
  codebook_start_updates: 5, ema_decay: 0.99, num_samples: 4, bottleneck: soft_em}}
criterion: {{_name: latent_transformer_loss}}
optimizer: {{_name: adam}}
lr_scheduler: {{_name: polynomial_decay, total_num_update: {bitext.DECAY}}}
dataset: {{max_tokens: 1500, num_workers: 0}}
optimization: {{max_update: 12, lr: [0.003]}}
checkpoint: {{save_dir: {tmp_path / "hydra"}, no_epoch_checkpoints: true}}
distributed_training: {{distributed_world_size: 1}}
"""
    )
    bitext.run(
        *("fairseq-hydra-train", "--config-dir", tmp_path, "--config-name", "digits"),
        f"hydra.run.dir={tmp_path / 'run'}",
    )
    typed = bitext.train_latent(digits, tmp_path / "typed", "--codebook-start-updates", 5, updates=12)
    one = torch.load(tmp_path / "hydra" / "checkpoint_last.pt", weights_only=True)["model"]
    two = torch.load(typed, weights_only=True)["model"]
    for name, value in two.items():
        assert torch.equal(value, one[name]), name


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--prefix-size", 1), "--prefix-size 1: not available with a latent transformer"),
        (("--sampling", "--beam", 2, "--nbest", 2), "--sampling True: not available with a latent transformer"),
        (("--beam", 2, "--nbest", 3), "--beam 2 --nbest 3: needed 1 <= nbest <= beam"),
        (("--rescore-with", "nowhere.pt"), "nowhere.pt"),
    ],
)
def test_unavailable_decoding_options_are_named(digits, latent_checkpoint, options, message):
    done = generate(digits, latent_checkpoint, *options, check=False)
    assert done.returncode != 0
    assert message in done.stderr.splitlines()[-1]


def test_every_method_of_the_codes_together_then_a_second_stage(digits, tmp_path):
    methods = (
        *("--codes-read", "one", "--code-noise", 0.05, "--predicted-codes", 0.2, "--predictable-codes", 0.2),
        *("--posterior-temperature", 0.7, "--code-label-smoothing", 0.05, "--code-rdrop", 0.5, "--helper-layers", 1),
        *("--tie-predictor-output", "--predictor-dropout", 0.05),
    )
    first = bitext.train_latent(digits, tmp_path / "first", *methods, updates=bitext.DECAY)
    done = generate(digits, first, "--beam", 3, "--rescore-with", "helper")
    assert right(bitext.hypotheses(done.stdout), digits) >= 0.8
    second = bitext.train_latent(
        *(digits, tmp_path / "second", *methods, "--finetune-from-model", first, "--train-only", "predictor"),
        *("--lr", 1e-4),
        updates=20,
    )
    before, after = (torch.load(path, weights_only=True)["model"] for path in (first, second))
    changed = {name.split(".")[0] for name in after if not torch.equal(after[name], before[name])}
    assert changed == {"predictor"}
    done = generate(digits, second, "--beam", 1)
    assert right(bitext.hypotheses(done.stdout), digits) >= 0.8


def test_a_helper_that_is_not_there(digits, latent_checkpoint):
    done = generate(digits, latent_checkpoint, "--beam", 3, "--rescore-with", "helper", check=False)
    assert done.returncode != 0
    assert "--rescore-with helper: this model was trained without one (--helper-layers 0)" in done.stderr
    assert "Traceback" not in done.stderr

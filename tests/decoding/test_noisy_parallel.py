"""A teacher chooses among the candidates of fairseq's own non-autoregressive models, through fairseq-generate."""

import math

import bitext
import pytest
import torch
from fairseq import checkpoint_utils

COMMAND = ("--user-dir", "vqnat", "--task", "nat_translation", "--cpu", "--batch-size", 4)
ONE_SHOT = ("--iter-decode-max-iter", 0, "--iter-decode-eos-penalty", 0, "--iter-decode-with-beam", 5)


def generate(digits, path, *more):
    """Sentence -> bits a token, and text; texts with an end of sentence inside are left out, as it is not shown."""
    said = bitext.run("fairseq-generate", digits, *COMMAND, "--path", path, *ONE_SHOT, *more).stdout
    symbols = {line.split("\t")[0]: len(line.split()) - 1 for line in said.splitlines() if line.startswith("P-")}
    found = {sentence: hypothesis for sentence, [hypothesis] in bitext.hypotheses(said).items()}
    return {n: (score, text) for n, (score, text) in found.items() if symbols[f"P-{n}"] == len(text.split()) + 2}


@pytest.fixture(scope="module")
def mean_log_prob(digits, teacher_checkpoint):
    """Of a target under the teacher, one sentence at a time, in fairseq's units: bits a token."""
    overrides = {"data": str(digits)}
    models, _, task = checkpoint_utils.load_model_ensemble_and_task([str(teacher_checkpoint)], arg_overrides=overrides)
    models[0].eval()
    task.load_dataset("test")

    @torch.no_grad()
    def score(sentence, text):
        eos = task.target_dictionary.eos()
        target = torch.tensor([*(task.target_dictionary.index(word) for word in text.split()), eos])
        source = task.dataset("test")[sentence]["source"][None]
        previous = torch.cat([torch.tensor([eos]), target[:-1]])[None]
        logits, _ = models[0](source, torch.tensor([source.shape[1]]), previous)
        log_probs = logits[0].log_softmax(-1)[range(len(target)), target]
        return float(log_probs.mean()) / math.log(2)

    return score


def test_the_teachers_favorite_is_chosen(digits, tmp_path, teacher_checkpoint, mean_log_prob):
    # The teacher has never seen the symbol with which the sources and targets of these models begin.
    one_shot = bitext.train_nat(digits, tmp_path, updates=300)
    alone = generate(digits, one_shot)
    chosen = generate(digits, f"{one_shot}:{teacher_checkpoint}", "--iter-decode-with-external-reranker")
    shared = alone.keys() & chosen.keys()
    assert len(shared) > 30
    better = 0
    for sentence in shared:
        score, text = chosen[sentence]
        assert score == pytest.approx(mean_log_prob(sentence, text), abs=2e-4)
        own = mean_log_prob(sentence, alone[sentence][1])
        assert score >= own - 2e-4
        better += score > own + 1e-3
    assert better > 5  # it has another opinion than the model

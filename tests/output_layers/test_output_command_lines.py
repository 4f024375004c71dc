"""Output layers through fairseq's own command lines."""

import json
import re
import sys

import bitext
import pytest

COMMON = ("--user-dir", "vqnat", "--task", "latent_translation", "--cpu")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def parallel_ctc(digits, tmp_path_factory):
    """With glancing, label smoothing, and bfloat16 where the processor has it."""
    options = ("--output-layer", "ctc", "--glancing", "0.5:0.1", "--glancing-updates", 200, "--autocast", "auto")
    return bitext.train_parallel(digits, tmp_path_factory.mktemp("ctc"), *options, "--label-smoothing", 0.05)


@pytest.fixture(scope="module")
def parallel_dag(digits, teacher_checkpoint, tmp_path_factory):
    options = ("--output-layer", "dag", "--glancing", "0.3", "--encoder-from", teacher_checkpoint)
    return bitext.train_parallel(digits, tmp_path_factory.mktemp("dag"), *options)


def generate(data, checkpoint, *more, check=True):
    return bitext.run(
        *("fairseq-generate", data, *COMMON, "--path", checkpoint, "--gen-subset", "test", *more), check=check
    )


def right(done, data):
    expected = (data.parent / "raw" / "test.de").read_text(encoding="utf-8").splitlines()
    found = bitext.hypotheses(done.stdout)
    assert len(found) == len(expected)
    return sum(found[i][0][1] == expected[i] for i in found) / len(expected)


def test_ctc_learns_and_translates(digits, parallel_ctc):
    whole = generate(digits, parallel_ctc, "--scoring", "sacrebleu")
    assert right(whole, digits) >= 0.85
    alone = generate(digits, parallel_ctc, "--batch-size", 1)
    texts = [{i: h[0][1] for i, h in bitext.hypotheses(done.stdout).items()} for done in (whole, alone)]
    assert texts[0] == texts[1]
    failed = generate(digits, parallel_ctc, "--nbest", 2, check=False)
    assert "error: --nbest 2: without latents only --output-layer dag" in failed.stderr.splitlines()[-1]


def test_a_penalty_on_blanks_writes_longer_texts_everywhere(digits, parallel_ctc, parallel_dag, tmp_path):
    def words(*more):
        found = bitext.hypotheses(generate(digits, parallel_ctc, *more).stdout)
        return [found[index][0][1] for index in sorted(found)]

    plain, penalized = words(), words("--ctc-blank-penalty", 9)
    assert sum(len(text.split()) for text in penalized) > 1.1 * sum(len(text.split()) for text in plain)
    source, out = digits.parent / "raw" / "test.en", tmp_path / "exported"
    option = ("--ctc-blank-penalty", 9)
    where = ("--path", parallel_ctc, "--data", digits)
    bitext.run("scripts/export.py", *where, "--out", out, "--precision", "fp32", *option)
    for command in (("vqnat.hub", *where, *option), ("vqnat_serving", "--model", out)):
        done = bitext.run(sys.executable, "-m", *command, "--interactive", input=source.read_text(encoding="utf-8"))
        assert done.stdout.splitlines() == penalized
    failed = generate(digits, parallel_dag, *option, check=False)
    assert failed.stderr.splitlines()[-1].endswith("9: only with --output-layer ctc, this model has dag")


def test_dag_learns_and_every_search_translates(digits, parallel_dag, teacher_checkpoint):
    for how in ("greedy", "lookahead", "beam"):
        assert right(generate(digits, parallel_dag, "--dag-search", how), digits) >= 0.85
    rescored = generate(
        *(digits, parallel_dag, "--dag-search", "beam", "--beam", 4, "--nbest", 2, "--rescore-with", teacher_checkpoint)
    )
    assert right(rescored, digits) >= 0.85
    for hypotheses in bitext.hypotheses(rescored.stdout).values():
        scores = [score for score, _ in hypotheses]
        assert len({text for _, text in hypotheses}) == len(scores) == 2 and scores == sorted(scores, reverse=True)
    failed = generate(digits, parallel_dag, "--dag-search", "viterbi", check=False)
    assert failed.stderr.splitlines()[-1].endswith("viterbi is not possible; valid: greedy, lookahead, beam")


def test_interactive_and_validate(digits, parallel_ctc):
    done = bitext.run(
        *("fairseq-interactive", digits, *COMMON, "--path", parallel_ctc, "--buffer-size", 3, "--batch-size", 2),
        input="one two three\n\nfour three two one\n",
    )
    found = bitext.hypotheses(done.stdout)
    assert sorted(found) == [0, 1, 2]
    assert (found[0][0][1], found[2][0][1]) == ("eins zwei drei", "vier drei zwei eins")
    done = bitext.run(
        *("fairseq-validate", digits, *COMMON, "--path", parallel_ctc, "--valid-subset", "test"),
        *("--log-format", "json", "--max-tokens", 1000),
    )
    record = json.loads(re.search(r"\{.*test_loss.*\}", done.stdout + done.stderr).group())
    assert float(record["test_nll_loss"]) < 0.3 and float(record["test_unreachable"]) == 0


def test_with_latents(digits, teacher_checkpoint, tmp_path):
    checkpoint = bitext.train_latent(digits, tmp_path, "--output-layer", "dag", updates=bitext.DECAY)
    assert right(generate(digits, checkpoint, "--beam", 1), digits) >= 0.8
    many = generate(digits, checkpoint, "--beam", 4, "--nbest", 2, "--rescore-with", teacher_checkpoint)
    assert right(many, digits) >= 0.85


def test_a_checkpoint_of_another_layer_is_one_line(digits, parallel_ctc, tmp_path):
    done = bitext.run(
        *("fairseq-train", digits, *COMMON, "--arch", "parallel_transformer_tiny", *bitext.TINY),
        *("--share-all-embeddings", "--criterion", "parallel_loss", "--output-layer", "dag", "--optimizer", "adam"),
        *("--max-tokens", 1500, "--max-update", 1, "--save-dir", tmp_path, "--finetune-from-model", parallel_ctc),
        check=False,
    )
    expected = "the checkpoint was trained with --output-layer ctc, this model has --output-layer dag"
    assert done.returncode != 0 and expected in done.stderr.splitlines()[-1]

"""``--decode-engine native`` writes what torch writes, and says when it cannot."""

import bitext
import pytest

pytestmark = pytest.mark.slow


def generate(data, path, *more, check=True):
    """fairseq-generate on the test set, in batches, padded."""
    where = ("fairseq-generate", data, "--user-dir", "vqnat", "--task", "latent_translation", "--path", path)
    how = ("--cpu", "--beam", 1, "--batch-size", 16, "--required-batch-size-multiple", 1, "--num-workers", 0)
    return bitext.run(*where, *how, *more, check=check)


@pytest.fixture(scope="module")
def ctc(digits, tmp_path_factory):
    return bitext.train_parallel(digits, tmp_path_factory.mktemp("ctc"), "--output-layer", "ctc", updates=150)


@pytest.fixture(scope="module")
def dag(digits, tmp_path_factory):
    return bitext.train_parallel(digits, tmp_path_factory.mktemp("dag"), "--output-layer", "dag", updates=1)


@pytest.mark.parametrize(
    "model, more",
    [
        ("latent_checkpoint", ()),
        ("latent_checkpoint", ("--max-len-a", 0.5, "--max-len-b", 1, "--unkpen", 0.5, "--lenpen", 0.7)),
        ("ctc", ("--ctc-blank-penalty", 1)),
    ],
    ids=str,
)
def test_the_engine_writes_what_torch_writes(model, more, digits, request):
    path = request.getfixturevalue(model)
    found = [
        bitext.hypotheses(generate(digits, path, "--decode-engine", engine, *more).stdout)
        for engine in ("torch", "native")
    ]
    assert found[0].keys() == found[1].keys() and len(found[0]) == 60
    for number, ((score, text),) in found[0].items():
        ((other, same),) = found[1][number]
        assert text == same and score == pytest.approx(other, abs=2e-3)


@pytest.mark.parametrize(
    "model, more, message",
    [
        ("latent_checkpoint", ("--beam", 3), "--beam 3: --decode-engine native searches greedily; give --beam 1"),
        (
            "latent_checkpoint",
            ("--decode-precision", "bf16"),
            "--decode-precision bf16: not with --decode-engine native",
        ),
        ("latent_checkpoint", ("--decode-compile",), "--decode-compile: not with --decode-engine native"),
        ("dag", (), "--decode-engine native: this model's output layer is dag; valid: plain, ctc"),
    ],
)
def test_what_it_cannot_do_is_said(model, more, message, digits, request):
    done = generate(digits, request.getfixturevalue(model), "--decode-engine", "native", *more, check=False)
    assert done.returncode != 0 and message in done.stderr.splitlines()[-1]


def test_an_unknown_engine_is_named(digits, latent_checkpoint):
    done = generate(digits, latent_checkpoint, "--decode-engine", "onnx", check=False)
    assert "--decode-engine onnx is not possible; valid: torch, native" in done.stderr.splitlines()[-1]

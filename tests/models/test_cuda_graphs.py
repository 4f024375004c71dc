"""Recorded decoding writes what unrecorded decoding writes. With CUDA graphs where a GPU is; elsewhere a stand-in for
them runs the recorded function again and writes its results to the same addresses, as a replay does."""

from argparse import Namespace
from dataclasses import fields, is_dataclass

import bitext
import pytest
import torch
from fairseq import checkpoint_utils
from torch import Tensor

from vqnat.errors import UserError
from vqnat.models.cuda_graphs import LONGEST, ROWS, CudaRecorder, record_parts
from vqnat.models.inference import prepare

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="CUDA graphs need a GPU")


def write_over(old, new):
    """Give every tensor in ``old`` the values that it has in ``new``."""
    if isinstance(old, Tensor):
        old.copy_(new)
    elif isinstance(old, list | tuple):
        for one, other in zip(old, new, strict=True):
            write_over(one, other)
    elif is_dataclass(old):
        for part in fields(old):
            write_over(getattr(old, part.name), getattr(new, part.name))
    else:
        assert old == new  # a recording cannot choose between a tensor and None


class Rerun:
    """As a CUDA graph, without one."""

    def __init__(self, device):
        assert device.type == "cpu"

    def __call__(self, run):
        result = run()
        return lambda: write_over(result, run()), result


class Counted:
    """Counts the recordings and replays of all shapes."""

    def __init__(self, kind):
        self.kind, self.recordings, self.replays = kind, 0, 0

    def __call__(self, device):
        record = self.kind(device)

        def recorder(run):
            self.recordings += 1
            replay, result = record(run)

            def counted():
                self.replays += 1
                replay()

            return counted, result

        return recorder


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=needs_gpu)])
def device(request):
    return request.param


@pytest.fixture
def loaded(digits, latent_checkpoint, device):
    models, _, task = checkpoint_utils.load_model_ensemble_and_task(
        [str(latent_checkpoint)], arg_overrides={"data": str(digits)}
    )
    task.load_dataset("test")
    return models[0].eval().to(device), task


def translations(model, task, size, beam=1):
    """Tokens, codes and score of every hypothesis of the test set, by sentence."""
    generator, dataset = task.build_generator([model], Namespace(beam=beam)), task.dataset("test")
    device, found = model.encoder.embedding.weight.device, {}
    for start in range(0, len(dataset), size):
        sample = dataset.collater([dataset[i] for i in range(start, min(start + size, len(dataset)))])
        sample["net_input"] = {key: value.to(device) for key, value in sample["net_input"].items() if key[0] == "s"}
        numbers, hypotheses = sample["id"].tolist(), task.inference_step(generator, [model], sample)
        for number, kept in zip(numbers, hypotheses, strict=True):
            found[number] = [(one["tokens"].tolist(), one["codes"].tolist(), float(one["score"])) for one in kept]
    return found


def same(found, expected):
    assert found.keys() == expected.keys()
    for number, hypotheses in expected.items():
        for (tokens, codes, score), (*others, other) in zip(hypotheses, found[number], strict=True):
            assert others == [tokens, codes]
            assert other == pytest.approx(score, abs=1e-3)


def test_replayed_it_translates_alike_in_any_batch(loaded, device):
    model, task = loaded
    expected = translations(model, task, 16)
    counted = Counted(CudaRecorder if device == "cuda" else Rerun)
    recorded = record_parts(model, counted)
    for size in (1, 7, 16):  # 7 is filled up to 8, with rows of the batch before
        same(translations(model, task, size), expected)
    recordings, replays = counted.recordings, counted.replays
    assert {rows for rows, _ in recorded.shapes} == {1, 4, 8, 16}  # the last batch of 7 has 4 sentences
    for size in (16, 1, 7):
        same(translations(model, task, size), expected)
    assert counted.recordings == recordings and counted.replays > replays + len(expected)


def test_what_is_not_recorded_runs_as_before(loaded, device):
    model, task = loaded
    expected, beams = translations(model, task, 60), translations(model, task, 7, beam=3)
    recorded = record_parts(model, CudaRecorder if device == "cuda" else Rerun)
    same(translations(model, task, 60), expected)
    source = torch.full((1, LONGEST), 5, device=device)
    with torch.no_grad():
        assert recorded.encode(source).vectors.shape[1] == LONGEST
    assert max(ROWS) < 60 and not recorded.shapes
    same(translations(model, task, 7, beam=3), beams)


def test_what_is_not_possible_is_said(digits, latent_checkpoint, loaded, device):
    model, _ = loaded
    with pytest.raises(UserError, match="--decode-cuda-graphs: not with --decode-compile"):
        prepare(model, compiled=True, cuda_graphs=True)
    model.to("cpu")
    with pytest.raises(UserError, match="--decode-cuda-graphs: needs a GPU; the model is on cpu"):
        prepare(model, cuda_graphs=True)
    del model.predictor
    with pytest.raises(UserError, match="--decode-cuda-graphs: only for a latent transformer"):
        prepare(model, cuda_graphs=True)


def test_fairseq_generate_says_where_there_is_no_gpu(digits, latent_checkpoint):
    command = ("fairseq-generate", digits, "--user-dir", "vqnat", "--task", "latent_translation", "--cpu")
    failed = bitext.run(*command, "--path", latent_checkpoint, "--beam", 1, "--decode-cuda-graphs", check=False)
    assert failed.stderr.splitlines()[-1].endswith("--decode-cuda-graphs: needs a GPU; the model is on cpu")


@needs_gpu
def test_fairseq_generate_replays(digits, latent_checkpoint):
    command = ("fairseq-generate", digits, "--user-dir", "vqnat", "--task", "latent_translation", "--batch-size", 8)
    usual, replayed = (
        bitext.hypotheses(bitext.run(*command, "--path", latent_checkpoint, "--beam", 1, *more).stdout)
        for more in ((), ("--decode-cuda-graphs",))
    )
    assert {n: text for n, ((_, text),) in usual.items()} == {n: text for n, ((_, text),) in replayed.items()}

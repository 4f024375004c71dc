"""The training benchmark does fairseq's updates, and says what it measured."""

import json

import bitext
import pytest
import torch

from vqnat.benchmarking.engines.trainer_system import TrainingSystem
from vqnat.benchmarking.training_speed import measure, records

pytestmark = pytest.mark.slow

COMMON = "--share-all-embeddings --optimizer adam --lr 0.001"
AR = f"--task translation --arch transformer_iwslt_de_en --criterion cross_entropy {COMMON} --encoder-layers 1"
AR += " --decoder-layers 1 --encoder-embed-dim 32 --decoder-embed-dim 32"
LT = f"--task latent_translation --arch latent_transformer_tiny --criterion latent_transformer_loss {COMMON}"
LT += " --codebook-size 32 --codebook-start random --compression-steps 1"


@pytest.fixture
def systems(digits):
    return [TrainingSystem(name, words.split(), digits, "valid", "cpu", 1) for name, words in (("ar", AR), ("lt", LT))]


def test_batches_hold_every_sentence_once(systems):
    batches = systems[0].batches(64)
    assert sorted(index for batch in batches for index in batch) == list(range(60))
    widths = [max(systems[0].dataset.num_tokens(index) for index in batch) * len(batch) for batch in batches]
    assert max(widths) <= 64


def test_padding_is_what_collated_batches_hold(systems):
    batches = systems[0].batches(200)
    samples = [systems[0].dataset.collater([systems[0].dataset[index] for index in batch]) for batch in batches]
    pad = systems[0].dataset.tgt_dict.pad()
    found = systems[0].padding(batches)
    for side, tokens in (
        ("source", [sample["net_input"]["src_tokens"] for sample in samples]),
        ("target", [sample["target"] for sample in samples]),
    ):
        pads = sum(int(t.eq(pad).sum()) for t in tokens)
        assert pads > 0
        assert found[side] == pytest.approx(pads / sum(t.numel() for t in tokens))


def test_steps_are_updates_of_the_model_and_the_codebook(systems):
    ar, lt = systems
    before = {name: value.clone() for name, value in lt.trainer.model.state_dict().items()}
    found = measure(systems, ar.batches(64)[:2], 2, 1, 1)
    after = lt.trainer.model.state_dict()
    assert lt.trainer.get_num_updates() == ar.trainer.get_num_updates() == 5  # a warm-up and two rounds of two
    [sums] = [name for name in after if name.startswith("bottleneck") and name.endswith("sums")]
    for name in ("decoder.stack.layers.0.fc1.weight", sums):
        assert not torch.equal(before[name], after[name])
    assert [r["tokens"] for r in found["lt"]] == [r["tokens"] for r in found["ar"]]
    tokens = sum(len(ar.dataset[index]["target"]) for batch in ar.batches(64)[:2] for index in batch)
    assert found["ar"][0]["tokens"] == tokens and all(r["seconds"] > 0 for r in found["ar"])


def test_records_of_hand_made_times(systems):
    found = {
        "ar": [{"seconds": 1.0, "tokens": 100}, {"seconds": 2.0, "tokens": 100}],
        "lt": [{"seconds": 2.0, "tokens": 100}, {"seconds": 2.0, "tokens": 100}],
    }
    _, lt = records(systems, found, "ar")
    assert lt["tokens_per_second"] == 50 and lt["ratio"] == pytest.approx(50 * 3 / 200)
    assert lt["ratio_rounds"] == [0.5, 0.75, 1.0]
    assert lt["round_tokens_per_second"] == [50, 50]


def test_command_line(digits, tmp_path):
    path = tmp_path / "systems.yaml"
    path.write_text(f"ar: {AR}\nlt: {LT}\n")
    script = ("scripts/benchmark_training.py", digits, "--systems", path, "--subset", "valid", "--device", "cpu")
    sizes = ("--max-tokens", 128, "--batches", 2, "--repeats", 2)
    done = bitext.run(*script, *sizes, "--baseline", "lt", "--json", tmp_path / "out.json")
    result = json.loads((tmp_path / "out.json").read_text())
    assert [system["name"] for system in result["systems"]] == ["ar", "lt"] and result["baseline"] == "lt"
    assert result["systems"][1]["ratio"] == 1 and "tokens/s" in done.stdout
    assert {"command", "commit", "machine", "versions", "data"} <= result.keys()
    for more, message in (
        (("--only", "nat"), "nat: not in"),
        (("--subset", "dev"), "--subset dev: not in"),
        (("--batches", 0), "--batches 0: needed 1 or more"),
        (("--only", "ar", "--baseline", "lt"), "--baseline lt: not among --only ar"),
    ):
        failed = bitext.run(*script, *more, check=False)
        assert failed.returncode == 2, failed.stderr
        assert message in failed.stderr.splitlines()[-1]

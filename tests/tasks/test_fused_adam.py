"""--optimizer fused_adam against fairseq's own Adam, through fairseq-train."""

import bitext

from vqnat.checkpoints.reading import read_checkpoint


def train(digits, folder, optimizer, updates):
    options = ("--optimizer", optimizer, "--weight-decay", 0.01, "--disable-validation")
    return read_checkpoint(bitext.train_parallel(digits, folder, *options, updates=updates))


def test_it_learns_as_fairseqs_adam_does(digits, tmp_path):
    start = train(digits, tmp_path / "start", "adam", 1)["model"]
    theirs, ours = (train(digits, tmp_path / name, name, 10) for name in ("adam", "fused_adam"))
    assert ours["optimizer_history"][-1]["optimizer_name"] == "FusedAdam"
    assert ours["optimizer_history"][-1]["num_updates"] == 10
    for name, weight in theirs["model"].items():
        if name.endswith("bias"):  # keys have one whose gradient is zero but for rounding, which Adam makes a step
            continue
        moved = (weight - start[name]).abs().float().mean()
        assert (ours["model"][name] - weight).abs().float().mean() <= 0.01 * moved, name

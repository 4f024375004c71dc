"""Every documented command, run as it is printed, at the sizes of toy.yaml; or checked, if not_run.yaml says why.

The blocks of a page run in their order, in one folder, after those of the tutorial.
"""

from argparse import Namespace

import blocks
import checking
import pytest
import sandbox
import torch

from vqnat.bottlenecks.core import registry
from vqnat.errors import UserError

NOT_RUN = blocks.not_run()
RUN = [block for block in blocks.of_language("bash", "python") if block not in NOT_RUN]


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """Runs a block after all that a reader would have run before it."""
    place = sandbox.Sandbox(tmp_path_factory.mktemp("docs"))
    # what the reader brings
    (place.folder / "more.en").write_text("The man is old.\nThe woman saw the old house.\n", encoding="utf-8")
    done: dict[blocks.Block, str] = {}  # with what they wrote

    def run(block):
        for before in RUN[: RUN.index(block) + 1]:
            if before not in done and before.page in ("docs/tutorial.md", block.page):
                done[before] = place.run(before)

    yield run
    place.close()


@pytest.mark.parametrize("block", RUN, ids=str)
def test_runs_as_printed(reader, block):
    reader(block)


def test_the_printed_bottleneck_is_one():
    """It quantizes, its gradient reaches the encoder, and what it says of itself at inference agrees."""
    text = next(block.text for block in RUN if block.page.endswith("new-bottleneck.md") and block.language == "python")
    code: dict = {"__name__": "printed"}
    registered = registry._BOTTLENECKS.copy()
    try:
        exec(compile(text, "new-bottleneck.md", "exec"), code)
        model = registry.build_bottleneck("frozen", Namespace(codebook_size=8, frozen_pull=0.5), 4)
        with pytest.raises(UserError, match="--frozen-pull"):
            registry.build_bottleneck("frozen", Namespace(codebook_size=8, frozen_pull=-1.0), 4)
    finally:
        registry._BOTTLENECKS.clear()
        registry._BOTTLENECKS.update(registered)
    z = torch.randn(2, 3, 4, requires_grad=True)
    mask = torch.tensor([[True, True, True], [True, False, False]])
    found = model(z, mask)
    (found.quantized.sum() + found.losses["pull"][0]).backward()
    assert z.grad[mask].abs().min() > 0 and z.grad[~mask].abs().max() == 0
    assert torch.equal(found.codes, model.encode(z, mask))
    torch.testing.assert_close(found.quantized[mask], model.embed(found.codes)[mask])


@pytest.mark.parametrize("block", NOT_RUN, ids=str)
def test_options_of_what_is_not_run(block):
    for command in checking.commands(block.text):
        checking.check(command)


def test_toy_options_are_of_documented_commands():
    import yaml

    printed = [words for block in RUN if block.language == "bash" for words in checking.commands(block.text)]
    for entry in yaml.safe_load((blocks.HERE / "toy.yaml").read_text(encoding="utf-8")):
        assert any(set(entry["when"]) <= set(words) for words in printed), entry["when"]

"""Every documented command, run as it is printed, at the sizes of toy.yaml; or checked, if not_run.yaml says why.

The blocks of a page run in their order, in one folder, after those of the tutorial.
"""

import blocks
import checking
import pytest
import sandbox

NOT_RUN = blocks.not_run()
RUN = [block for block in blocks.of_language("bash", "python") if block not in NOT_RUN]


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """Runs a block after all that a reader would have run before it."""
    place = sandbox.Sandbox(tmp_path_factory.mktemp("docs"))
    # what the reader brings
    (place.folder / "more.en").write_text("The man is old.\nThe woman saw the old house.\n", encoding="utf-8")
    done: dict[blocks.Block, str] = {}

    def run(block):
        for before in RUN[: RUN.index(block) + 1]:
            if before not in done and before.page in ("docs/tutorial.md", block.page):
                done[before] = place.run(before)
        return done[block]

    yield run
    place.close()


@pytest.mark.parametrize("block", RUN, ids=str)
def test_runs_as_printed(reader, block):
    reader(block)


@pytest.mark.parametrize("block", NOT_RUN, ids=str)
def test_options_of_what_is_not_run(block):
    for command in checking.commands(block.text):
        checking.check(command)


def test_toy_options_are_of_documented_commands():
    import yaml

    printed = [words for block in RUN if block.language == "bash" for words in checking.commands(block.text)]
    for entry in yaml.safe_load((blocks.HERE / "toy.yaml").read_text(encoding="utf-8")):
        assert any(set(entry["when"]) <= set(words) for words in printed), entry["when"]

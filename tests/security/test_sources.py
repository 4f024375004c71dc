"""What no source may do: unpickle, evaluate text, unpack archives over folders, fetch without a checksum."""

import ast
from collections.abc import Iterator

import bitext
import pytest

SHIPPED = ("vqnat", "vqnat_serving", "scripts", "data-prep", "benchmarks", "docs", "examples")
# One place each, where a checksum is compared right after.
FETCHES = {"vqnat/image/datasets/checksums.py": "urlretrieve", "vqnat_serving/hub_download.py": "snapshot_download"}
NEVER = {
    *("pickle.load", "pickle.loads", "pickle.Unpickler", "marshal.loads", "shelve.open", "joblib.load", "dill.load"),
    *("yaml.load", "yaml.unsafe_load", "yaml.full_load", "eval", "exec", "os.system", "os.popen"),
    *("urlopen", "urllib.request.urlopen", "requests.get", "urlretrieve", "urllib.request.urlretrieve"),
    *("hf_hub_download", "snapshot_download", "torch.hub.load", "torch.hub.load_state_dict_from_url"),
}


def calls(*folders: str) -> Iterator[tuple[str, str, ast.Call]]:
    """Every call in Python sources: the file, what is called, and the call."""
    for folder in folders:
        for path in sorted((bitext.REPO / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    yield path.relative_to(bitext.REPO).as_posix(), ast.unparse(node.func), node


def given(call: ast.Call, name: str) -> object:
    """The value of a keyword that is a literal; None without it."""
    return next((getattr(word.value, "value", ...) for word in call.keywords if word.arg == name), None)


def test_torch_loads_weights_only():
    found = [(file, call) for file, name, call in calls(*SHIPPED, "tests") if name == "torch.load"]
    assert len(found) > 10
    assert [f"{file}:{call.lineno}" for file, call in found if given(call, "weights_only") is not True] == []


def test_nothing_is_evaluated_unpickled_or_fetched():
    for file, name, call in calls(*SHIPPED):
        place = f"{file}:{call.lineno}: {name}"
        if name in NEVER:
            assert FETCHES.get(file) == name.rpartition(".")[2], place
        assert given(call, "shell") is not True and given(call, "allow_pickle") is not True, place
        if name.endswith(("extractall", ".extract")):
            assert given(call, "filter") == "data", place


@pytest.mark.parametrize("script", ["prepare-multi30k.sh", "prepare-iwslt14-de2en.sh"])
def test_what_shell_scripts_fetch_has_a_checksum(script):
    text = (bitext.REPO / "data-prep" / script).read_text(encoding="utf-8")
    assert text.count("curl") <= 1 and "has_sum" in text
    assert not any("curl" in line and "http:" in line for line in text.splitlines())

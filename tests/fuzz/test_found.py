"""Inputs that scripts/fuzz.sh, or reading the sources for it, found to be mishandled: each is one line now."""

import ast
import json
import struct
import zlib
from pathlib import Path

import pytest
from bitext import REPO

from fuzz import READERS
from fuzz.values import as_json
from vqnat.errors import UserError
from vqnat_serving.translator import Decoded
from vqnat_serving.vocabulary import SPECIALS, Vocabulary


def refusal(name: str, value: object, folder: Path) -> str:
    """What a reader says of an input."""
    with pytest.raises(UserError) as caught:
        READERS[name].make(folder)(value)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600
    return str(caught.value)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        struct.pack("<IId", 0, 1, 0.0),  # no room for the hypothesis that it announces
        struct.pack("<IId", 0, 2**31, 0.0),
        struct.pack("<IId", 0, 1, 0.0) + struct.pack("<iif", 0, 9, 0.0),  # nine tokens, and none follows
        struct.pack("<IId", 0, 1, 0.0) + struct.pack("<iif", 0, -1, 0.0),
        struct.pack("<IId", 0, 0, 0.0) + b"abc",
    ],
)
def test_journals_whose_checksum_is_right(payload, tmp_path):
    assert "not the journal of a distillation at byte 17" in refusal("journal, checksums right", [payload], tmp_path)


def test_a_journal_that_announces_more_than_it_has(tmp_path):
    path = tmp_path / "shard-0-of-1.journal"
    header = b'{"settings": {}}\n'
    path.write_bytes(header + struct.pack("<4sII", b"BTCH", 2**32 - 1, 0))
    from vqnat.distillation.journal import scan

    assert list(scan(path, len(header))) == []  # torn, and no memory was taken for 4 GB
    payload = struct.pack("<IId", 0, 0, 0.0)
    frame = struct.pack("<4sII", b"BTCH", len(payload), zlib.crc32(payload)) + payload + b"DONE"
    path.write_bytes(header + frame)
    assert len(list(scan(path, len(header)))) == 1


@pytest.mark.parametrize("outputs", [[], {"../x": "0"}, {"x": 0}, {"": "0"}, "x"])
def test_manifests_that_name_other_files(outputs, tmp_path):
    settings = {"beam": 4, "direction": "en-de", "mix_raw": 0.0, "seed": None}
    value = as_json({"settings": settings, "outputs": outputs})
    assert "not the manifest of a distillation" in refusal("manifest, bytes", value, tmp_path)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"sacrebleu": {}}, "sacrebleu {}: needed a number"),
        ({"sacrebleu": "30"}, "sacrebleu 30: needed a number"),
        ({"rows": []}, "rows: needed a list of objects"),
        ({"rows": [3]}, "rows: needed a list of objects"),
        ({"sacrebleu": 3, "decoding": "beam 1"}, "decoding beam 1: needed an object"),
        ({"systems": [[]]}, "not an experiment's results.json"),
        ({"systems": 3}, "not an experiment's results.json"),
    ],
)
def test_results_that_no_card_can_show(value, said, tmp_path):
    assert said in refusal("results", value, tmp_path)


@pytest.mark.parametrize("reader", ["config.json, bytes", "export.json, bytes", "manifest, bytes", "results, bytes"])
@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b'{"format": ' + b'{"a":' * 100_000, b"\xff{}", b"null", b"NaN", b""]
)
def test_json_that_is_deep_or_none(reader, content, tmp_path):
    refusal(reader, content, tmp_path)


def test_a_config_of_other_types(tmp_path):
    from fuzz.model_readers import config_value

    value = {**config_value(), "files": {}}
    READERS["config.json"].make(tmp_path)(value)
    # What only people read may be anything; a card is written of it all the same.
    READERS["config.json"].make(tmp_path)({**value, "options": {"compression_steps": 10**9}, "training": {"seed": []}})
    for name, other in (("card", {"license": 3}), ("options", []), ("files", []), ("made", None), ("name", 7)):
        assert f"{name}: " in refusal("config.json", {**value, name: other}, tmp_path)
    assert "unknown key 'kin'" in refusal("config.json", {**value, "kin": 1}, tmp_path)
    assert "kind: missing" in refusal("config.json", {k: v for k, v in value.items() if k != "kind"}, tmp_path)


def test_a_carriage_return_ends_no_line_of_a_dictionary(tmp_path):
    path = tmp_path / "dict.txt"
    path.write_bytes(b"a\rb 1\r\nc 2\n")
    assert Vocabulary.read(path).symbols == (*SPECIALS, "a\rb", "c")


@pytest.mark.parametrize("token", [-1, 6, 2**40])
def test_a_model_that_writes_symbols_of_another_dictionary(token):
    from fuzz.text_readers import small_model

    translator = small_model()
    kept = translator.target
    translator.target = Vocabulary([*SPECIALS, "a", "b"])
    try:
        with pytest.raises(UserError, match=f"the model wrote symbol {token}, the dictionary has 6 symbols"):
            translator.hypothesis(Decoded([4, token, 2], 0.0))
    finally:
        translator.target = kept


@pytest.mark.parametrize(
    "text",
    [
        "\x00",
        "\u2028\u2029\x85\x1c",
        "\u202eright to left",
        "😀" * 500,
        "a\u0301" * 300,
        " \t\u00a0\u3000 ",
        "a" * 100_000,
        "one " * 25_000,
    ],
    ids=ascii,
)
def test_texts_that_are_strange_but_text(text):
    """Translated, or refused for their length; white space of any kind is one space, and nothing else is changed."""
    from fuzz.text_readers import small_model

    translator = small_model()
    try:
        [found] = translator.translate([text])
        assert "\n" not in found
        assert translator.translate([" ".join(text.split())]) == [found]
    except UserError as error:
        assert "tokens, its end included; the model reads at most 1024" in str(error)


@pytest.mark.parametrize(
    "content", [b"- name:\n  checkpoint: b.pt\n", b"- {name: a, checkpoint: ~}\n", b"- [name, checkpoint]\n"]
)
def test_systems_without_a_name(content, tmp_path):
    assert "system 1: needed a mapping with name and checkpoint" in refusal("YAML: systems", content, tmp_path)


def test_values_that_are_no_json_numbers(tmp_path):
    from fuzz.model_readers import export_value

    value = json.dumps({**export_value(), "length_ratio": float("nan")}).encode()
    assert "not the description of an exported model" in refusal("export.json, bytes", value, tmp_path)


def test_every_bug_that_the_page_lists_has_its_test():
    for where, _, test in json.loads((REPO / "benchmarks" / "handled.json").read_text(encoding="utf-8"))["found"]:
        file, _, name = test.partition("::")
        source = ast.parse((REPO / file).read_text(encoding="utf-8"))
        assert name in {node.name for node in source.body if isinstance(node, ast.FunctionDef)}, where

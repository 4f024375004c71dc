"""Text and JSON as nobody should write them."""

import copy
import json
from typing import Any

from hypothesis import strategies as st

SEPARATORS = "\n\r\t\v\f\x00\x1c\x1d\x1e\x1f\x85\u00a0\u2028\u2029\u200b\u202e\ufeff\ufffd"
CHARACTERS = st.one_of(
    st.sampled_from(SEPARATORS),
    st.characters(),
    st.sampled_from("אבג عرب 😀👩‍👩‍👧 ａ\u0301"),
    st.characters(categories=["Cs"]),
)
TEXTS = st.one_of(
    st.text(CHARACTERS, max_size=40),
    st.builds(lambda text, times: text * times, st.text(CHARACTERS, min_size=1, max_size=3), st.integers(1, 30_000)),
)
NUMBERS = st.one_of(
    st.integers(-(10**30), 10**30), st.integers(-3, 3), st.floats(), st.sampled_from([2**31, 2**63, -1, 1e308])
)
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS.filter(lambda text: len(text) < 2000))
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)


def places(value: Any, here: tuple = ()) -> list[tuple]:
    """Where the parts of a value are."""
    found = [here]
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            found += places(value[key], (*here, key))
    return found


@st.composite
def changed(draw: Any, valid: Any) -> Any:
    """A valid value with up to three parts replaced, removed or renamed."""
    value = copy.deepcopy(valid)
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from([place for place in places(value) if place] or [("",)]))
        inside = value
        for key in way:
            inside = inside[key]
        action = draw(st.sampled_from(["replace", "replace", "remove", "rename"]))
        if not isinstance(inside, dict | list) or not inside:
            return draw(VALUES)
        if action == "replace":
            inside[last] = draw(VALUES)
        elif action == "remove":
            del inside[last]
        elif isinstance(inside, dict):
            inside[draw(st.text(max_size=8))] = inside.pop(last)
    return value


def as_json(value: Any) -> bytes:
    """Lone surrogates escaped, as they come over a network; NaN as Python writes it."""
    return json.dumps(value).encode()

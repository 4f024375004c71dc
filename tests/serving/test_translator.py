"""What all translators share, with a model that only writes down what it was asked."""

import pytest
from fairseq.data import Dictionary
from hypothesis import given
from hypothesis import strategies as st

from vqnat_serving.batches import batches_by_length
from vqnat_serving.errors import UserError
from vqnat_serving.pieces import Words
from vqnat_serving.translator import Decoded, Translator
from vqnat_serving.vocabulary import EOS, SPECIALS, UNK, Vocabulary

NAMES = ["one", "two", "three"]


class Echo(Translator):
    """Gives the source back, and remembers its batches."""

    def __init__(self, **options):
        vocabulary = Vocabulary([*SPECIALS, *NAMES])
        super().__init__(vocabulary, vocabulary, Words(), max_source_tokens=6, **options)
        self.seen = []

    def decode_batch(self, sources, beam, scored=True):
        self.seen.append(sources)
        return [[Decoded(tokens, -float(place), (place,)) for place in range(beam)] for tokens in sources]


@given(
    lengths=st.lists(st.integers(2, 40), max_size=30),
    max_tokens=st.integers(1, 200),
    max_sentences=st.integers(1, 9),
)
def test_batches_hold_every_sentence_once_within_the_budget(lengths, max_tokens, max_sentences):
    batches = batches_by_length(lengths, max_tokens, max_sentences)
    flat = [index for batch in batches for index in batch]
    assert sorted(flat) == list(range(len(lengths)))
    assert [lengths[i] for i in flat] == sorted(lengths)
    for batch in batches:
        assert len(batch) <= max_sentences
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= max_tokens


def test_order_is_that_of_the_input_and_empty_lines_stay():
    lines = ["one two three", "", "two", "   ", "three three three one", "one"]
    for options in ({}, {"max_sentences": 1}, {"max_tokens": 8}):
        translator = Echo(**options)
        assert translator.translate(lines) == ["one two three", "", "two", "", "three three three one", "one"]
        assert all(len(tokens) > 1 for batch in translator.seen for tokens in batch)  # the model saw no empty line
    assert translator.translate([]) == []
    assert [len(batch) for batch in translator.seen] == [2, 1, 1]


def test_n_best_of_a_beam():
    found = Echo().hypotheses(["two", ""], beam=3, n_best=2)
    assert [(h.text, h.score, h.codes) for h in found[0]] == [("two", 0.0, (0,)), ("two", -1.0, (1,))]
    assert [(h.text, h.codes) for h in found[1]] == [("", None)]
    assert Echo().translate(["two", ""], beam=3, n_best=2) == [["two", "two"], [""]]


def test_unknown_words_and_odd_white_space():
    translator = Echo()
    assert translator.encode("one\ttwelve  two\u00a0") == [4, UNK, 5, EOS]
    assert translator.translate(["twelve"]) == ["<unk>"]


@pytest.mark.parametrize(
    ("sentences", "options", "message"),
    [
        (["one", "one " * 6], {}, "sentence 2 has 7 tokens, its end included; the model reads at most 6"),
        (["one " * 9], {"first_number": 41}, "sentence 41 has 10 tokens"),
        ("one", {}, "a list of sentences, not one text"),
        (["one"], {"beam": 2, "n_best": 3}, "beam 2, n_best 3: needed 1 <= n_best <= beam"),
        (["one"], {"beam": 0, "n_best": 0}, "beam 0, n_best 0"),
    ],
)
def test_mistakes_are_named(sentences, options, message):
    translator = Echo()
    with pytest.raises(UserError, match=message):
        translator.hypotheses(sentences, **options)
    assert translator.seen == []  # before anything was decoded


def test_a_budget_of_nothing_is_refused():
    with pytest.raises(UserError, match="max_tokens 0: needed 1 or more"):
        Echo(max_tokens=0)


def test_the_vocabulary_is_fairseqs(tmp_path):
    dictionary = Dictionary()
    for symbol in ("▁the", "#", "ä", "a\u00a0b", "@@"):
        dictionary.add_symbol(symbol)
    dictionary.pad_to_multiple_(8)
    dictionary.save(str(tmp_path / "dict.en.txt"))
    vocabulary = Vocabulary.read(tmp_path / "dict.en.txt")
    assert vocabulary.symbols == tuple(dictionary.symbols)
    line = "▁the ä nothing # @@"
    expected = dictionary.encode_line(line, add_if_not_exist=False, append_eos=True).tolist()
    assert vocabulary.encode(line.split()) == expected


@pytest.mark.parametrize("text", ["one\n", "one 1\n\ntwo 1\n", "one x\n"])
def test_other_files_are_no_dictionaries(tmp_path, text):
    (tmp_path / "dict.txt").write_text(text)
    with pytest.raises(UserError, match="needed a symbol, a space and a count"):
        Vocabulary.read(tmp_path / "dict.txt")
    with pytest.raises(UserError, match="no readable dictionary"):
        Vocabulary.read(tmp_path / "nothing.txt")

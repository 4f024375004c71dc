"""Options that no bottleneck, or not the chosen one, can take."""

import pytest
from quantizing import STARTED, label, small

from vqnat.bottlenecks import bottleneck_options
from vqnat.bottlenecks.core.options import Valid

OPTIONS = [
    (
        "hard_em",
        {"codebook_inner_lr": 1.0},
        r"means nothing with --bottleneck hard_em; it works with: (\w+, )*vq$",
    ),
    (
        "gumbel_softmax",
        {"estimator": "rotation"},
        r"--estimator rotation .* --bottleneck gumbel_softmax; it works with: .*hard_em, .*soft_em, .*vq$",
    ),
    ("fsq", {"codebook_l2": True}, r"--codebook-l2 True .* --bottleneck fsq; "),
    ("fsq", {"codebook_size": 64}, r"--codebook-size 64 .* --bottleneck fsq; "),
    ("vq", {"ema_decay": 0.5}, r"--ema-decay 0.5 .* --bottleneck vq; it works with: .*hard_em, .*soft_em$"),
    ("vq", {"temperature_start": 2.0}, r"--temperature-start 2.0 .*; it works with: .*gm_vq, .*sq_vae$"),
    ("gumbel_vqvae", {"codebook_start": "random"}, r"--codebook-start random .* --bottleneck gumbel_vqvae; "),
    ("vq", {"estimator": "reinforce"}, r"--estimator reinforce is not possible; valid: straight_through, rotation$"),
    ("vq", {"codebook_affine": -1.0}, r"--codebook-affine -1.0 is not possible; valid: 0 or more$"),
    ("sq_vae", {"temperature_start": 0.0}, r"--temperature-start 0.0 is not possible; valid: more than 0$"),
    ("semhash", {"semhash_discrete": 1.5}, r"--semhash-discrete 1.5 is not possible; valid: 0 to 1$"),
    ("hard_em", {"dead_code_timeout": -1}, r"--dead-code-timeout -1 is not possible; valid: 0 or more$"),
]


@pytest.mark.parametrize(("name", "options", "message"), OPTIONS, ids=[label(case[:2]) for case in OPTIONS])
def test_illegal_combinations_are_refused_in_one_line(name, options, message):
    with pytest.raises(ValueError, match=message) as refused:
        small(name, **options)
    assert "\n" not in str(refused.value)


def test_the_number_of_samples_may_stay_when_the_bottleneck_changes():
    assert small("hard_em", num_samples=7, **STARTED).num_codes == 16


@pytest.mark.parametrize("option", bottleneck_options(), ids=lambda option: option.name)
def test_the_help_of_every_option_is_one_line_and_its_default_is_valid(option):
    assert option.metadata["help"] and "\n" not in option.metadata["help"]
    valid = option.metadata["valid"]
    if option.default is None:
        assert "; default: " in option.metadata["help"], "each bottleneck's own default"
    else:
        assert valid is None or option.default in valid
    if type(option.default) in (int, float):
        assert valid is not None, "a number has a range"


def test_the_help_lists_the_defaults_that_bottlenecks_have_of_their_own():
    help = {option.name: option.metadata["help"] for option in bottleneck_options()}
    assert help["temperature_end"].endswith("; default: gm_vq 0.1, gumbel_softmax 0.2, gumbel_vqvae 0.0625, sq_vae 0")
    assert "sq_vae 100000" in help["temperature_updates"]


@pytest.mark.parametrize(
    ("limits", "words", "good", "bad"),
    [
        ({"least": 0}, "0 or more", [0, 7.5], [-1]),
        ({"least": 2, "most": 65536}, "2 to 65536", [2, 65536], [1, 65537]),
        ({"least": 0, "below": 1}, "0 <= value < 1", [0, 0.999], [-0.1, 1]),
        ({"above": 0}, "more than 0", [1e-9], [0, -1]),
        ({"one_of": ("a", "b")}, "a, b", ["a"], ["c", "a, b"]),
    ],
)
def test_ranges(limits, words, good, bad):
    valid = Valid(**limits)
    assert str(valid) == words
    assert all(value in valid for value in good) and not any(value in valid for value in bad)

"""Options that no bottleneck, or not the chosen one, can take."""

import pytest
from quantizing import STARTED, label, small

OPTIONS = [
    (
        "hard_em",
        {"codebook_inner_lr": 1.0},
        r"means nothing with --bottleneck hard_em; it works with: product, vq$",
    ),
    (
        "gumbel_softmax",
        {"estimator": "rotation"},
        r"--estimator rotation .*: hard_em, product, sim_vq, soft_em, vq$",
    ),
    ("fsq", {"codebook_l2": True}, r"--codebook-l2 True .* --bottleneck fsq; "),
    ("fsq", {"codebook_size": 64}, r"--codebook-size 64 .* --bottleneck fsq; "),
    ("vq", {"ema_decay": 0.5}, r"--ema-decay 0.5 .* --bottleneck vq; it works with: hard_em, product, soft_em$"),
    ("vq", {"temperature_start": 2.0}, r"--temperature-start 2.0 .*: gm_vq, gumbel_softmax, gumbel_vqvae, sq_vae$"),
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

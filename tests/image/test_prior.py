"""The prior sees only what is before, only what is near, and samples with its cache as without."""

import pytest
import torch

from vqnat.image.priors.image_prior import ImagePrior, ImagePriorConfig

CODES, FIELD = 5, (2, 3, 2)  # 12 codes


def prior(block=4, codebooks=1, layers=2):
    torch.manual_seed(1)
    config = ImagePriorConfig(prior_layers=layers, prior_dim=16, prior_ffn_dim=16, prior_heads=2, block_length=block)
    return ImagePrior(config, CODES, FIELD, codebooks).eval()


@pytest.mark.parametrize("codebooks", [1, 2])
def test_a_code_changes_no_logit_before_or_at_it(codebooks):
    model = prior(codebooks=codebooks)
    codes = torch.randint(CODES, (2, 12, 3))
    before = model(codes)
    for i in range(12):
        changed = codes.clone()
        changed[:, i] = (changed[:, i] + 1) % CODES
        after = model(changed)
        assert torch.equal(after[:, : i + 1], before[:, : i + 1])
        assert i == 11 or not torch.allclose(after[:, i + 1], before[:, i + 1])


def test_far_codes_are_out_of_reach():
    model = prior(block=2, layers=1)
    codes = torch.randint(CODES, (1, 12, 1))
    changed = codes.clone()
    changed[:, 0] = (changed[:, 0] + 1) % CODES
    # Code 0 is the input at position 1, in block 0: blocks 0 and 1 (positions 0 to 3) may read it.
    same = (model(codes) == model(changed)).all(-1)[0]
    assert same.tolist() == [True, False, False, False] + [True] * 8


@pytest.mark.parametrize(("block", "codebooks"), [(4, 1), (5, 2), (128, 1)])
def test_sampling_with_the_cache_equals_without(block, codebooks):
    model = prior(block, codebooks)
    greedy = model.sample(3, temperature=0)
    codes = torch.zeros(3, 12, dtype=torch.long)
    with torch.no_grad():
        for i in range(12):
            codes[:, i] = model(codes.unsqueeze(-1))[:, i].argmax(-1)
    assert torch.equal(greedy, codes)
    drawn = model.sample(3, generator=torch.Generator().manual_seed(2))
    cache = model.begin(3)
    with torch.no_grad():
        steps = [model.step(drawn[:, i - 1] if i else None, i, cache) for i in range(12)]
        assert torch.allclose(torch.stack(steps, 1), model(drawn.unsqueeze(-1)), atol=1e-5)


def test_the_mean_of_equal_samples_is_the_code():
    model = prior()
    codes = torch.randint(CODES, (2, 12, 1))
    assert torch.allclose(model(codes), model(codes.expand(-1, -1, 4)), atol=1e-5)

"""``product`` against the quantizers of its blocks, each computed alone."""

import pytest
import torch
from quantizing import batch, compare, small

from vqnat.bottlenecks.em import SMOOTHING


@pytest.mark.parametrize("projection", ["sliced", "projected", "learned"])
def test_against_the_equations(projection):
    bottleneck = small("product", product_inner="vq", ema_decay=0.999, product_projection=projection)
    found = []

    def literal(z, parameters):
        read, losses = [], {"commitment": 0, "codebook": 0}
        for vector in z:
            pieces, code = [], 0
            for block in range(2):
                if projection == "sliced":
                    part = vector[3 * block : 3 * block + 3]
                else:
                    matrix = parameters.get("projections.weight", bottleneck.projections.weight.detach().double())
                    part = vector @ matrix[block]
                codes = parameters[f"blocks.{block}.codebook.weight"]
                index = int((part - codes).square().sum(-1).argmin())
                code += index * 4**block
                pieces.append(part + (codes[index] - part).detach())
                # The mean over all 6 dimensions is the mean of the means over 3.
                losses["commitment"] += 0.25 * (part - codes[index].detach()).square().sum() / 6
                losses["codebook"] += (part.detach() - codes[index]).square().sum() / 6
            found.append(code)
            read.append(torch.cat(pieces))
        return torch.stack(read), losses

    output = compare(bottleneck, literal)
    assert output.codes[batch()[1]].tolist() == found
    learned = {name for name, p in bottleneck.named_parameters() if "projections" in name}
    assert learned == ({"projections.weight"} if projection == "learned" else set())


def test_blocks_smooth_with_their_own_size():
    bottleneck = small("product", codebook_size=64)
    z, mask = batch()
    bottleneck(z, mask)
    bottleneck.apply_update()
    for number, block in enumerate(bottleneck.blocks):
        part = z.detach()[..., 3 * number : 3 * number + 3][mask].double()
        before = small("product", codebook_size=64).blocks[number].codebook
        counts, sums = before.counts.double(), before.sums.double()
        assigned = [int((v - before.embedding.double()).square().sum(-1).argmin()) for v in part]
        seen, added = torch.zeros_like(counts), torch.zeros_like(sums)
        for vector, code in zip(part, assigned, strict=True):
            seen[code] += 1
            added[code] += vector
        counts, sums = 0.9 * counts + 0.1 * seen, 0.9 * sums + 0.1 * added
        smoothed = (counts + SMOOTHING) / (counts.sum() + 8 * SMOOTHING) * counts.sum()
        torch.testing.assert_close(block.codebook.embedding.double(), sums / smoothed[:, None], rtol=1e-4, atol=1e-5)


def test_samples_combine_those_of_the_blocks():
    bottleneck = small("product", product_inner="soft_em", num_samples=5, codebook_size=64)
    z, mask = batch()
    output = bottleneck(z, mask)
    assert output.samples.shape == (3, 6, 5)
    parts = [block.codebook.embedding[output.samples // 8**i % 8] for i, block in enumerate(bottleneck.blocks)]
    torch.testing.assert_close(output.quantized, torch.cat(parts, -1).mean(2) * mask.unsqueeze(-1))
    torch.testing.assert_close(output.code_counts.sum(), mask.sum().float())


def test_one_block_is_the_inner_quantizer():
    product, alone = small("product", product_blocks=1), small("hard_em")
    alone.load_state_dict(product.blocks[0].state_dict())
    z, mask = batch()
    one, two = product(z, mask), alone(z, mask)
    assert torch.equal(one.codes, two.codes) and torch.equal(one.quantized, two.quantized)
    torch.testing.assert_close(one.losses["commitment"], two.losses["commitment"])


def test_the_start_of_all_blocks():
    bottleneck = small("product", codebook_start="data", codebook_start_updates=2)
    for step in range(2):
        assert not bottleneck.started
        z, mask = batch(seed=step)
        assert torch.equal(bottleneck(z, mask).quantized, z * mask.unsqueeze(-1))
        assert not bottleneck.codebook.counts.any(), "codes of no meaning were counted"
        bottleneck.apply_update()
    assert bottleneck.started
    bottleneck(*batch(seed=3))
    bottleneck.apply_update()
    assert bottleneck.codebook.counts.any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"product_blocks": 3}, "--product-blocks 3 is not possible with --codebook-size 16; valid: "),
        ({"product_blocks": 4, "codebook_size": 16}, "--product-blocks 4 .* does not divide 6"),
        ({"product_inner": "gumbel_softmax"}, "--product-inner gumbel_softmax .* valid: vq, hard_em, soft_em"),
        ({"product_projection": "random"}, "--product-projection random .* valid: sliced, projected, learned"),
        ({"codebook_inner_lr": 1.0}, "--codebook-inner-lr 1.0 means nothing with --product-inner hard_em; .*: vq$"),
        ({"product_inner": "vq"}, "--ema-decay 0.9 means nothing with --product-inner vq; .*: hard_em, soft_em$"),
    ],
)
def test_impossible_products(options, message):
    with pytest.raises(ValueError, match=message):
        small("product", **options)

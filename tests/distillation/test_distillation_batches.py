"""The batch plan and the choice of raw pairs."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vqnat.distillation.batches import plan_batches, shard_batches
from vqnat.distillation.merge import sample_raw


@given(st.lists(st.integers(1, 12), max_size=80), st.integers(1, 40), st.integers(1, 9), st.integers(1, 5))
def test_every_sentence_is_in_one_batch_of_one_shard(
    lengths: list[int], max_tokens: int, max_sentences: int, shards: int
) -> None:
    sizes = np.array(lengths, dtype=np.int64)
    batches = plan_batches(sizes, max_tokens, max_sentences)
    dealt = [batches[b] for shard in range(shards) for b in shard_batches(len(batches), shard, shards)]
    assert sorted(int(i) for batch in dealt for i in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(set(sizes[batch])) == 1
        assert len(batch) <= max_sentences
        assert len(batch) == 1 or sizes[batch].sum() <= max_tokens
    assert not batches or sizes[batches[0][0]] == sizes.max()


def test_raw_sample_is_deterministic_and_nested() -> None:
    small, large = sample_raw(1000, 0.1, seed=3), sample_raw(1000, 0.3, seed=3)
    assert len(small) == 100 and len(large) == 300
    assert set(small) < set(large)
    assert (np.diff(large) > 0).all()
    assert set(small) != set(sample_raw(1000, 0.1, seed=4))
    assert len(sample_raw(7, 0.0, 1)) == 0 and len(sample_raw(7, 1.0, 1)) == 7

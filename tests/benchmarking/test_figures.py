import numpy as np
import pytest

from vqnat.benchmarking.harness import latency_statistics as statistics
from vqnat.benchmarking.harness.sentences import Sentence, batches, choose
from vqnat.errors import UserError

ONE = np.ones(4, dtype=int)


def test_latency_of_hand_made_times():
    ms = np.array([[1.0, 2, 3, 4], [3.0, 2, 3, 4], [2.0, 2, 3, 100]])
    found = statistics.latency(ms, ONE)
    assert found["mean"] == pytest.approx(129 / 12)
    assert found["p50"] == pytest.approx(2.5)  # of the medians 2 2 3 4
    assert found["p95"] == pytest.approx(3.85)
    means = [2, 2, 3, 36]
    assert found["standard_error"] == pytest.approx(np.std(means, ddof=1) / 2)
    assert found["round_means"] == pytest.approx([2.5, 3, 26.75])


def test_batches_count_by_their_sentences():
    sizes = np.array([4, 2])
    found = statistics.latency(np.array([[8.0, 2.0]]), sizes)
    assert found["mean"] == pytest.approx(10 / 6)
    assert statistics.per_sentence(np.array([[8.0, 2.0]]), sizes).tolist() == [2, 1]
    assert statistics.latency(np.array([[8.0]]), np.array([4]))["standard_error"] is None


def test_tokens_per_second():
    assert statistics.tokens_per_second(np.array([[10.0, 30], [10, 50]]), np.array([2, 8])) == pytest.approx(200)


def test_speedup_of_hand_made_times():
    baseline = np.array([[10.0, 20], [12, 24], [8, 16]])
    ours = np.array([[5.0, 5], [4, 5], [5, 6]])
    found = statistics.speedup(baseline, ours, seed=1)
    assert found["ratio"] == pytest.approx(90 / 30)
    assert found["of_medians"] == pytest.approx(30 / 10)
    assert found["rounds"] == pytest.approx({"median": 3, "min": 24 / 11, "max": 4})
    # resampling two sentences gives all of one, all of the other, or both
    assert found["low"] == pytest.approx(30 / 14) and found["high"] == pytest.approx(60 / 16)
    assert found == statistics.speedup(baseline, ours, seed=1)


def test_equal_ratios_have_no_spread():
    baseline = np.array([[10.0, 20, 30]])
    found = statistics.speedup(baseline, baseline / 4, seed=1)
    assert [found[key] for key in ("ratio", "low", "high")] == pytest.approx([4, 4, 4])


def test_interval_is_the_percentiles_of_resampled_ratios():
    random = np.random.default_rng(5)
    baseline, ours = random.gamma(3, 10, (3, 20)), random.gamma(3, 2, (3, 20))
    found = statistics.speedup(baseline, ours, seed=7)
    drawn = np.random.default_rng(7).integers(20, size=(statistics.RESAMPLES, 20))
    ratios = baseline.mean(0)[drawn].sum(1) / ours.mean(0)[drawn].sum(1)
    assert [found["low"], found["high"]] == pytest.approx(np.percentile(ratios, [2.5, 97.5]).tolist())


def test_one_batch_has_no_interval():
    found = statistics.speedup(np.array([[10.0], [12.0]]), np.array([[5.0], [5.0]]), seed=1)
    assert found["ratio"] == found["low"] == found["high"] == pytest.approx(2.2)


def sentence(number, tokens, source_words=1, target_words=1):
    return Sentence(number, (7,) * tokens, source_words, target_words, target_words + number)


def test_sentences_are_chosen_at_even_distances_by_length():
    text = [sentence(n, 20 - n) for n in range(10)]
    lengths = [len(batch.sources[0]) for batch in batches(choose(text), 1, 5)]
    assert lengths == [12, 14, 16, 18, 20]
    assert [len(batches(choose(text), 1, count)) for count in (1, 7, 10, 50, None)] == [1, 7, 10, 10, 10]
    assert len({batch.ids for batch in batches(choose(text), 1, 7)}) == 7
    pairs = batches(choose(text), 2, 3)  # two of 11 12, 13 14, ... 19 20
    assert [[len(source) for source in batch.sources] for batch in pairs] == [[13, 14], [17, 18]]


def test_sentences_are_restricted_by_words():
    text = [sentence(n, 3, source_words=n, target_words=10 - n) for n in range(10)]
    assert {s.id for s in choose(text, 3, 4)} == {3, 4, 5, 6}
    with pytest.raises(UserError, match=r"nothing left of 10 .* 9 source words, 10 target words"):
        choose(text, 50)


def test_neighbors_share_a_batch():
    made = batches([sentence(n, n + 1) for n in range(5)], 2)
    assert [batch.ids for batch in made] == [(0, 1), (2, 3), (4,)]
    assert made[1].sources == ((7, 7, 7), (7, 7, 7, 7))
    assert all(batch.length is None for batch in made)


def test_forced_lengths_are_the_means_of_the_references():
    text = [sentence(n, n + 1, target_words=2) for n in range(5)]  # references of 2, 3, ... 6 tokens
    assert [batch.length for batch in batches(text, 1, force_lengths=True)] == [2, 3, 4, 5, 6]
    assert [batch.length for batch in batches(text, 4, force_lengths=True)] == [round(14 / 4), 6]
    empty = Sentence(0, (7, 2), 1, 0, 0)
    assert batches([empty], 1, force_lengths=True)[0].length == 1

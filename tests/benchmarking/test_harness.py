import os
from concurrent.futures.process import BrokenProcessPool
from functools import partial

import pytest
import torch

from vqnat.benchmarking.harness.clock import timed_translation
from vqnat.benchmarking.harness.memory import peak_memory
from vqnat.benchmarking.harness.phases import PhaseTimer, measure_phases, timers
from vqnat.benchmarking.harness.processes import OwnProcesses
from vqnat.benchmarking.harness.rounds import content, measure


def run(recorder, batches, repeats=4, warmup=0, seed=1):
    log = []
    systems = [recorder(name, log) for name in "abc"]
    return systems, log, measure(systems, batches, repeats, warmup, seed)


def test_all_systems_take_a_batch_before_the_next_one(recorder, batches):
    systems, log, _ = run(recorder, batches)
    blocks = [log[start : start + 3] for start in range(0, len(log), 3)]
    assert len(blocks) == 4 * len(batches)
    for block in blocks:
        assert len({ids for _, ids in block}) == 1
        assert {name for name, _ in block} == set("abc")
    for start in range(0, len(blocks), len(batches)):  # a round has every batch once
        ids = [block[0][1] for block in blocks[start : start + len(batches)]]
        assert sorted(ids) == [batch.ids for batch in batches]
    assert systems[0].seen == systems[1].seen == systems[2].seen
    assert all(any(block[0][0] == name for block in blocks) for name in "abc")  # each is first sometimes


def test_in_processes_each_system_has_a_whole_round_after_the_others_came_to_rest(recorder, batches, monkeypatch):
    log = []
    monkeypatch.setattr("vqnat.benchmarking.harness.rounds.sleep", lambda seconds: log.append(str(seconds)))

    def timed(system, batch):
        log.append(system.name)
        return 1.5, [list(source) for source in batch.sources]

    found = measure([recorder("a"), recorder("b")], batches, 2, 0, 1, in_processes=timed)
    turns = "".join(log).split("0.5")[1:]
    size = len(batches) + 1  # the first is not timed
    assert set(turns) == {"a" * size, "b" * size} and len(turns) == 2 * 2
    assert all((found[name].ms == 1.5).all() for name in "ab") and found["a"].outputs == found["b"].outputs
    assert found["a"].outputs[0] == [(5,), (6,)]


class Process:
    """Says in which process it is."""

    specials, description = frozenset(), {}

    def __init__(self, name):
        self.name, self.seen = name, 0

    def prepare(self, batch):
        self.seen += 1
        return batch

    def translate(self, batch):
        return [torch.tensor([os.getpid()])] * len(batch)

    def phases(self):
        return {}


def test_own_processes(batches):
    systems = [Process(name) for name in "ab"]
    with OwnProcesses({system.name: partial(Process, system.name) for system in systems}, "cpu") as processes:
        first, again = ([processes.timed(system, batches[0]) for system in systems] for _ in range(2))
    (ms, (a, also_a)), (_, (b, _)) = first
    assert ms > 0 and a == also_a and len({a[0], b[0], os.getpid()}) == 3
    assert [outputs for _, outputs in first] == [outputs for _, outputs in again]
    assert systems[0].seen == 0  # it is another one that translates
    with pytest.raises(BrokenProcessPool):
        OwnProcesses({"a": partial(os._exit, 1)}, "cpu")


def test_order_follows_the_seed(recorder, batches):
    first, again, other = (run(recorder, batches, seed=seed)[1] for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize("warmup", [1, 2, 5, 20])
def test_warm_up_is_extra_and_reaches_the_longest(recorder, batches, warmup):
    _, log, found = run(recorder, batches, repeats=1, warmup=warmup)
    assert len(log) == 3 * (warmup + len(batches))
    assert batches[-1].ids in {ids for _, ids in log[: 3 * warmup]}
    assert found["a"].ms.shape == (1, len(batches)) and (found["a"].ms > 0).all()


def test_outputs_are_kept_without_special_symbols(recorder, batches):
    _, _, found = run(recorder, batches)
    assert found["a"].outputs == [[(5,) * (n + 1), (6,)] for n in range(7)]
    assert found["a"].stable
    assert content([0, 7, 8, 2, 1], frozenset({0, 1, 2})) == (7, 8)


def test_changing_outputs_are_noticed(recorder, batches):
    class Fickle(recorder):
        def search(self, sources):
            return [torch.tensor([len(self.seen)]) for _ in sources]

    assert not measure([Fickle("f")], batches, 2, 0, 1)["f"].stable


def test_translating_has_no_gradient_and_no_garbage_collection(recorder, batches):
    import gc

    class Curious(recorder):
        def search(self, sources):
            self.found = torch.is_inference_mode_enabled(), gc.isenabled()
            return sources

    system = Curious("c")
    timed_translation(system, batches[0], lambda: None)
    assert system.found == (True, False) and gc.isenabled()


def test_a_lost_sentence_is_an_error(recorder, batches):
    class Forgetful(recorder):
        def search(self, sources):
            return sources[1:]

    with pytest.raises(RuntimeError, match="system f returned 1 outputs for 2 sentences"):
        measure([Forgetful("f")], batches, 1, 0, 1)


def test_phases_do_not_exceed_the_total_and_leave_no_trace(recorder, batches):
    system = recorder("a")
    before = dict(vars(system))
    split = measure_phases(system, batches)
    assert set(split) == {"encoder", "decoder", "search", "rest"}
    assert all(ms >= 0 for ms in split.values())
    assert vars(system) == before


def test_inner_phases_count_once():
    now = iter([0.0, 1.0, 4.0, 10.0])  # seconds: outer starts, inner starts, inner ends, outer ends
    timer = PhaseTimer()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vqnat.benchmarking.harness.phases.perf_counter", lambda: next(now))
        inner = timer.wrap("inner", lambda: None)
        timer.wrap("outer", inner)()
    assert timer.ms == {"inner": 3000.0, "outer": 7000.0}


def test_timers_go_away_after_an_error(recorder):
    system = recorder("a")
    own = system.search = lambda sources: sources
    with pytest.raises(ZeroDivisionError), timers(system, PhaseTimer()):
        assert system.search is not own
        raise ZeroDivisionError
    assert system.search is own and "encode" not in vars(system)


class Hungry:
    """Holds 60 MiB from loading on, and takes 120 more to translate."""

    name, specials, description = "hungry", frozenset(), {}

    def __init__(self):
        self.weights = torch.ones(15 * 2**20)

    def prepare(self, batch):
        return batch

    def translate(self, batch):
        return [torch.ones(30 * 2**20)[:1] for _ in batch.ids[:1]] * len(batch)

    def phases(self):
        return {}


def test_memory_is_that_of_the_system_alone(batches):
    mine = torch.ones(100 * 2**20)  # 400 MiB of this process do not count
    found = peak_memory(Hungry, batches[:1], "cpu")
    assert 50 < found["loaded"] - found["libraries"] < 120
    assert found["decoding"] is None or 100 < found["decoding"] - found["loaded"] < 180
    assert found["peak"] >= max(found["decoding"] or 0, found["loaded"])
    assert len(mine)

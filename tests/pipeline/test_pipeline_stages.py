"""Stages are skipped, repeated and continued as their records say."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from vqnat.pipeline.children import ChildFailed, Stopped, run_child
from vqnat.pipeline.jobs import StageFailed, run_pipeline
from vqnat.pipeline.scheduler import run_stages
from vqnat.pipeline.stages import Stage, Store

# Counts its runs in a file and, as a training does, continues from the number it has left there.
CHILD = """
import sys, time, pathlib
folder, steps, slow = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "slow"
folder.mkdir(parents=True, exist_ok=True)
state = folder / "state"
start = int(state.read_text()) if state.exists() else 0
print(f"resume@{start}", flush=True)
for step in range(start, steps):
    state.write_text(str(step + 1))
    if slow and step == steps // 2:
        time.sleep(60)
"""


def child_stage(run, name, inputs=(), steps=4, slow=False, cores=1):
    """A stage of one real program; being slow is not part of what it is."""
    folder = run / name
    command = [sys.executable, "-c", CHILD, str(folder), str(steps)]

    def work(job):
        job.child([*command, "slow" if slow else "fast"])

    return Stage(name, "a test", command, list(inputs), [folder], work, cores)


def chain(run, **steps):
    return [
        child_stage(run, "a", steps=steps.get("a", 4)),
        child_stage(run, "b", ["a"], steps=steps.get("b", 4)),
        child_stage(run, "c", ["b"], steps=steps.get("c", 4)),
        child_stage(run, "d", ["a"], steps=steps.get("d", 4)),
    ]


def to_do(run, stages, again=()):
    return [stage.name for stage in Store(run, stages).to_do(again)]


def execute(run, stages, again=(), stop=None):
    run_pipeline(stages, Store(run, stages), 2, stop or threading.Event(), again)


def starts(run, name):
    return [line for line in (run / "logs" / f"{name}.log").read_text().splitlines() if line.startswith("resume@")]


def test_what_is_done_is_skipped_and_a_change_repeats_what_depends_on_it(tmp_path, capsys):
    execute(tmp_path, chain(tmp_path))
    assert to_do(tmp_path, chain(tmp_path)) == []
    (tmp_path / "b" / "leftover").write_text("of the old configuration")
    stamp = (tmp_path / "d" / "state").stat().st_mtime_ns
    execute(tmp_path, chain(tmp_path, b=6))
    assert (tmp_path / "b" / "state").read_text() == "6"
    assert not (tmp_path / "b" / "leftover").exists()
    assert starts(tmp_path, "b") == starts(tmp_path, "c") == ["resume@0"]
    assert (tmp_path / "d" / "state").stat().st_mtime_ns == stamp
    said = capsys.readouterr().err
    assert "[1/4] a: done before" in said and "[2/4] b: a test ..." in said and "[3/4] c: done in" in said


def test_a_lost_output_and_again_repeat_what_depends_on_them(tmp_path):
    execute(tmp_path, chain(tmp_path))
    assert to_do(tmp_path, chain(tmp_path), ["b"]) == ["b", "c"]
    # the records are gone at once: stopped now, the next run still knows
    assert to_do(tmp_path, chain(tmp_path)) == ["b", "c"]
    execute(tmp_path, chain(tmp_path))
    (tmp_path / "a" / "state").unlink()
    (tmp_path / "a").rmdir()
    assert to_do(tmp_path, chain(tmp_path)) == ["a", "b", "c", "d"]


def test_the_same_run_in_another_folder_is_the_same(tmp_path):
    execute(tmp_path / "x", chain(tmp_path / "x"))
    (tmp_path / "x").rename(tmp_path / "y")
    assert to_do(tmp_path / "y", chain(tmp_path / "y")) == []


def test_a_killed_child_continues(tmp_path):
    stages = [child_stage(tmp_path, "a"), child_stage(tmp_path, "b", ["a"], steps=10, slow=True)]
    killer = threading.Thread(target=kill_when, args=(tmp_path / "b" / "state", "6"))
    killer.start()
    with pytest.raises(StageFailed, match=r"\[2/2\] b failed: killed by SIGKILL(.|\n)*b\.log(.|\n)*resume@0"):
        execute(tmp_path, stages)
    killer.join()
    stages[1] = child_stage(tmp_path, "b", ["a"], steps=10)
    assert to_do(tmp_path, stages) == ["b"]
    execute(tmp_path, stages)
    assert starts(tmp_path, "b") == ["resume@0", "resume@6"]
    assert starts(tmp_path, "a") == ["resume@0"]
    assert json.loads((tmp_path / "stages" / "b.json").read_text())["seconds"] >= 0


def test_a_killed_child_of_another_configuration_starts_afresh(tmp_path):
    killer = threading.Thread(target=kill_when, args=(tmp_path / "a" / "state", "6"))
    killer.start()
    with pytest.raises(StageFailed):
        execute(tmp_path, [child_stage(tmp_path, "a", steps=10, slow=True)])
    killer.join()
    execute(tmp_path, [child_stage(tmp_path, "a", steps=8)])
    assert starts(tmp_path, "a") == ["resume@0"]


def children_with(word: str) -> list[int]:
    """Processes whose command line holds the word."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes()
        except OSError:
            continue
        if word.encode() in command and b"die_with_parent" not in command:
            found.append(int(path.parent.name))
    return found


def kill_when(state, content):
    wait_for(lambda: state.exists() and state.read_text() == content)
    for number in children_with(str(state.parent)):
        os.kill(number, signal.SIGKILL)


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.05)


def test_children_end_with_the_pipeline(tmp_path):
    """Killed outright, the pipeline leaves nothing behind that writes into its folders."""
    program = (
        "import sys, threading; from pathlib import Path; from vqnat.pipeline.children import run_child;"
        f"run_child([sys.executable, '-c', {CHILD!r}, sys.argv[1], '4', 'slow'],"
        " Path(sys.argv[1] + '.log'), 1, threading.Event())"
    )
    folder = tmp_path / "stage"
    pipeline = subprocess.Popen([sys.executable, "-c", program, str(folder)])
    wait_for((folder / "state").exists, 60)
    pipeline.send_signal(signal.SIGKILL)
    pipeline.wait()
    wait_for(lambda: not children_with(str(folder)))


def test_stop_ends_a_child(tmp_path):
    stop, log = threading.Event(), tmp_path / "log"
    threading.Timer(0.5, stop.set).start()
    start = time.monotonic()
    with pytest.raises(Stopped):
        run_child([sys.executable, "-c", "import time; time.sleep(60)"], log, 1, stop)
    assert time.monotonic() - start < 20


def test_a_failure_shows_the_end_of_the_log(tmp_path):
    program = "print(*range(100), sep='\\n'); print('a\\rb'); raise SystemExit(3)"
    with pytest.raises(ChildFailed) as caught:
        run_child([sys.executable, "-c", program], tmp_path / "log", 1, threading.Event())
    lines = str(caught.value).splitlines()
    assert lines[0] == f"exit status 3; the end of {tmp_path / 'log'}:"
    assert len(lines) == 21 and lines[-1] == "  | b" and lines[-2] == "  | 99"


def test_children_get_threads_and_malloc_settings(tmp_path):
    program = "import os; print(os.environ['OMP_NUM_THREADS'], os.environ['MALLOC_MMAP_MAX_'], os.getcwd())"
    run_child([sys.executable, "-c", program], tmp_path / "log", 7, threading.Event())
    assert (tmp_path / "log").read_text().splitlines()[-1].startswith("7 0 /")


def test_the_scheduler_keeps_order_and_limit(tmp_path):
    lock, now, most, ended = threading.Lock(), set(), [], []

    def work(stage):
        with lock:
            assert set(stage.inputs) <= set(ended), f"{stage.name} started too early"
            now.add(stage)
            most.append(sum(s.cores for s in now))
            together.append({s.name for s in now})
        time.sleep(0.05)
        with lock:
            now.discard(stage)
            ended.append(stage.name)

    def stage(name, inputs=(), cores=1):
        return Stage(name, "", None, tuple(inputs), (), work=print, cores=cores)

    together = []
    stages = [
        stage("corpus"),
        stage("teacher", ["corpus"], 2),
        stage("nat", ["teacher"]),
        stage("lt", ["teacher"]),
    ]
    stages += [stage("raw", ["corpus"]), stage("latency", ["nat", "lt", "raw"], 9)]
    run_stages(stages, 2, work, threading.Event())
    assert sorted(ended) == sorted(s.name for s in stages)
    assert {"nat", "lt"} in together
    # a stage that wants more than there is runs alone
    assert max(min(n, 2) for n in most) == 2 and {"latency"} in together
    assert all(len(names) == 1 for names in together if names & {"teacher", "latency"})


def test_an_error_stops_the_other_stages(tmp_path):
    stop = threading.Event()

    def work(stage):
        if stage.name == "bad":
            raise ValueError("no")
        assert stop.wait(20)

    stages = [Stage(name, "", None, (), (), work=print) for name in ("good", "bad", "later")]
    with pytest.raises(ValueError, match="no"):
        run_stages(stages, 2, work, stop)

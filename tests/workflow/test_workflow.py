"""The workflow on toy experiments: what it explains, what a change repeats, how it fails, that it survives kill -9."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import bitext
import pytest
import torch
import yaml
from toy_experiment import toy_experiment

from vqnat.benchmarking.engines.system_specs import parse_system
from vqnat.checkpoints.reading import read_checkpoint
from vqnat.errors import UserError
from vqnat.experiments.commands import latency_options
from vqnat.experiments.config import configure
from vqnat.experiments.recipes import compose, scales, tables
from vqnat.image.tables.table_config import configure as configure_tables

STUDENTS = ("nat_raw", "lt_hard_em_raw")
PROGRAM = bitext.REPO / "scripts" / "run_workflow.py"


def command(config: Path, run: Path, *words: object) -> list[str]:
    return [sys.executable, str(PROGRAM), "--config", str(config), "--run", str(run), *map(str, words)]


def workflow(config: Path, run: Path, *words: object) -> subprocess.CompletedProcess:
    environment = os.environ | {"VQNAT_PYTHON": bitext.forked_python()}
    return subprocess.run(command(config, run, *words), capture_output=True, text=True, env=environment)


def write(folder: Path, **changes: object) -> Path:
    """A toy experiment whose teacher has one thread: forked programs have no more, and sums of two are others."""
    path = folder / "toy.yaml"
    content = toy_experiment() | changes
    content["trainings"]["teacher"]["threads"] = 1
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def test_a_dry_run_says_what_why_and_by_which_command(tmp_path):
    config = write(tmp_path, seeds=[3, 4])
    done = workflow(config, tmp_path / "run", "-n", "--only", "nat_distilled")
    assert done.returncode == 0, done.stderr
    said = done.stderr
    assert "train_teacher: 12 updates on raw text\n  because: Missing output files: models/teacher/trained" in said
    for seed in (3, 4):
        assert f"seed{seed}/train_nat_distilled: 12 updates on distilled text" in said
        assert f"--save-dir seed{seed}/models/nat_distilled " in said and f"--seed {seed} --log-format json" in said
    assert said.count("distill_1-of-2") == said.count("distill_2-of-2") == 1  # the teacher's text is shared
    assert "vqnat.commands.distill prep/bin --out distilled --shard 1 --path averaged/teacher.pt" in said
    assert "seeds_table seed3/results.json seed4/results.json > seeds.md" in said
    assert "lt_soft_em" not in said and not (tmp_path / "run" / "models").exists()


def test_the_command_line_says_more_than_the_file(tmp_path):
    config = write(tmp_path)
    few = workflow(config, tmp_path / "run", "-n").stderr
    done = workflow(config, tmp_path / "run", "-n", "--full", "--seeds", "5,6", "--reverse")
    assert done.returncode == 0, done.stderr
    assert "translate_lt_soft_em_raw" not in few and "seed6/translate_lt_soft_em_raw" in done.stderr
    assert "--source-lang de --target-lang en" in done.stderr and "--seed 6 --log-format json" in done.stderr
    refused = workflow(config, tmp_path / "run", "-n", "--", "--config", "seeds=[5,x]")
    assert refused.returncode == 1 and "seeds[1]: 'x' is not valid; must be a whole number" in refused.stderr


def test_a_failure_is_one_line_that_names_the_rule_and_its_log_and_the_end_of_that(tmp_path):
    run = tmp_path / "run"
    done = workflow(write(tmp_path, vocabulary=40), run)
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    failed = next(n for n, line in enumerate(lines) if ": failed" in line)
    assert lines[failed] == f"binarize: failed (rule binarize); the end of {run}/logs/binarize.log:"
    assert lines[failed + 1].startswith("  | binarize: ") and sum(": failed" in line for line in lines) == 1
    assert "What is finished is kept; to go on from here: " in done.stderr and "Traceback" not in done.stderr


def test_an_option_that_fairseq_does_not_have_is_found_at_once(tmp_path):
    content = toy_experiment()
    content["trainings"]["nat_distilled"]["options"]["lerning-rate"] = 1
    config = write(tmp_path, trainings=content["trainings"])
    done = workflow(config, tmp_path / "run", "--", "options.checked")
    assert done.returncode == 1
    assert (
        f"{config}: trainings.nat_distilled.options: fairseq-train: unrecognized arguments: --lerning-rate 1"
        in done.stderr
    )


def processes_in(folder: Path) -> list[int]:
    """Those that work in a folder."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if link.resolve() == folder and b"fairseq_cli" in (link.parent / "cmdline").read_bytes():
                found.append(int(link.parent.name))
        except OSError:
            continue
    return found


def wait_for(condition, seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run whose teacher was trained without a stop, and two students that want all cores."""
    folder = tmp_path_factory.mktemp("whole")
    content = toy_experiment()
    for name in STUDENTS:
        content["trainings"][name]["threads"] = 2
    targets = [f"models/{name}/trained" for name in ("teacher", *STUDENTS)]
    done = workflow(write(folder, trainings=content["trainings"]), folder / "run", "--cores", 2, "--", *targets)
    assert done.returncode == 0, done.stderr
    return folder / "run"


@pytest.mark.slow
def test_jobs_use_no_more_cores_than_there_are(whole):
    # Snakemake 9.10 to 9.16 gave back the cores of a job that was ready alone without having taken them, so that after
    # a chain of such jobs everything ran at once, beside measurements of latency too.
    times = []
    for name in STUDENTS:
        first = (whole / "logs" / f"train_{name}.log").read_text(encoding="utf-8")
        began = datetime.fromisoformat(re.search(r"^(\S+ \S+) \| INFO", first, re.MULTILINE)[1])
        times.append((began.timestamp(), (whole / "models" / name / "trained").stat().st_mtime))
    (_, end), (begin, _) = sorted(times)
    assert begin >= int(end)  # the log's clock has seconds


@pytest.mark.slow
def test_two_processes_train_one_model(whole, tmp_path):
    run = shutil.copytree(whole, tmp_path / "run", copy_function=shutil.copy2)
    content = toy_experiment()
    content["trainings"]["teacher"] |= {"processes": 2, "updates": 2}
    config = write(tmp_path, trainings=content["trainings"])
    done = workflow(config, run, "--", "models/teacher/trained")
    assert done.returncode == 0, done.stderr
    assert "corpus" not in done.stderr and "begin_teacher: done" in done.stderr
    log = (run / "logs" / "train_teacher.log").read_text(encoding="utf-8")
    assert "'distributed_world_size': 2" in log
    assert read_checkpoint(run / "models/teacher/checkpoint_last.pt")["optimizer_history"][-1]["num_updates"] == 2


@pytest.mark.slow
def test_killed_outright_it_leaves_nothing_behind_and_continues_to_the_same_end(whole, tmp_path):
    config, last = write(tmp_path), "models/teacher/checkpoint_last.pt"
    killed = tmp_path / "killed"
    process = subprocess.Popen(command(config, killed, "--", "models/teacher/trained"))
    wait_for((killed / last).exists, 600, "no checkpoint")
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_for(lambda: not processes_in(killed), 20, "a training goes on alone")
    done = workflow(config, killed, "--", "models/teacher/trained")
    assert done.returncode == 0, done.stderr
    log = (killed / "logs" / "train_teacher.log").read_text(encoding="utf-8")
    assert f"Loaded checkpoint {last}" in log
    models = [read_checkpoint(run / last)["model"] for run in (whole, killed)]
    assert all(torch.equal(models[0][name], models[1][name]) for name in models[0])

    changed = toy_experiment()
    changed["trainings"]["teacher"]["options"]["dropout"] = 0.1
    write(tmp_path, trainings=changed["trainings"])
    said = workflow(config, killed, "-n").stderr
    changed = "because: Params have changed since last execution: --dropout 0 -> 0.1"
    assert f"begin_teacher: an empty folder\n  {changed}" in said
    assert "corpus: writing" not in said and "binarize: joint" not in said


def test_every_table_is_planned_to_its_commands_at_the_scale_that_nobody_runs(tmp_path):
    for table in tables():
        words = ("-m", "vqnat.commands.reproduce", table, "--scale", "paper", "--run", tmp_path / table, "-n")
        said = bitext.run(*words).stderr
        assert "results: one JSON file" in said and said.count("\n  $ ") > 10
        if table == "roy_t1":
            assert said.count("\n  $ ") > 60 and "lt_soft_em_nc4_distilled" in said
            assert "--compression-steps 4 --codebook-size 4096" in said
            assert "--iter-decode-with-beam 100" in said and "nat_distilled.pt:averaged/teacher.pt" in said
            assert "torch.distributed.run --standalone --nproc-per-node 8 -m fairseq_cli.train" in said
            assert "prepare-wmt14-en2de.sh" in said and "--max-update 300000" in said
        if table == "yan_fig4":
            assert "gm_vq_0_5" in said and "--gm-entropy 8" in said
        assert "INFO:" not in said  # fairseq sets up logging for itself, which would write every line twice


def test_tables_together_share_what_rows_have_in_common():
    texts = [name for name in tables() if "systems" in compose([name], "tiny")]
    alone = {name: compose([name], "tiny") for name in texts}
    together = compose(texts, "tiny")
    systems = {system["name"]: system for system in together["systems"]}
    for each in alone.values():
        for system in each["systems"]:
            found = systems[system["name"]]
            assert found["decoding"] == system["decoding"]  # no two tables mean different things by one name
            assert together["trainings"][found["training"]] == each["trainings"][system["training"]]
    trainings = [json.dumps(training, sort_keys=True) for training in together["trainings"].values()]
    assert len(set(trainings)) == len(trainings) < sum(len(each["trainings"]) for each in alone.values()) - 10
    # Soft EM with 10 samples is a row of three tables, and one training.
    assert systems["lt_soft_em_10_nc3"]["training"] == systems["lt_soft_em"]["training"] == "lt_soft_em"
    # A row alone has the training's name that it has in the whole table, so a run can grow.
    assert compose(["roy_t1"], "tiny", ["nat_npd10"])["systems"][-1]["training"] == "nat_distilled"


def test_every_row_can_be_timed():
    for table in tables():
        content = compose([table], "tiny")
        if "systems" in content:
            config = configure(content)
            words = latency_options(config, config.systems, dict.fromkeys(config.trainings, "a.pt"), 1)
            specs = [parse_system(words[n + 1]) for n, word in enumerate(words) if word == "--system"]
            assert len(specs) == sum(not system.reranker for system in config.systems)
            for spec in specs:
                assert spec.name != "cmlm" or spec.decoding()["iter_decode_force_max_iter"] == 1


def test_widths_are_compared_from_the_same_start():
    trainings = compose(["roy_t5"], "tiny")["trainings"]
    students = {name: training["options"] for name, training in trainings.items() if name != "teacher"}
    assert {options["embed-dim"] for options in students.values()} == {64, 96, 128}
    assert not any("encoder-from" in options for options in students.values())


def test_tables_that_do_not_go_together():
    with pytest.raises(UserError, match="TABLE roy_t1,roy_t2: roy_t2 is of images and stands alone"):
        compose(["roy_t1", "roy_t2"], "tiny")
    with pytest.raises(UserError, match="TABLE roy_t9: must be one of peers, roy_fig3"):
        compose(["roy_t1", "roy_t9"], "tiny")
    done = bitext.run("-m", "vqnat.commands.reproduce", "roy_t1,", check=False)
    assert done.returncode == 2 and "TABLE : must be one of peers" in done.stderr


@pytest.mark.parametrize("scale", scales())
def test_every_table_is_a_configuration(scale):
    for table in tables():
        content = compose([table], scale)
        if "tables" in content:
            assert configure_tables(content).chosen
            continue
        config = configure(content)
        assert config.data.note.startswith(content["name"].split(", ")[0])
        for training in config.trainings.values():
            known = re.findall(r"\{(\w+)\}", str(training.options))
            assert set(known) <= {"teacher"}  # every amount is filled in

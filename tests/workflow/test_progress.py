"""What the logger plugin says of running jobs."""

import json
import sys
from types import SimpleNamespace

import bitext
import pytest

sys.path.append(str(bitext.REPO / "workflow" / "plugins"))

import snakemake_logger_plugin_vqnat as plugin

UPDATE = "2026-11-21 05:37:07 | INFO | train_inner | {}\n"


@pytest.fixture
def job(tmp_path, monkeypatch):
    """A job of a rule, with what its log and output hold so far."""
    monkeypatch.chdir(tmp_path)

    def job(shellcmd="", inputs=(), outputs=()):
        about = {"rule_msg": "train_nat: 40 updates", "rule_name": "train", "log": ["log"]}
        return plugin.Job(SimpleNamespace(**about, shellcmd=shellcmd, input=list(inputs), output=list(outputs)))

    return job


def add(text, name="log"):
    with open(name, "a", encoding="utf-8") as file:
        file.write(text)


def update(number, loss):
    return UPDATE.format(json.dumps({"num_updates": str(number), "loss": str(loss)}))


def test_a_training_shows_updates_loss_and_time_left(job):
    add("of an earlier try: 7 of 9\n" + update(10, 9.5))
    training = job("fairseq-train --max-update 40 --seed 1")
    assert training.label == "train_nat" and training.text() == ""
    add("loading\n" + update(20, 5.25))
    training.look()
    assert training.text() == "20/40 updates, loss 5.250"  # nothing to tell the speed from
    training.first = (20, training.first[1] - 10)
    add(update(30, 4)[:30])
    training.look()
    assert training.done == 20
    add(update(30, 4)[30:])
    training.look()
    assert training.text() == "30/40 updates, loss 4.000, 10 s left"


def test_an_image_trainings_length_is_that_of_an_earlier_job(job, tmp_path):
    (tmp_path / "lengths").mkdir()
    (tmp_path / "lengths" / "train.json").write_text('{"updates": 300}')
    assert job("image_train --max-update '{updates}'", ["data", "lengths/train.json"]).total == 300


def test_sentences_are_counted_and_other_jobs_show_their_last_line(job):
    translation = job(outputs=["x.generated.txt"])
    add("S-2\tA b\nH-2\t-0.1\tC S-3\nS", "x.generated.txt")
    add("loading\n")
    translation.look()
    assert translation.text() == "1 sentences"
    add("-0\tA\nS-1\tB\n", "x.generated.txt")
    translation.look()
    assert translation.text() == "3 sentences"
    distillation = job()
    add("vqnat distill: 30/167 sentences, 3.0 sentences/s, 0:45 left\n")
    distillation.look()
    assert distillation.text() == "30/167 sentences"
    other = job()
    add("first\nold\rnew\n")
    other.look()
    assert other.text() == "new"


def test_the_end_of_a_log(tmp_path):
    (tmp_path / "log").write_text("".join(f"{n}\n" for n in range(100)) + "a\rb\n")
    assert plugin.tail(tmp_path / "log", 3) == ["98", "99", "b"]
    assert plugin.duration(59.6) == "1 min 00 s" and plugin.duration(3700) == "1 h 01 min"

import sys
from pathlib import Path

import bitext
import pytest

from vqnat.benchmarking.engines.system_specs import SystemSpec, check_names, parse_system, read_systems
from vqnat.errors import UserError
from vqnat_serving.cores import usable_cores


def test_all_keys():
    found = parse_system("a=x/y.pt,beam=4,lenpen=0.6,max_len_a=1.2,max_len_b=10,rescore_with=t.pt,threads=2")
    expected = SystemSpec("a", Path("x/y.pt"), 4, None, 0.6, 1.2, 10, rescore_with="t.pt", threads=2)
    assert found == expected
    assert "iter" not in found.decoding() and found.decoding()["beam"] == 4


def test_names_of_fairseq_generate_mean_the_same():
    written = parse_system("a=x.pt,iter-decode-max-iter=0,iter-decode-with-beam=3,task=translation_lev")
    assert written == parse_system("a=x.pt,iter=0,beam=3,task=translation_lev")


@pytest.mark.parametrize(
    "text, message",
    [
        ("a", "needed NAME=CHECKPOINT"),
        ("=x.pt", "needed NAME=CHECKPOINT"),
        ("a=", "needed NAME=CHECKPOINT"),
        ("a=x.pt,beam", "'beam' is not key=value"),
        ("a=x.pt,beem=4", "unknown key 'beem' .valid keys: beam, task, lenpen, .*threads"),
        ("a=x.pt,beam=0", "beam=0: needed a whole number, 1 or more"),
        ("a=x.pt,beam=2.5", "beam=2.5: needed a whole number"),
        ("a=x.pt,iter=-1", "iter=-1: needed a whole number, 0 or more"),
        ("a=x.pt,lenpen=nan", "lenpen=nan: needed a number"),
        ("a=x.pt,task=speech", "task=speech: needed one of translation, latent_translation, translation_lev"),
        ("a=x.pt,beam=1,beam=2", "beam is given twice"),
        ("a=x.pt,beam=1,iter_decode_with_beam=2", "sets beam a second time"),
    ],
)
def test_what_is_wrong_is_said(text, message):
    with pytest.raises(UserError, match=message) as error:
        parse_system(text)
    assert "\n" not in str(error.value)


def test_yaml_says_the_same(tmp_path):
    path = tmp_path / "systems.yaml"
    path.write_text("- {name: a, checkpoint: x.pt, beam: 4}\n- {name: b, checkpoint: 'y,z.pt', iter: 0}\n")
    assert read_systems(path) == [parse_system("a=x.pt,beam=4"), SystemSpec("b", Path("y,z.pt"), iter=0)]


@pytest.mark.parametrize(
    "text, message",
    [
        ("a: x.pt", "needed a list"),
        ("", "needed a list"),
        ("- {name: a}", "system 1: needed a mapping with name and checkpoint"),
        ("- {name: a, checkpoint: x.pt, beam: many}", "system 1: beam=many"),
        ("- [", "while parsing"),
    ],
)
def test_wrong_yaml(tmp_path, text, message):
    path = tmp_path / "systems.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=message) as error:
        read_systems(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("threads", "system", "message"),
    [
        (10_000, "a=x.pt", "--threads 10000: needed 1 to "),
        (0, "a=x.pt", "--threads 0: needed 1 to "),
        (1, "a=x.pt,threads=10000", "--system a: threads 10000: needed 1 to "),
    ],
)
def test_more_threads_than_cores_are_one_line(tmp_path, threads, system, message):
    command = (sys.executable, "-m", "vqnat", "latency", tmp_path, "--system", system, "--threads", threads)
    done = bitext.run(*command, check=False)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert message in done.stderr and f"to {usable_cores()}, the cores here" in done.stderr


def test_names():
    specs = [parse_system("a=x.pt"), parse_system("b=x.pt,beam=1")]
    assert check_names(specs, None) == "a" and check_names(specs, "b") == "b"
    with pytest.raises(UserError, match=r"--baseline c: no such system .there are a, b"):
        check_names(specs, "c")
    with pytest.raises(UserError, match="--system a: the name is given 2 times"):
        check_names([*specs, specs[0]], None)
    with pytest.raises(UserError, match="no system"):
        check_names([], None)

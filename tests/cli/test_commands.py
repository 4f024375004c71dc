"""``vqnat``: finding a command, help, mistakes; every command in one style."""

import re
import tomllib

import pytest
import yaml
from bitext import REPO
from running import VQNAT, run, vqnat

import vqnat as package
from vqnat import cli

HEAVY = ("torch", "fairseq", "onnxruntime", "numpy", "sentencepiece", "yaml", "matplotlib", "rich", "fastapi")


def loaded(importtime):
    """The packages that a process of ``python -X importtime`` loaded."""
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in importtime.splitlines() if "|" in line}


def test_help_names_every_command_and_loads_the_standard_library_only():
    done = run(VQNAT[0], "-X", "importtime", *VQNAT[1:], "--help")
    assert done.returncode == 0
    for name, command in cli.COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(command.help)}$", done.stdout, re.MULTILINE)
    assert not loaded(done.stderr) & set(HEAVY)
    assert vqnat().stdout == done.stdout  # nothing at all is a question too


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_help_that_loads_nothing_heavy(name):
    done = run(VQNAT[0], "-X", "importtime", *VQNAT[1:], name, "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"usage: vqnat {name} ")
    assert "--quiet" in done.stdout
    assert not loaded(done.stderr) & set(HEAVY)


def test_version_is_that_of_the_package_its_metadata_and_its_citation():
    expected = f"vqnat {package.__version__}\n"
    assert [vqnat(*words).stdout for words in (["--version"], ["-V"], ["embedded", "--version"])] == 3 * [expected]
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "vqnat.__version__"}
    citation = yaml.safe_load((REPO / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == package.__version__
    assert citation["license"] == project["project"]["license"]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["trnslate"], r"vqnat: trnslate: no such command; did you mean translate\? valid: translate, serve, .*"),
        (["--verion"], r"vqnat: --verion: no such option; valid: .*"),
        (["average"], r"vqnat average: --inputs, --output: missing; see 'vqnat average --help'"),
        (["average", "--inputs", "a", "--output", "b", "--num-best-checkpoints", "0"], r"vqnat average: --num-best-.*"),
        (["distill", "a", "--path", "b", "--out", "c", "--beam", "two"], "vqnat distill: --beam two: not a .* number"),
        (
            ["distill", "a", "--path", "b", "--out", "c", "--beem", "2"],
            r"vqnat distill: --beem: no such option; .*beam\?",
        ),
        (["latency", "a", "--repeats", "0"], r"vqnat latency: --repeats 0: needed 1 or more"),
        (["latency", "a", "--device", "tpu"], r"vqnat latency: --device tpu: not valid; choose from: cpu, cuda"),
        (["latency", "a", "--json", "/dev/null/x"], r"vqnat latency: --json /dev/null/x: cannot be written"),
        (["diagnose", "a", "b", "--beam", "1"], r"vqnat diagnose: --beam 1 is not possible; valid: 2 or more"),
        (["embedded"], r"vqnat embedded: --out or --check: missing; see 'vqnat embedded --help'"),
        (["embedded", "--out", "a", "--seed"], r"vqnat embedded: --seed: its value is missing"),
        (["completion", "fish"], r"vqnat completion: SHELL fish: not valid; choose from: bash, zsh, tcsh"),
        (["translate", "--beam", "0"], r"vqnat translate: --beam 0: needed 1 or more"),
        (["translate", "--n-best", "2", "a"], r"vqnat translate: --beam 1 --n-best 2: needed 1 <= n-best <= beam"),
        (["translate", "--input", "none.en"], r"vqnat translate: --input none.en: no such file"),
        (["translate", "--input", "x", "a"], r"vqnat translate: --input x: not together with text as arguments"),
        (["translate", "--engine", "torch", "a"], r"vqnat translate: --engine torch: needs --model; .*"),
        (["translate", "--device", "cuda", "a"], r"vqnat translate: --device cuda: only with a checkpoint; .*"),
        (
            ["translate", "--precision", "bf16", "a"],
            r"vqnat translate: --precision bf16: not with onnx; .*: fp32, int8",
        ),
    ],
)
def test_a_mistake_is_one_line_and_status_2(words, line, capsys):
    assert cli.main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
    assert re.fullmatch(line, captured.err.rstrip("\n")), captured.err


def test_python_m_vqnat_is_the_same_program():
    done = vqnat("trnslate")
    assert done.returncode == 2 and done.stderr.startswith("vqnat: trnslate: no such command")
    assert "Traceback" not in done.stderr


PRINTS = """
import sys
from vqnat_serving.arguments import CommandParser
from vqnat_serving.console import run_program

sys.exit(run_program(CommandParser("vqnat test", ""), lambda options: [print(n) for n in range(100000)] and 0, []))
"""


def test_a_reader_that_has_enough_ends_a_command_quietly(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PRINTS)
    done = run("bash", "-c", f"{VQNAT[0]} {program} | head -1; exit ${{PIPESTATUS[0]}}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")


def test_completion_knows_the_commands_and_their_options(tmp_path):
    script = tmp_path / "vqnat.bash"
    script.write_text(vqnat("completion", "bash").stdout)
    # As bash would ask: COMP_WORDS is what is typed, COMPREPLY what may follow.
    ask = (
        f'source {script}; words=({{}}); COMP_WORDS=("${{{{words[@]}}}}"); COMP_CWORD=$((${{{{#words[@]}}}} - 1)); '
        '_shtab_vqnat; printf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    assert run("bash", "-c", ask.format("vqnat tran")).stdout.split() == ["translate"]
    assert "--beam" in run("bash", "-c", ask.format("vqnat distill --be")).stdout.split()
    for shell in ("zsh", "tcsh"):
        assert "distill" in vqnat("completion", shell).stdout


def test_the_folder_of_the_plug_in(tmp_path):
    printed = run(*VQNAT, "--user-dir", cwd=tmp_path).stdout
    assert printed == f"{REPO / 'vqnat'}\n"

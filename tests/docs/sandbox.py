"""A folder in which documented commands run as they are printed."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import blocks
import fork_server
from bitext import REPO
from fork_server import Server

PRELOADED = (*(f"fairseq_cli.{name}" for name in ("generate", "interactive", "train", "validate")), "vqnat.plugin")

# Programs that are real processes: what they import is part of what is documented of them.
LIGHT = ("translate", "serve", "embedded", "completion", "--version", "--help")

SHIM = """#!{python}
# Runs {name} with the options that tests/docs/toy.yaml appends.
import os, sys
sys.path[:0] = [{here!r}, {tests!r}]
words = [{name!r}, *sys.argv[1:]]
from blocks import toy_options
words += toy_options(words)
if {name!r} == "vqnat" and words[1:2] and words[1] in {light!r}:
    os.execv({python!r}, [{python!r}, "-m", "vqnat", *words[1:]])
os.execv({python!r}, [{python!r}, "-S", {server!r}, "--client", {socket!r}, *words])
"""

PYTHON = """#!/bin/sh
# Python of the documentation: -m MODULE in the fork server, all else as it is.
[ "$1" = -m ] && exec {python} -S {server} --client {socket} "$@"
exec {python} "$@"
"""

PIP = """#!{python}
# pip install: nothing is installed, but the extras must exist.
import re, sys, tomllib
wanted = {{extra for word in sys.argv for part in re.findall(r"\\[(.*?)\\]", word) for extra in part.split(",")}}
known = tomllib.load(open({project!r}, "rb"))["project"]["optional-dependencies"]
missing = sorted(wanted - known.keys())
sys.exit(f"pyproject.toml has no extra {{missing}}" if missing else 0)
"""


class Sandbox:
    """The folder, its programs, and the server behind them."""

    def __init__(self, folder: Path):
        self.folder = folder
        for name in ("vqnat", "vqnat_serving", "scripts", "data-prep", "examples"):
            (folder / name).symlink_to(REPO / name)
        self.environment = os.environ | {
            "PATH": f"{folder / 'programs'}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(folder),  # fairseq knows --user-dir vqnat by the path that vqnat was imported from
            "OMP_NUM_THREADS": "1",
            "NO_COLOR": "1",
        }
        self.server = Server(PRELOADED, cwd=folder, env=self.environment)
        (folder / "programs").mkdir()
        common = {"python": sys.executable, "server": fork_server.__file__, "socket": str(self.server.socket)}
        folders = {"here": str(Path(__file__).parent), "tests": str(Path(__file__).parents[1]), "light": LIGHT}
        for name in ("vqnat", "fairseq-train", "fairseq-generate", "fairseq-validate", "fairseq-interactive"):
            self._program(name, SHIM.format(name=name, **common, **folders))
        self._program("python", PYTHON.format(**common))
        self._program("pip", PIP.format(python=sys.executable, project=str(REPO / "pyproject.toml")))

    def _program(self, name: str, text: str) -> None:
        path = self.folder / "programs" / name
        path.write_text(text, encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def run(self, block: blocks.Block) -> str:
        """Run a block; returns what it wrote. AssertionError with all of it if a command fails."""
        self.server.wait()
        if block.language == "python":
            words = [sys.executable, "-S", fork_server.__file__, "--client", str(self.server.socket), "-c"]
            given = block.text
        else:
            words, given = ["bash", "-euo", "pipefail", "-c", block.text], None
        done = subprocess.run(
            words,
            cwd=self.folder,
            env=self.environment,
            input=given,
            stdin=None if given is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
        output = done.stdout + done.stderr
        assert done.returncode == 0, f"{block}: exit status {done.returncode}\n{block.text}\n{output[-4000:]}"
        return output

    def close(self) -> None:
        """End the server."""
        self.server.close()

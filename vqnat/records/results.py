"""Result files: a measurement as JSON, and where it comes from."""

import importlib.metadata
import json
import os
import platform
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import vqnat
from vqnat.records.atomic import replacing
from vqnat.records.checksums import sha256
from vqnat.records.tables import machine_name

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = re.compile(r"(^|[=,:])/(?:[^/,=:]+/)+([^/,=:]+)")  # an absolute path, of which the last part is kept
COMMAND = "VQNAT_COMMAND"  # in the environment of a workflow's jobs
PACKAGES = ("torch", "numpy", "fairseq-fixed", "sacrebleu", "sentencepiece", "onnxruntime", "ctranslate2")


def provenance(seed: int | None, inputs: Mapping[str, Path], command: str | None = None) -> dict[str, Any]:
    """Everything needed to repeat a measurement, to be merged into its JSON.

    Args:
        seed: random seed of the program, None if it draws nothing.
        inputs: name -> file that was read (data, checkpoints); only its checksum is recorded.
        command: None for this program's.

    Returns:
        ``command``; ``commit`` of the checkout, with "+changes" if tracked files differ from it, None outside
        git; ``seed``; ``data`` name -> SHA-256; ``machine``; ``versions``; ``date`` in UTC.

    Raises:
        OSError: an input cannot be read.
    """
    return {
        "command": command or command_line(sys.argv),
        "commit": commit(),
        "seed": seed,
        "data": {name: sha256(path) for name, path in inputs.items()},
        "machine": machine(),
        "versions": versions(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def origin() -> dict[str, Any]:
    """Where one row of a result file comes from that is measured in several runs: ``machine``, ``commit``, ``date``."""
    return {
        "machine": machine_name(machine()),
        "commit": commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def write_json(path: Path, obj: Any) -> None:
    """Write ``obj`` atomically; folders are created as needed.

    Raises:
        OSError: no space or no permission.
        ValueError: a figure is infinite or not a number.
    """
    text = json.dumps(obj, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    # Lists of numbers on one line: nobody reads one figure for each of 1,000 sentences. A JSON string holds no line
    # break, so no text is touched.
    text = re.sub(r'\[\n\s+([^\[\]{}"]*?)\n\s*\]', lambda m: f"[{' '.join(m[1].split())}]", text)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def command_line(arguments: Sequence[str]) -> str:
    """One shell-quoted line; paths in the checkout are relative to its root, those in the home folder to ``~``."""
    program, *rest = map(shown, arguments)
    ours = Path(arguments[0]).name == "vqnat" or Path(arguments[0]).parts[-2:] == ("vqnat", "__main__.py")
    return shlex.join(["vqnat" if ours else program, *rest])


def workflow_command() -> str | None:
    """What the user typed to start the workflow that this program is a job of; None outside of one."""
    typed = os.environ.get(COMMAND)
    return " ".join(map(shown, typed.split(" "))) if typed else None


def shown(text: str | Path) -> str:
    """A path, or an argument that contains paths, without this machine's folders as far as possible."""
    # An argument may hold a path anywhere (NAME=PATH,beam=4), hence text and not pathlib.
    text = str(text).replace(f"{ROOT}{os.sep}", "").replace(f"{Path.home()}{os.sep}", f"~{os.sep}")
    return OUTSIDE.sub(r"\1.../\2", text)


def commit(root: Path = ROOT) -> str | None:
    """HEAD of the checkout at ``root``; None if ``root`` is not the top of one, or without git."""
    try:
        top, head = _git(root, "rev-parse", "--show-toplevel", "HEAD").splitlines()
        # A package installed into another project's environment lies in that project's checkout.
        if Path(top).resolve() != root.resolve():
            return None
        changes = _git(root, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return None
    return head + ("+changes" if changes.strip() else "")


def _git(root: Path, *words: str) -> str:
    # Without optional locks, `git status` never blocks a commit that is made at the same time.
    command = ["git", "--no-optional-locks", "-C", str(root), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def machine() -> dict[str, Any]:
    """Processor, logical cores available to this process, memory in GiB, torch threads, accelerator."""
    import torch  # here, as programs that only write JSON must not wait for it

    try:
        memory = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, OSError, ValueError):  # not POSIX
        memory = None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cpu": _cpu_model(),
        "logical_cores": cores,
        "memory_gib": memory,
        "torch_threads": torch.get_num_threads(),
        "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:  # not Linux
        pass
    return platform.processor() or platform.machine()


def versions() -> dict[str, str | None]:
    """Versions of Python and of the packages that affect a result; None for those not installed."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    return found | {"vqnat": vqnat.__version__}

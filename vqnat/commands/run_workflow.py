"""``scripts/run_workflow.py``: Snakemake on a configuration that was checked, in a folder that is only ours."""

import argparse
import contextlib
import fcntl
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TextIO

from vqnat.errors import UserError
from vqnat.experiments.config import load
from vqnat.experiments.layout import Layout, refuse_old, text_files
from vqnat.records.results import COMMAND
from vqnat.records.yaml_files import read_yaml
from vqnat_serving.arguments import CommandParser
from vqnat_serving.console import FAILED, INTERRUPTED, run_program

WORKFLOW = Path(__file__).resolve().parents[2] / "workflow"
PROFILES = sorted(path.name for path in (WORKFLOW / "profiles").glob("*"))
PATIENCE = 20.0  # seconds that Snakemake has to end its jobs
IMAGES_ONLY, TEXT_ONLY = ("budget", "rows", "device"), ("full", "only", "reverse", "seeds")


def parser() -> CommandParser:
    """All options."""
    description = "Makes every file of an experiment that is not made yet, by Snakemake."
    p = CommandParser("run_workflow", description, extra="workflow")
    p.add_argument("--config", type=Path, required=True, metavar="FILE.yaml", help="what to run")
    p.add_argument("--run", type=Path, required=True, metavar="DIR", help="folder for everything it writes")
    p.add_argument("--from", dest="source", type=Path, metavar="DIR", help="folder with the raw data")
    p.add_argument("--seed", type=int, metavar="N", help="seed of all trainings, instead of the configuration's")
    p.add_argument("--seeds", metavar="N,...", help="train the students with each of these seeds")
    p.add_argument("--full", action="store_true", help="include the systems marked full_only")
    p.add_argument("--only", metavar="NAME,...", help="only these systems, and the baselines of the speed-ups")
    p.add_argument("--reverse", action="store_true", help="swap source and target")
    p.add_argument("--rows", metavar="NAME,...", help="image tables: only these rows")
    p.add_argument("--budget", type=float, metavar="MINUTES", help="image tables: training time of a table's first row")
    p.add_argument("--device", choices=("cpu", "cuda"), help="instead of the configuration's")
    p.add_argument(
        "--cores", type=int, metavar="N", help="cores to use on this machine, instead of the configuration's"
    )
    p.add_argument("--profile", default="local", metavar="NAME", help=f"{', '.join(PROFILES)}, or a folder")
    p.add_argument("-n", "--dry-run", action="store_true", help="say what would run, why, and by which commands")
    p.add_argument("rest", nargs="*", metavar="-- OPTION", help="anything else is Snakemake's")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Run. Returns 0: all done, 1: a job failed, 2: a user's mistake, 130: stopped."""
    return run_program(parser(), _run, argv)


def _run(options: argparse.Namespace) -> int:
    if find_spec("snakemake") is None:
        raise UserError("snakemake is not installed: pip install 'vqnat[workflow]'")
    overrides = _overrides(options)
    images = "tables" in (_content(options.config) or {})
    config = _check(options, overrides, images)
    cores = options.cores or config.cores
    if options.cores is not None and not 1 <= options.cores <= (os.cpu_count() or 1):
        raise UserError(f"--cores {options.cores}: must be 1 to {os.cpu_count()}, the cores of this machine")
    run = options.run.resolve()
    refuse_old(run)
    start = time.monotonic()
    os.environ.setdefault(COMMAND, shlex.join(sys.orig_argv))
    with only_one(run) as lock:
        status = run_snakemake(_command(options, overrides, min(cores, os.cpu_count() or 1), run), lock)
    again = os.environ[COMMAND]
    if status == INTERRUPTED:
        print(f"\nstopped; to continue where it was: {again}", file=sys.stderr)
    elif status:
        print(f"\nWhat is finished is kept; to go on from here: {again}", file=sys.stderr)
    elif not options.dry_run and not options.rest:
        _show(run, images, [] if images else Layout(config).places, time.monotonic() - start)
    return status if status in (0, INTERRUPTED) else FAILED


def _content(path: Path) -> Any:
    try:
        return read_yaml(path)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _overrides(options: argparse.Namespace) -> dict[str, Any]:
    """The keys of the configuration that the command line sets."""
    given: dict[str, Any] = {name: getattr(options, name) for name in ("seed", "budget", "device")}
    given |= {name: getattr(options, name) or None for name in ("full", "reverse")}
    for name in ("only", "rows"):
        given[name] = [word for word in (getattr(options, name) or "").split(",") if word] or None
    try:
        given["seeds"] = [int(word) for word in options.seeds.split(",")] if options.seeds else None
    except ValueError:
        raise UserError(f"--seeds {options.seeds}: must be whole numbers, separated by commas") from None
    if options.source is not None:
        if not options.source.is_dir():
            raise UserError(f"--from {options.source}: no such folder")
        given["from"] = str(options.source.resolve())
    return {key: value for key, value in given.items() if value is not None}


def _check(options: argparse.Namespace, overrides: dict[str, Any], images: bool) -> Any:
    """The checked configuration; a mistake in what the command line sets names its option."""
    for name in TEXT_ONLY if images else IMAGES_ONLY[:2]:
        if name in overrides:
            kind = "image tables have" if images else "only image tables have"
            raise UserError(f"--{name}: {options.config}: {kind} {'no ' if images else ''}such option")
    try:
        if images:
            from vqnat.image.tables.table_config import load as load_tables

            return load_tables(options.config, overrides)
        config = load(options.config, overrides)
        if config.data.kind == "folder":
            text_files(config)
        return config
    except UserError as error:
        message = str(error).removeprefix(f"{options.config}: ")
        if message.partition(":")[0].partition("[")[0] in overrides:
            raise UserError(f"--{message}") from None
        raise


def _command(options: argparse.Namespace, overrides: dict[str, Any], cores: int, run: Path) -> list[str]:
    profile = WORKFLOW / "profiles" / options.profile
    if not (profile / "config.yaml").is_file():
        profile = Path(options.profile)
        if not (profile / "config.yaml").is_file():
            raise UserError(
                f"--profile {options.profile}: must be one of {', '.join(PROFILES)}, or a folder of your own"
            )
    settings = [f"{key}={json.dumps(value)}" for key, value in overrides.items()]
    return [
        *(sys.executable, "-m", "snakemake", "--snakefile", str(WORKFLOW / "Snakefile")),
        *("--profile", str(profile.resolve()), "--directory", str(run)),
        *(() if "executor" in read_yaml(profile / "config.yaml") else ("--cores", str(cores))),  # elsewhere: --jobs
        *("--configfile", str(options.config.resolve()), *(["--config", *settings] if settings else [])),
        *("--logger", "vqnat", "--nolock"),  # only_one locks, and its lock ends with the process
        *(["--dry-run", "--printshellcmds"] if options.dry_run else []),
        *options.rest,
    ]


@contextlib.contextmanager
def only_one(run: Path) -> Iterator[TextIO]:
    """Lock a run's folder, as two workflows would overwrite each other's files; the lock ends with the processes.

    Raises:
        UserError: another one runs there.
    """
    run.mkdir(parents=True, exist_ok=True)
    with (run / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(f"--run {run}: another workflow is running there") from None
        yield lock


def run_snakemake(command: list[str], lock: TextIO) -> int:
    """Run it to its end; Ctrl-C and SIGTERM end its jobs, and kill -9 of this process ends it."""
    leash = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
    paths = [str(WORKFLOW / "plugins"), str(WORKFLOW.parent), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "SNAKEMAKE_PROFILE": ""}
    stops: list[int] = []
    old = {number: signal.signal(number, lambda *_: stops.append(1)) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        # A group of its own, so that a stop reaches it once and its jobs as well.
        process = subprocess.Popen(
            [*leash, *command],
            env=environment,
            pass_fds=[lock.fileno()],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
        )
        while True:
            try:
                status = process.wait(timeout=0.2)
                break
            except subprocess.TimeoutExpired:
                if stops:
                    _end(process)
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
    return INTERRUPTED if stops else status


def _end(process: subprocess.Popen) -> None:
    """Stop Snakemake and its jobs as Ctrl-C on a terminal would; what does not end by itself is killed."""
    for number, patience in ((signal.SIGINT, PATIENCE), (signal.SIGKILL, None)):
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, number)
            process.wait(timeout=patience)
            return


def _show(run: Path, images: bool, places: list[str], seconds: float) -> None:
    """Print the end of a run: samples, the table, where the files are."""
    if images:
        from vqnat.image.tables.image_markdown import markdown_image_tables

        print(markdown_image_tables(json.loads((run / "results.json").read_text(encoding="utf-8"))))
        print(f"\nresults  {_short(run / 'results.json')}")
        return
    from vqnat.reporting import systems

    results = json.loads((run / f"{places[0]}results.json").read_text(encoding="utf-8"))
    width = min(shutil.get_terminal_size().columns, 140)
    if len(places) > 1:
        print(f"\n{(run / 'seeds.md').read_text(encoding='utf-8')}")
    else:
        print(f"\n{systems.text_samples(results, width)}\n\n{systems.text_table(results)}\n\n{systems.origin(results)}")
    for at in places:
        print(f"\nresults  {_short(run / f'{at}results.json')}\nreport   {_short(run / f'{at}report.html')}")
    minutes, rest = divmod(round(seconds), 60)
    print(f"time     {minutes} min {rest:02d} s")


def _short(path: Path) -> str:
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    sys.exit(main())

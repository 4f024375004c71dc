"""Requests per second and latency of the HTTP server, the benchmark behind ``scripts/benchmark_server.py``.

The server is a process of its own on the loopback. Clients are threads of this process, each with one connection that
it keeps; each sends its next sentence when the last one is answered. Beside it, in this process, the same model with as
many threads: sentence by sentence, and in batches of as many sentences as there are clients, which is what dynamic
batching can reach at best. Within a round everything is measured once, in random order.
"""

import argparse
import http.client
import importlib.metadata
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from vqnat.embedded.corpus import generate
from vqnat.errors import UserError
from vqnat.records.results import ROOT, provenance, shown, write_json
from vqnat.records.tables import text_table
from vqnat_serving import OnnxTranslator

DESCRIPTION = """Requests per second, p50 and p95 of vqnat serve on the loopback, beside the same model in process.

scripts/benchmark_server.py --model DIR --json FILE
"""
PACKAGES = ("fastapi", "uvicorn", "httptools", "starlette", "pydantic")
HEADERS = {"Content-Type": "application/json"}


def parser() -> argparse.ArgumentParser:
    """All options."""
    p = argparse.ArgumentParser(description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--model", type=Path, required=True, metavar="DIR", help="model folder or export")
    p.add_argument("--precision", help="default: the first that the model has")
    p.add_argument("--text", type=Path, metavar="FILE", help="sentences, one a line (default: of the embedded corpus)")
    p.add_argument("--sentences", type=int, default=200, metavar="N", help="different ones (default: 200)")
    p.add_argument("--clients", nargs="+", type=int, default=[1, 8, 32], metavar="N", help="default: 1 8 32")
    p.add_argument("--beam", type=int, default=1, help="candidates per sentence (default: 1)")
    p.add_argument("--threads", type=int, default=1, help="of onnxruntime (default: 1)")
    p.add_argument("--workers", type=int, default=1, help="of the server (default: 1)")
    p.add_argument("--rounds", type=int, default=5, help="measurements of each, interleaved (default: 5)")
    p.add_argument("--requests", type=int, default=400, help="the most of one measurement (default: 400)")
    p.add_argument("--seconds", type=float, default=5, help="the longest measurement (default: 5)")
    p.add_argument("--seed", type=int, default=1, help="of the orders (default: 1)")
    p.add_argument("--json", type=Path, metavar="FILE", help="write all figures to this file")
    return p


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, write. Raises UserError."""
    options = parser().parse_args(arguments)
    for name in ("sentences", "beam", "workers", "rounds", "requests"):
        if getattr(options, name) < 1:
            raise UserError(f"--{name} {getattr(options, name)}: needed 1 or more")
    if min(options.clients) < 1:
        raise UserError(f"--clients {min(options.clients)}: needed 1 or more")
    sentences = read_sentences(options.text, options.sentences, options.seed)
    precision = options.precision or OnnxTranslator(options.model).description.precisions[0]
    translator = OnnxTranslator(options.model, precision=precision, threads=options.threads)
    with served(options, precision) as port:
        found = measure(options, translator, port, sentences)
    systems = [record(system, clients, rounds) for (system, clients), rounds in found.items()]
    print(table(systems))
    if options.json:
        settings = ("beam", "threads", "workers", "rounds", "requests", "seconds")
        result = {
            "model": shown(options.model),
            "precision": precision,
            "sentences": len(sentences),
            **{name: getattr(options, name) for name in settings},
            "load_average": os.getloadavg()[0],
            "systems": systems,
        }
        inputs = {} if options.text is None else {options.text.name: options.text}
        inputs |= {str(path.relative_to(options.model)): path for path in sorted(options.model.rglob("*.onnx"))}
        result |= provenance(options.seed, inputs)
        result["versions"] |= {name: importlib.metadata.version(name) for name in PACKAGES}
        write_json(options.json, result)


def read_sentences(path: Path | None, count: int, seed: int) -> list[str]:
    """The first ``count`` that are not empty of a file, or so many of the embedded corpus. Raises UserError."""
    if path is None:
        return [source for source, _ in generate(seed, 0, 0, count)["test"]]
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--text {path}: cannot be read ({type(error).__name__})") from error
    if not lines:
        raise UserError(f"--text {path}: has no sentence")
    return lines[:count]


@contextmanager
def served(options: argparse.Namespace, precision: str) -> Iterator[int]:
    """A server with the model; yields its port."""
    words = ("--model", options.model, "--precision", precision, "--threads", options.threads)
    command = [sys.executable, "-m", "vqnat", "serve", "--port", "0", "--workers", str(options.workers)]
    command += map(str, words)
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    try:
        said = []
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            if address := re.search(r"http://\S+:(\d+)/", line):
                yield int(address[1])
                break
        else:
            raise UserError(f"the server did not start: {' '.join(said).strip()}")
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()


Measured = tuple[float, list[float]]  # seconds in all, and ms of each request (or batch)


def measure(
    options: argparse.Namespace, translator: OnnxTranslator, port: int, sentences: list[str]
) -> dict[tuple[str, int], list[tuple[int, Measured]]]:
    """(system, clients) -> for each round how many sentences were translated, and their times."""
    order = random.Random(options.seed)

    def draw() -> list[str]:
        return order.choices(sentences, k=options.requests)

    def server(clients: int) -> tuple[int, Measured]:
        measured = ask(port, draw(), clients, options.beam, options.seconds)
        return len(measured[1]), measured

    def in_process(size: int) -> tuple[int, Measured]:
        lines = draw()
        batches = [lines[begin : begin + size] for begin in range(0, len(lines), size)]
        measured = timed(batches, lambda batch: translator.translate(batch, beam=options.beam), options.seconds)
        return sum(map(len, batches[: len(measured[1])])), measured

    tasks = {("server", clients): server for clients in options.clients}
    tasks |= {("in process", size): in_process for size in options.clients}
    for (_, size), run in tasks.items():  # warm-up
        ask(port, sentences[: 2 * size], size, options.beam, options.seconds)
        translator.translate(sentences[:size], beam=options.beam)
        del run
    found: dict[tuple[str, int], list[tuple[int, Measured]]] = {task: [] for task in tasks}
    for number in range(options.rounds):
        print(f"benchmark_server: round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
        for task in order.sample(list(tasks), len(tasks)):
            found[task].append(tasks[task](task[1]))
    return found


def ask(port: int, sentences: Sequence[str], clients: int, beam: int, seconds: float) -> Measured:
    """Send all sentences, or as many as fit in the time, from so many clients at once.

    Raises:
        UserError: an answer is an error.
    """
    left, ms, wrong = iter(sentences), [], []
    lock = threading.Lock()
    ready = threading.Barrier(clients + 1)

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.connect()
        ready.wait()
        while not wrong:
            with lock:
                sentence = next(left, None)
            if sentence is None or time.perf_counter() > until:
                break
            begun = time.perf_counter()
            body = json.dumps({"text": sentence, "beam": beam})
            connection.request("POST", "/translate", body, HEADERS)
            answer = connection.getresponse()
            content = answer.read()
            ms.append((time.perf_counter() - begun) * 1000)
            if answer.status != 200:
                wrong.append(content.decode())
        connection.close()

    until = time.perf_counter() + seconds + 1
    threads = [threading.Thread(target=client) for _ in range(clients)]
    for one in threads:
        one.start()
    ready.wait()
    begun = time.perf_counter()
    until = begun + seconds
    for one in threads:
        one.join()
    if wrong:
        raise UserError(f"the server answered: {wrong[0]}")
    return time.perf_counter() - begun, ms


def timed(batches: Sequence[list[str]], translate: Callable[[list[str]], object], seconds: float) -> Measured:
    """Translate batch after batch, as many as fit in the time."""
    ms: list[float] = []
    begun = time.perf_counter()
    for batch in batches:
        start = time.perf_counter()
        if start > begun + seconds:
            break
        translate(batch)
        ms.append((time.perf_counter() - start) * 1000)
    return time.perf_counter() - begun, ms


def record(system: str, clients: int, rounds: Sequence[tuple[int, Measured]]) -> dict[str, Any]:
    """One system's figures: sentences per second over rounds, p50 and p95 over all requests.

    In process ``clients`` is the size of a batch, and a request is a batch.
    """
    rates = [count / seconds for count, (seconds, _) in rounds]
    ms = np.array([value for _, (_, times) in rounds for value in times])
    return {
        "system": system,
        "clients": clients,
        "requests": len(ms),
        "sentences_per_second": {"median": median(rates), "min": min(rates), "max": max(rates)},
        "p50_ms": float(np.percentile(ms, 50)),
        "p95_ms": float(np.percentile(ms, 95)),
    }


def table(systems: Sequence[dict[str, Any]]) -> str:
    """All figures as text for the terminal."""
    rows = []
    for one in systems:
        rate = one["sentences_per_second"]
        many = f"{one['clients']} client{'s' if one['clients'] > 1 else ''}"
        name = many if one["system"] == "server" else f"batches of {one['clients']}"
        spread = f"{rate['median']:.0f} ({rate['min']:.0f}–{rate['max']:.0f})"
        rows.append((f"{one['system']}, {name}", spread, f"{one['p50_ms']:.1f}", f"{one['p95_ms']:.1f}"))
    return text_table(("system", "sentences per second", "p50, ms", "p95, ms"), rows)

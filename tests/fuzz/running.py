"""One reader with atheris in this process: ``python -m fuzz.running NAME --inputs N --seed S --state FOLDER``.

The inputs are counted in a file that survives a crash, and the last input is beside it. Bugs are told apart by the kind
of exception and the place where it was raised. The parent, :mod:`fuzz.command`, goes on after a crash.
"""

import argparse
import ctypes
import json
import mmap
import os
import resource
import sys
import traceback
from pathlib import Path
from time import perf_counter

MOST_MEMORY = 6 << 30  # bytes of address space; a reader that wants more has a MemoryError
SLOW = 5.0  # seconds of one input


def main() -> None:
    """Run, and write ``FOLDER/bugs.json`` as bugs are found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--inputs", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True)
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))

    import atheris

    with atheris.instrument_imports(include=["vqnat", "vqnat_serving"], enable_loader_override=False):
        from fuzz import READERS

        reader = READERS[options.name]
        read = reader.make(options.state)
    from hypothesis import HealthCheck, given, settings

    from vqnat_serving.errors import UserError

    bugs: dict[str, dict] = {}
    with open(options.state / "inputs", "r+b") as file:
        counted = mmap.mmap(file.fileno(), 16)
    number, refused = (ctypes.c_uint64.from_buffer(counted, place) for place in (0, 8))

    def one(value: object) -> None:
        number.value += 1
        begun = perf_counter()
        try:
            read(value)
        except UserError:
            refused.value += 1
        except Exception as error:
            note(error, value)
        if (seconds := perf_counter() - begun) > SLOW:
            note(TimeoutError(f"{seconds:.0f} s"), value)

    def note(error: Exception, value: object) -> None:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/vqnat" in frame.filename]
        place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "reader"
        name = f"{type(error).__name__} in {place}"
        if name not in bugs:
            bugs[name] = {"error": str(error)[:300], "input": repr(value)[:600]}
            (options.state / "bugs.json").write_text(json.dumps(bugs, indent=1))

    if reader.strategy is not None:

        @settings(database=None, deadline=None, suppress_health_check=list(HealthCheck))
        @given(reader.strategy())
        def structured(value: object) -> None:
            one(value)

        call = structured.hypothesis.fuzz_one_input
    else:
        call = one

    def test(data: bytes) -> None:
        if number.value >= options.inputs:
            os._exit(0)  # libFuzzer has no other end that keeps its report to itself
        call(data)

    corpus = options.state / "corpus"
    corpus.mkdir(exist_ok=True)
    for place, seed in enumerate(reader.seeds()):
        (corpus / f"seed-{place}").write_bytes(seed)
    longest = reader.longest if reader.strategy is None else 2048
    words = [f"-seed={options.seed}", f"-max_len={longest}", "-rss_limit_mb=0", "-timeout=60", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *words, f"-artifact_prefix={options.state}/", str(corpus)], test)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

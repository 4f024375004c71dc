#!/usr/bin/env python3
"""newstest2013 and 2014, English to German: real sentence lengths for latency; too little text to train on.

    data-prep/prepare-newstest.py --from DIR [--out DIR]    DIR holds newstest{2013,2014}.{en,de}.gz
    data-prep/prepare-newstest.py                           sacrebleu downloads the official sets

All 3,003 sentences of newstest2014 become the split ``test``. For lack of training data the joint vocabulary (32,000
subwords, the usual size for WMT) is learned on newstest2013, so unseen words fall into shorter subwords than usual.
binarize.py does the rest.
"""

import argparse
import gzip
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

import checkout  # noqa: F401  (the checkout's packages and .venv)

from vqnat.records.atomic import write_text

LINES = {"newstest2013": 3000, "newstest2014": 3003}
SPLITS = {"train": "newstest2013", "valid": "newstest2013", "test": "newstest2014"}
SACREBLEU = {"newstest2013": "wmt13", "newstest2014": "wmt14/full"}


def fail(message: str) -> None:
    sys.exit(f"prepare-newstest: {message}")


def read(name: str, language: str, folder: Path | None) -> list[str]:
    """The sentences of one side."""
    if folder is None:
        from sacrebleu.utils import get_reference_files, get_source_file

        try:
            path = Path(
                get_source_file(SACREBLEU[name], "en-de")
                if language == "en"
                else get_reference_files(SACREBLEU[name], "en-de")[0]
            )
        except (OSError, RuntimeError) as error:
            fail(f"could not download {name} ({type(error).__name__}); give a copy with --from DIR")
        content = path.read_bytes()
    else:
        path = folder / f"{name}.{language}.gz"
        if not path.is_file():
            fail(f"--from {folder}: no file {path.name}")
        try:
            content = gzip.decompress(path.read_bytes())
        except (OSError, EOFError):
            fail(f"{path} is damaged")
    lines = content.decode("utf-8").removesuffix("\n").split("\n")
    if len(lines) != LINES[name]:
        fail(f"{path} has {len(lines)} lines, {name} has {LINES[name]}")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="folder", type=Path, metavar="DIR", help="read this copy instead of downloading")
    parser.add_argument("--out", type=Path, default=Path("data/newstest"), help="default: data/newstest")
    parser.add_argument(
        "--vocabulary", type=int, default=32000, help="subwords in the joint vocabulary (default: 32000)"
    )
    args = parser.parse_args()
    raw = args.out / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for split, name in SPLITS.items():
        for language in ("en", "de"):
            text = "".join(line + "\n" for line in read(name, language, args.folder))
            write_text(raw / f"{split}.{language}", text)
    binarize = Path(__file__).with_name("binarize.py")
    words = ("--raw", raw, "--out", args.out, "--vocabulary", args.vocabulary, "--workers", 1)
    sys.exit(subprocess.run([sys.executable, binarize, *map(str, words)]).returncode)


if __name__ == "__main__":
    main()

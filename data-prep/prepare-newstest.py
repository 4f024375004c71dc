#!/usr/bin/env python3
"""newstest2013 and 2014, English to German: real sentence lengths for latency, not enough text to train on.

    data-prep/prepare-newstest.py --from DIR [--out DIR]    DIR holds newstest{2013,2014}.{en,de}.gz
    data-prep/prepare-newstest.py                           sacrebleu downloads the official sets

newstest2014, all 3,003 sentences, becomes the split ``test``. The joint vocabulary of 32,000 pieces, the usual size
for WMT, is that of newstest2013, for want of the training data: pieces for unseen words are shorter than they would
be with it. binarise.py does the rest.
"""

import argparse
import gzip
import subprocess
import sys
from pathlib import Path

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
    parser.add_argument("--from", dest="folder", type=Path, metavar="DIR", help="read this copy, download nothing")
    parser.add_argument("--out", type=Path, default=Path("data/newstest"), help="default: data/newstest")
    parser.add_argument("--vocabulary", type=int, default=32000, help="pieces (default: 32000)")
    args = parser.parse_args()
    raw = args.out / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for split, name in SPLITS.items():
        for language in ("en", "de"):
            text = "".join(line + "\n" for line in read(name, language, args.folder))
            (raw / f"{split}.{language}").write_text(text, encoding="utf-8")
    binarise = Path(__file__).with_name("binarise.py")
    words = ("--raw", raw, "--out", args.out, "--vocabulary", args.vocabulary, "--workers", 1)
    sys.exit(subprocess.run([sys.executable, binarise, *map(str, words)]).returncode)


if __name__ == "__main__":
    main()

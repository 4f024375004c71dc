"""``python -m vqnat.commands.image_train``: fairseq-train with a length that another program has settled."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from vqnat.errors import UserError

USAGE = "usage: image_train LENGTH OPTION...   LENGTH: a number, or a file of image_length; fills in {updates}"


def main(argv: Sequence[str] | None = None) -> int:
    """Train. Returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help"):
        print(USAGE)
        return 0
    try:
        updates = int(words[0]) if words[0].isdecimal() else json.loads(Path(words[0]).read_text())["updates"]
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"LENGTH {words[0]}: {error}") from None
    from fairseq_cli.train import cli_main

    from vqnat.image.tables.budget import fill_updates

    sys.argv = ["fairseq-train", *fill_updates(words[1:], updates)]
    cli_main()
    return 0


if __name__ == "__main__":
    sys.exit(main())

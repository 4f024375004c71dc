"""``torchrun -m vqnat.commands.train_rank``: fairseq-train as one of several processes on CPUs.

fairseq takes its rank from torchrun only where there are GPUs.
"""

import os
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Train. Returns the exit status."""
    from fairseq_cli.train import cli_main

    ranks = ["--distributed-rank", os.environ["RANK"], "--distributed-world-size", os.environ["WORLD_SIZE"]]
    how = ["--distributed-init-method", "env://", "--distributed-no-spawn", "--distributed-backend", "gloo"]
    sys.argv = ["fairseq-train", *(sys.argv[1:] if argv is None else argv), *ranks, *how, "--ddp-backend", "legacy_ddp"]
    cli_main()
    return 0


if __name__ == "__main__":
    sys.exit(main())

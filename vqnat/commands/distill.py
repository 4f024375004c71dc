"""``scripts/distill.py``: sequence-level knowledge distillation of a binarized bitext."""

import logging
import sys


def main(argv: list[str] | None = None) -> int:
    """Distill. Returns 0, 2 after a user's mistake, 130 when interrupted."""
    logging.getLogger("fairseq").setLevel(logging.WARNING)  # before it is imported, as importing it logs too
    from vqnat.distillation.distill_options import parse_options
    from vqnat.distillation.distilling import distill
    from vqnat.distillation.progress import say
    from vqnat.errors import UserError

    try:
        distill(parse_options(argv))
    except UserError as error:
        say(str(error))
        return 2
    except KeyboardInterrupt:
        say("interrupted; run the same command again to continue")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

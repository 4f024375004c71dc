"""Run a command and kill it, with all its children, when the pipeline dies.

    python die_with_parent.py COMMAND...

Standard input is a pipe from the pipeline: when the pipeline ends, even by ``kill -9``, the pipe closes. Otherwise a
training would continue alone, and the next run would start a second one in the same folder. Needs only the standard
library, as one runs beside every child.
"""

import os
import signal
import subprocess
import sys
import threading
import time

PATIENCE = 5.0  # seconds from asking to killing


def watch() -> None:
    """Wait for the end of standard input, then end the whole process group, this process too."""
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGTERM)
    time.sleep(PATIENCE)
    os.killpg(0, signal.SIGKILL)


def main() -> int:
    """Run the command of the command line; returns its status, 128 + N when signal N ended it."""
    # A handler, unlike SIG_IGN, is not inherited by the command.
    signal.signal(signal.SIGTERM, lambda *_: None)
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
    threading.Thread(target=watch, daemon=True).start()
    status = child.wait()
    if status != 0:
        os.killpg(0, signal.SIGTERM)  # what a crashed command leaves behind
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # the watching thread holds standard input: a normal exit would wait for it

"""For the programs in scripts/ and data-prep/, which import it first: the checkout's packages, and its .venv.

A Python without our packages, such as the system's, starts the program again with the checkout's ``.venv``. Written so
that old Pythons can read it too.
"""

import os
import sys
from importlib.util import find_spec

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PYTHON = os.path.join(ROOT, ".venv", "bin", "python")
NEEDED = ("torch", "fairseq", "sentencepiece")
STARTED = "VQNAT_STARTED_IN_VENV"  # keeps a broken .venv from starting itself for ever


def _find_packages():
    sys.path.insert(0, ROOT)
    started = os.environ.pop(STARTED, None)
    missing = [name for name in NEEDED if find_spec(name) is None]
    if not missing and sys.version_info >= (3, 11):
        return
    if started is None and os.access(PYTHON, os.X_OK):
        os.environ[STARTED] = "1"
        os.execv(PYTHON, [PYTHON] + sys.argv)  # noqa: RUF005
    name = os.path.splitext(os.path.basename(sys.argv[0]))[0]
    what = ", ".join(missing) + " not installed" if missing else "Python 3.11 or newer is needed"
    sys.stderr.write("%s: %s; run %s first\n" % (name, what, os.path.join(ROOT, "scripts", "setup.sh")))  # noqa: UP031
    sys.exit(2)


_find_packages()

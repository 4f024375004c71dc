#!/bin/sh
# The shell of all jobs: it ends, with the program that it becomes, when the workflow that started it dies, even by
# kill -9. A training that went on alone would write into the folder of the next one.
if command -v setpriv >/dev/null; then exec setpriv --pdeathsig KILL bash "$@"; fi
exec bash "$@"

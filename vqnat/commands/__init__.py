"""The console programs, one file each: they parse options, call the room that does the work, and print.

``scripts/NAME.py`` and ``python -m vqnat.commands.NAME`` run the same program.
"""

"""The console programs, one file each: they parse options, call the room that does the work, and print.

``vqnat NAME`` finds them in the table of :mod:`vqnat.cli`; ``scripts/*`` and ``python -m vqnat.commands.NAME`` run the
same programs. Each module has ``parser()``, which imports nothing heavy, and ``main(argv)``, which returns the exit
status. ``vqnat_serving.arguments`` and ``vqnat_serving.console`` give them one style of help, errors and notes. The
programs that are not in the table belong to the checkout: ``render_tables``, ``run_workflow``, ``reproduce`` and the
jobs that its rules start (``score``, ``collect_results``, ``image_train`` and so on).
"""

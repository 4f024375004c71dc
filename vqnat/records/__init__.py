"""What is written to disk and must be trusted later: whole files, checksums, where a number comes from.

Nothing here knows of models. :mod:`.atomic` writes a file or a folder that is there whole or not at all,
:mod:`.checksums` tells two files apart, :mod:`.yaml_files` reads configurations, :mod:`.results` writes a measurement
as JSON together with its provenance: command, commit, machine, versions. The first two need the standard library only.
"""

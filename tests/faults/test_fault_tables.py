"""Results of faults and replicas as Markdown."""

from vqnat.reporting.faults import markdown_faults, markdown_flips, markdown_replicas

ORIGIN = {"measured": {"machine": "a machine", "commit": "0123456789abcdef", "date": "2026-11-21T10:00:00+00:00"}}
LATER = {"measured": {"machine": "a machine", "commit": "fedcba9876543210", "date": "2026-11-23T10:00:00+00:00"}}
OTHER = {"measured": {"machine": "another", "commit": "fedcba9876543210", "date": "2026-11-22T10:00:00+00:00"}}


def test_faults():
    trials = [
        {"work": "export", "fault": "SIGKILL", "trials": 50, "hit": 40, "same": 49, "lost": ["differs"]} | ORIGIN,
        {"work": "export", "fault": "disk full", "trials": 5, "hit": 5, "same": 5, "lost": []} | LATER,
        {"work": "server", "fault": "SIGKILL", "trials": 7, "hit": 7, "same": 7, "lost": []} | OTHER,
    ]
    assert markdown_faults({"trials": trials}).splitlines() == [
        "| program | SIGKILL | disk full |",
        "| --- | --: | --: |",
        "| export | 49/50 | 5/5 |",
        "| server | 7/7 | – |",
        "",
        "Trials with the undisturbed result at the end, of all trials: 61 of 62; in 52 of them the program had not "
        "ended before. Measured on a machine (2 rows, commits 0123456789ab, fedcba987654, 2026-11-21 to 2026-11-23) "
        "and another (1 row, commit fedcba987654, 2026-11-22).",
    ]


def test_flips():
    flips = [{"format": "checkpoint", "trials": 100, "named": 90, "same": 9, "wrong": ["a traceback"]} | ORIGIN]
    found = markdown_flips({"flips": flips}).splitlines()
    assert "| checkpoint | 100 | 90 | 9 | 1 |" in found
    assert found[-1] == "Measured on a machine (commit 0123456789ab, 2026-11-21)."


def test_replicas():
    row = {"bottleneck": "vq", "ranks": 2, "update_freq": 2, "backend": "no_c10d", "options": "--autocast bf16"}
    found = markdown_replicas({"updates": 10, "replicas": [row | {"loss": 0.0, "tensors": 1.26e-4} | ORIGIN]})
    assert "| vq --autocast bf16 | 2 × 2 | no_c10d | 0e+00 | 1e-04 |" in found.splitlines()

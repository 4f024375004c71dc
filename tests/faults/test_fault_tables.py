"""Results of faults and replicas as Markdown."""

from vqnat.reporting.faults import markdown_faults, markdown_flips, markdown_replicas

ORIGIN = {"machine": "a machine", "commit": "0123456789abcdef", "date": "2026-11-21T10:00:00+00:00"}


def test_faults():
    trials = [
        {"work": "export", "fault": "SIGKILL", "trials": 50, "hit": 40, "same": 49, "lost": ["differs"]},
        {"work": "export", "fault": "disk full", "trials": 5, "hit": 5, "same": 5, "lost": []},
        {"work": "server", "fault": "SIGKILL", "trials": 7, "hit": 7, "same": 7, "lost": []},
    ]
    assert markdown_faults(ORIGIN | {"trials": trials}).splitlines() == [
        "| program | SIGKILL | disk full |",
        "| --- | --: | --: |",
        "| export | 49/50 | 5/5 |",
        "| server | 7/7 | – |",
        "",
        "Trials with the undisturbed result at the end, of all trials: 61 of 62; in 52 of them the program had not "
        "ended before. Measured on a machine, commit 0123456789ab, 2026-11-21.",
    ]


def test_flips():
    flips = [{"format": "checkpoint", "trials": 100, "named": 90, "same": 9, "wrong": ["a traceback"]}]
    assert "| checkpoint | 100 | 90 | 9 | 1 |" in markdown_flips(ORIGIN | {"flips": flips}).splitlines()


def test_replicas():
    row = {"bottleneck": "vq", "ranks": 2, "update_freq": 2, "backend": "no_c10d", "options": "--autocast bf16"}
    found = markdown_replicas(ORIGIN | {"updates": 10, "replicas": [row | {"loss": 0.0, "tensors": 1.26e-4}]})
    assert "| vq --autocast bf16 | 2 × 2 | no_c10d | 0e+00 | 1e-04 |" in found.splitlines()

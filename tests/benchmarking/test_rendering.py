"""Benchmarks as Markdown."""

from vqnat.benchmarking.reports.benchmark_markdown import (
    markdown_codebook,
    markdown_latency,
    markdown_server,
    markdown_start,
    markdown_training,
)

ORIGIN = {
    "load_average": {"before": 0.5, "after": 1.25},
    "machine": {"cpu": "CPU", "logical_cores": 2, "accelerator": None},
    "commit": "0123456789abcdef",
    "seed": 1,
    "date": "2026-11-21T10:00:00+00:00",
    "repeats": 3,
    "threads": 1,
}


def system(name, mean, speed, ratios):
    found = {
        other: {"ratio": r, "low": r - 0.1, "high": r + 0.1, "rounds": {"min": r - 0.2, "median": r, "max": r + 0.2}}
        for other, r in ratios.items()
    }
    return {"name": name, "latency_ms": {"mean": mean}, "tokens_per_second": speed, "speedups": found}


def test_latency():
    systems = [system("greedy", 90.0, 300, {"greedy": 1, "lt": 0.1}), system("lt", 9.0, 3000, {"greedy": 10, "lt": 1})]
    further = [{"batch_size": 8, "systems": [system("greedy", 0, 2000, {}), system("lt", 0, 9000.4, {})]}]
    result = ORIGIN | {
        "systems": systems,
        "further": further,
        "batch_size": 1,
        "baseline": "greedy",
        "lengths": "forced",
        "sentences": {"measured": 6, "in_subset": 60},
    }
    header, rule, first, second, _, text = markdown_latency(result).splitlines()
    assert header == (
        "| system | ms per sentence | speed-up over greedy | tokens/s, batches of 1 | tokens/s, batches of 8 |"
    )
    assert rule.count("|") == header.count("|")
    assert first == "| greedy | 90.0 | 1.00× | 300 | 2000 |"
    assert second == "| lt | 9.0 | 10.00× (9.9–10.1; 9.8–10.2) | 3000 | 9000 |"
    assert "6 of 60 sentences, lengths forced to those of the references, 3 rounds, 1 thread;" in text
    header = markdown_latency(result | {"baseline": "lt"}).splitlines()[0]
    assert "| speed-up over greedy | speed-up over lt |" in header
    assert text.endswith(
        "load was 0.5 before and 1.2 after. Measured on CPU, 2 cores, commit 0123456789ab, seed 1, 2026-11-21."
    )


def test_training():
    systems = [
        {"name": "ar", "tokens_per_second": 100.4, "ratio": 1.0, "ratio_rounds": [1, 1, 1], "parameters": 60_500_000},
        {"name": "lt", "tokens_per_second": 80, "ratio": 0.8, "ratio_rounds": [0.75, 0.8, 0.9], "parameters": 10**8},
    ]
    result = ORIGIN | {"systems": systems, "baseline": "ar", "max_tokens": 512, "batches": [3, 4], "threads": 2}
    result["padding"] = {"source": 0.125, "target": 0.04}
    lines = markdown_training(result).splitlines()
    assert lines[2] == "| ar | 100 | 1.00 | 60.5 M |"
    assert lines[3] == "| lt | 80 | 0.80 (0.75–0.90) | 100.0 M |"
    assert "Batches of 512 tokens, 3 rounds over 2 of them, 2 threads;" in lines[-1]
    assert "12.5% of the source and 4.0% of the target are pads" in lines[-1]


def test_codebook():
    ratio = {"median": 2.5, "min": 2.25, "max": 3.0}
    shape = {"vectors": 512, "codes": 4096, "dim": 64, "ms": {"hard_em": [3.0, 1.0, 2.0], "matrix_product": [1.5]}}
    shape |= {"ratios": {"hard_em over the matrix product": ratio}, "peak_mib": {"hard_em": 12.4}}
    result = ORIGIN | {"shapes": [shape], "threads": 1, "load_average": 0.96}
    header, _, row, _, text = markdown_codebook(result).splitlines()
    assert row == "| 512 | 4096 | 64 | 2.0 | – | – | – | 1.5 | – | 2.50 (2.2–3.0) | – | 12 | – |"
    assert header.count("|") == row.count("|") and "hard EM, MiB" in header
    assert "1 thread; medians;" in text and "load was 1.0 at the end" in text


def test_start():
    system = {"name": "ours", "ms": {"median": 99.6, "min": 90.2, "max": 120.4}, "peak_mib": 41.6}
    _, _, row, _, text = markdown_start(ORIGIN | {"systems": [system], "rounds": 3, "load_average": 0.25}).splitlines()
    assert row == "| ours | 100 (90–120) | 42 |"
    assert text.startswith("Medians of 3 processes each") and "load was 0.2 at the end. Measured on" in text


def test_server():
    def measured(system, clients, rate):
        speed = {"median": rate, "min": rate - 5, "max": rate + 5}
        return {"system": system, "clients": clients, "sentences_per_second": speed, "p50_ms": 5.64, "p95_ms": 8}

    systems = [measured("server", 1, 176.2), measured("server", 8, 420), measured("in process", 8, 487.4)]
    about = {"model": "small", "precision": "int8", "beam": 1, "workers": 1, "rounds": 3, "load_average": 0.7}
    _, _, one, eight, alone, _, text = markdown_server(ORIGIN | about | {"systems": systems}).splitlines()
    assert one == "| server | 1 client | 176 (171–181) | 5.6 | 8.0 |"
    assert eight.startswith("| server | 8 clients |") and alone.startswith("| in process | batches of 8 | 487 ")
    assert "1 thread, 1 worker(s)" in text and "load was 0.7" in text

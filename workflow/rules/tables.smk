# What was measured as one JSON file and one page; over several seeds, also one table.


def measured(w):
    places = [LAYOUT.system_place(system, w.at) for system in CONFIG.systems]
    scores = [f"{place}scores/{s.name}.json" for place, s in zip(places, CONFIG.systems, strict=True)]
    return [*scores, f"{w.at}latency.json"]


rule results:
    message:
        "{wildcards.at}results: one JSON file and one HTML file"
    input:
        measured,
    output:
        "{at}results.json",
        "{at}report.html",
    log:
        "{at}logs/results.log",
    params:
        rows=lambda w: [system.name for system in CONFIG.systems],
        shown=lambda w: [CONFIG.samples, CONFIG.data.note],
        at=lambda w: f"--at {w.at}" if w.at else "",
        config=lambda w, output: f"--config {shlex.quote(str(CONFIGFILE))} {overrides()}",
    shell:
        "exec {PYTHON} -m vqnat.commands.collect_results {params.config} {params.at} > {log} 2>&1"


rule seeds:
    message:
        "seeds: one table"
    input:
        [f"{at}results.json" for at in LAYOUT.places],
    output:
        "seeds.md",
    log:
        "logs/seeds.log",
    shell:
        "exec {PYTHON} -m vqnat.commands.seeds_table {input} > {output} 2> {log}"

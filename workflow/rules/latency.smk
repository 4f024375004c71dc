# One sentence at a time, all systems in turn. It asks for all cores, so that nothing else runs beside it: that would
# disturb the measurement.


rule latency:
    message:
        f"{{wildcards.at}}latency: one sentence at a time, {len(SYSTEMS)} systems in turn"
    input:
        LAYOUT.binarized(),
        lambda w: sorted({LAYOUT.ready(name, w.at) for s in CONFIG.systems for name in CONFIG.loads(s)}),
    output:
        "{at}latency.json",
        "{at}latency.png",
    log:
        "{at}logs/latency.log",
    threads: CONFIG.cores
    resources:
        gpu=1 if CONFIG.device == "cuda" else 0,
    params:
        options=lambda w: words(
            commands.latency_options(CONFIG, CONFIG.systems, LAYOUT.checkpoints(w.at), LAYOUT.seed(w.at))
        ),
    shell:
        "export OMP_NUM_THREADS={CONFIG.latency.threads}; "
        "exec {PYTHON} -m vqnat.commands.latency prep/bin {params.options} --json {output[0]} --plot {output[1]} > {log} 2>&1"

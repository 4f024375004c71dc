# The test set by each system, and its scores.


def system_checkpoints(w):
    return [LAYOUT.ready(name, w.at) for name in CONFIG.loads(SYSTEMS[w.system])]


rule translate:
    message:
        "{wildcards.at}translate_{wildcards.system}: the test set"
    input:
        LAYOUT.binarized(),
        system_checkpoints,
    output:
        "{at}outputs/{system}.generated.txt",
    log:
        "{at}logs/translate_{system}.log",
    priority: 10
    resources:
        gpu=1 if CONFIG.device == "cuda" else 0,
    params:
        options=lambda w: words(
            commands.generate_options(CONFIG, SYSTEMS[w.system], LAYOUT.checkpoints(w.at), LAYOUT.seed(w.at))
        ),
    shell:
        "exec {PYTHON} -m fairseq_cli.generate prep/bin --user-dir {PLUGIN} {params.options} > {output} 2> {log}"


rule score:
    message:
        "{wildcards.at}score_{wildcards.system}: BLEU and chrF"
    input:
        generated="{at}outputs/{system}.generated.txt",
        source=f"raw/test.{CONFIG.source}",
        reference=f"raw/test.{CONFIG.target}",
    output:
        text=f"{{at}}outputs/{{system}}.{CONFIG.target}",
        scores="{at}scores/{system}.json",
    log:
        "{at}logs/score_{system}.log",
    priority: 10
    params:
        options=words(["--corpus", CONFIG.data.kind, *(["--tokenized"] if CONFIG.data.tokenised else [])]),
    shell:
        "exec {PYTHON} -m vqnat.commands.score {input.generated} --model prep/spm.model --source {input.source} "
        "--reference {input.reference} {params.options} --out {output.text} --json {output.scores} > {log} 2>&1"

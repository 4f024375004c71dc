"""The papers' image tables: ``scripts/run_workflow.py`` on a configuration with ``tables``.

``table_config`` reads the YAML, ``table_commands`` makes the options of its programs, which
``workflow/rules/images.smk`` runs; ``budget`` fits a training into a number of minutes, ``validation_figures`` runs
fairseq-validate, ``table_results`` gathers what was measured, ``columns`` names the figures and ``image_markdown``
renders the table.
"""

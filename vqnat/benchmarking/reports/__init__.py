"""What readers see of a benchmark, rendered from its JSON alone.

``latency_tables`` for the terminal, ``latency_plot`` as a picture, ``benchmark_markdown`` for README files (all with
``markdown_table``).
"""

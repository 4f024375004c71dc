"""Fast kernels, each beside its plain reference; tests hold them equal. They know torch only."""

"""The latent transformer and its presets (fairseq imports every file of this folder)."""

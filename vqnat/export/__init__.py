"""A checkpoint as ONNX graphs that :mod:`vqnat_serving` runs."""

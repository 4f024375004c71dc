"""From a source sentence to hypotheses: search over codes, parallel decoding, rescoring."""

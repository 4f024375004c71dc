"""What fairseq-train and fairseq-validate call: tasks and criterions.

``image_task`` loads the data; ``vqvae_task`` and ``vqvae_criterion`` train an autoencoder, ``prior_task`` and
``prior_criterion`` a prior over the codes of a trained one. A criterion turns a batch into a summed loss and the
counts to divide by; its ``reduce_metrics`` makes the figures that tables show.
"""

"""Images from their raw form to training batches.

``raw_images`` reads CIFAR-10 batches, folders and archives; ``prepare`` divides them into splits that share no image;
``split_files`` stores each split as one memory-mapped array; ``image_dataset`` is the fairseq dataset over it.
"""

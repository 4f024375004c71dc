"""Pictures of what image models do.

``model_images`` reconstructs and samples, ``image_grids`` puts images into one PNG file, ``html_report`` writes one
self-contained page with curves and codebook usage.
"""

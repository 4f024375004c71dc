"""Pictures of what image models do: ``image_grids`` makes PNG files, ``html_report`` one self-contained page."""

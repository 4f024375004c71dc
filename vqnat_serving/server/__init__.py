"""An HTTP server for exported models, and its page: ``vqnat serve``.

Read :mod:`.command` first (options, sockets, processes), then :mod:`.app` (what each address answers) with
:mod:`.messages` (the JSON). A request's sentences go to the :mod:`.batcher`, which lets sentences that arrive together
share a batch, and from there in one thread through the :mod:`.engine` (model, teacher, words of each code).
:mod:`.guards` refuses what is too large, too slow or from elsewhere, :mod:`.metrics` counts, :mod:`.settings` holds
every limit. ``page/`` is plain HTML, CSS and JavaScript without a build step; it asks no other server for anything.
"""

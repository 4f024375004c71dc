"""What a person sees on a terminal: :mod:`.progress` while a command works, :mod:`.tables` when it is done.

Only there: elsewhere progress is an occasional line and a table plain text, so that logs stay readable and what
programs read does not change. rich is imported only for terminals.
"""

"""What goes wrong for reasons a user can mend."""


class BenchmarkError(Exception):
    """One line for the user: names the option or file, the value found and what would be valid."""

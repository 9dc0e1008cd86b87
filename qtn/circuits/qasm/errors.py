"""The error of a file that cannot be read."""


class QasmError(ValueError):
    """A program that is wrong or not supported; the message names file, line and column."""

"""Text that strangers sent, made fit for a record."""


def printable(data: bytes, limit: int) -> str:
    """The first ``limit`` bytes as UTF-8; what is not text becomes ``\ufffd``, control characters dots."""
    text = data[:limit].decode("utf-8", "replace")
    return "".join(char if char.isprintable() or char in "\n\t" else "." for char in text.replace("\r\n", "\n"))

"""Making text that others wrote safe to show: on a terminal, in a report, in an error line."""


def sanitize_text(text: str, *, keep_newlines: bool = False) -> str:
    """``text`` with everything invisible or steering made visible, so that it can only be read.

    A terminal obeys control characters (ECMA-48: ESC, CSI, OSC, with them OSC 8 links and window titles), and both
    terminals and browsers obey bidirectional overrides (UAX #9), which let a line read as another. What Python calls
    not printable (``str.isprintable``: control, format, surrogate, private use, unassigned and separator characters)
    is therefore written as its escape: ``\\x1b``, ``\\u202e``. Spaces of any width and tabs become one space; newlines
    stay when ``keep_newlines`` and else become a space. Idempotent.
    """
    if text.isprintable():
        return text
    return "".join(_shown(char, keep_newlines) for char in text)


def _shown(char: str, keep_newlines: bool) -> str:
    if char.isprintable():
        return char
    if char == "\n" and keep_newlines:
        return char
    if char in "\t\n" or (char.isspace() and ord(char) >= 0xA0 and char not in "\u2028\u2029"):
        return " "
    return char.encode("unicode_escape").decode("ascii")

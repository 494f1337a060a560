"""Times to wait, in words."""

import pytest

from netdiag.evidence.retry_after import wait_words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (60, "60 s"), (86_400, "86400 s"), (172_800, "2 days"), (34_961_382, "405 days")]
)
def test_a_long_time_is_told_in_days(seconds: int, words: str) -> None:
    assert wait_words(seconds) == words

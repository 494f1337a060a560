"""The shape of a download: simulated ones of each kind, and how often they are mistaken for another."""

import random
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from netdiag.evidence.transport import Progress
from netdiag.facts.derivation.series import Series, shape_of
from netdiag.facts.speed import Bucket, Shape

STEP_US = 200_000
PACKET = 1448
ROUNDS = 200


def bucket(chance: random.Random, *, rate: float, burst: float, line: float) -> list[Progress]:
    """A policer: tokens come at ``rate``, so many wait for ``burst``; TCP saws around it, and loses above it."""
    received, lost, samples = 0.0, 0, []
    sent_fast_us = burst / line * 1e6
    for at in range(10_000, 10_000_000, STEP_US):
        if at < sent_fast_us:
            received = line * at / 1e6
        else:
            received = max(received, burst)
            received += rate * STEP_US / 1e6 * chance.uniform(0.4, 1.6)
            lost += chance.choice((0, 1, 2, 4))
        samples.append(Progress(at_us=at, received=round(received), out_of_order=lost))
    return samples


def lossy(chance: random.Random, *, rate: float) -> list[Progress]:
    """Random loss: one rate from the beginning, with scatter."""
    received, lost, samples = 0.0, 0, []
    for at in range(10_000, 10_000_000, STEP_US):
        received += rate * STEP_US / 1e6 * chance.uniform(0.3, 1.7)
        lost += chance.choice((0, 0, 1, 2))
        samples.append(Progress(at_us=at, received=round(received), out_of_order=lost))
    return samples


def queued(chance: random.Random, *, rate: float) -> list[Progress]:
    """A full link: one rate, whatever waits, and the queue overflows now and then."""
    received, lost, samples = 0.0, 0, []
    for at in range(10_000, 10_000_000, STEP_US):
        received += rate * STEP_US / 1e6 * chance.uniform(0.9, 1.1)
        lost += chance.choice((0, 0, 0, 5))
        samples.append(Progress(at_us=at, received=round(received), out_of_order=lost))
    return samples


def told(make: Callable[[random.Random], list[Progress]], *, queue: bool | None) -> list[tuple[Shape, Bucket | None]]:
    return [shape_of(make(random.Random(seed)), 5_000, queued=queue) for seed in range(ROUNDS)]


def test_a_policer_is_found_with_its_knee_and_its_rate() -> None:
    found = told(lambda c: bucket(c, rate=40_000, burst=150_000, line=2_000_000), queue=False)
    good = [one for shape, one in found if shape == "bucket" and one is not None and one.policed]
    assert len(good) >= 0.97 * ROUNDS
    assert all(0.7 * 150_000 <= one.knee <= 2 * 150_000 for one in good)
    assert all(0.75 * 40_000 <= one.after <= 1.25 * 40_000 for one in good)


def test_random_loss_is_no_policer() -> None:
    found = told(lambda c: lossy(c, rate=50_000), queue=False)
    assert sum(shape == "bucket" for shape, _ in found) <= 0.03 * ROUNDS


def test_a_full_link_is_no_policer() -> None:
    found = told(lambda c: queued(c, rate=60_000), queue=True)
    assert not [one for _, one in found if one is not None and one.policed is not False]
    assert sum(shape == "steady" for shape, _ in found) >= 0.97 * ROUNDS


def test_a_limit_of_the_servers_own_has_a_knee_and_no_loss() -> None:
    samples = [
        Progress(at_us=at, received=100_000 + at // 25, out_of_order=0) for at in range(10_000, 9_000_000, STEP_US)
    ]
    shape, found = shape_of(samples, 5_000, queued=False)
    assert shape == "bucket"
    assert found is not None
    assert found.policed is False


def test_without_a_count_of_losses_or_a_look_at_queues_it_is_not_told() -> None:
    whole = bucket(random.Random(1), rate=40_000, burst=150_000, line=2_000_000)
    blind = [Progress(at_us=one.at_us, received=one.received) for one in whole]
    for samples, queue in ((blind, False), (whole, None)):
        shape, found = shape_of(samples, 5_000, queued=queue)
        assert shape == "bucket"
        assert found is not None
        assert found.policed is None


def test_two_losses_are_not_enough_to_tell() -> None:
    whole = bucket(random.Random(1), rate=40_000, burst=150_000, line=2_000_000)
    few = [
        Progress(at_us=one.at_us, received=one.received, out_of_order=min(n // 20, 2)) for n, one in enumerate(whole)
    ]
    _, found = shape_of(few, 5_000, queued=False)
    assert found is not None
    assert found.policed is None


def test_pauses_are_a_stall() -> None:
    times = [*range(10_000, 100_000, 10_000), 4_000_000, 4_010_000, 8_000_000]
    samples = [Progress(at_us=at, received=8000 * n, out_of_order=0) for n, at in enumerate(times, 1)]
    assert shape_of(samples, 5_000, queued=False) == ("stalling", None)


def test_little_has_no_shape() -> None:
    assert shape_of((), None, queued=False) == ("unknown", None)
    short = [Progress(at_us=at, received=10 * at, out_of_order=0) for at in range(10_000, 200_000, 10_000)]
    assert shape_of(short, 5_000, queued=False) == ("unknown", None)


SERIES = st.lists(st.tuples(st.integers(1, 500_000), st.integers(0, 100_000), st.integers(0, 9)), max_size=50)


@given(SERIES, st.integers(0, 1000), st.sampled_from([True, False, None]))
def test_any_series_has_a_shape_and_sane_rates(
    steps: list[tuple[int, int, int]], first: int, queue: bool | None
) -> None:
    at, received, lost, samples = 1000, 0, 0, []
    for gap, more, missing in steps:
        at, received, lost = at + gap, received + more, lost + missing
        samples.append(Progress(at_us=at, received=received, out_of_order=lost))
    shape, found = shape_of(samples, first, queued=queue)
    assert (found is not None) == (shape == "bucket")
    assert found is None or (found.before > found.after > 0 and 0 < found.knee < received)
    assert queue is not True or found is None or found.policed is False
    rates = Series(samples, first).rates(10)
    assert all(rate >= -1e-6 for rate in rates)
    if rates:
        took_s = (samples[-1].at_us - first) / 1e6
        assert abs(sum(rates) / len(rates) * took_s - received) <= 1e-6 * received + 1

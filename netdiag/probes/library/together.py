"""Several short tasks of one probe at once, with their records in the tasks' order."""

import threading
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from netdiag.evidence.record import Observed

R = TypeVar("R", bound=Observed)


class _Task(threading.Thread, Generic[R]):
    def __init__(self, records: Iterator[R]) -> None:
        super().__init__(daemon=True)
        self._records = records
        self.seen: list[R] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            for record in self._records:
                self.seen.append(record)
        except BaseException as error:  # noqa: BLE001 - raised again by the one who waits
            self.error = error


def together(tasks: Iterable[Iterator[R]]) -> Iterator[R]:
    """Run ``tasks`` side by side; yield all of the first, then all of the second, and so on.

    What one raised is raised after everything that was seen: nothing is lost to a deadline.
    """
    threads = [_Task(task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
        yield from thread.seen
    for thread in threads:
        if thread.error is not None:
            raise thread.error

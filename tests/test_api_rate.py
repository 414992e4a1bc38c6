"""The rate of a token holds for all web processes together, and costs no database."""

from __future__ import annotations

import multiprocessing
import threading
from pathlib import Path

import pytest

from soar.lib.shared_rate import SLOTS, SharedRateLimiter


def _take(path: Path, times: int, rate: float, key: int = 7) -> int:
    """How many of ``times`` calls are let through."""
    limiter = SharedRateLimiter(lambda: path, lambda: rate)
    return sum(limiter.take(key).wait == 0 for _ in range(times))


def _take_in(path: Path, queue: multiprocessing.Queue[int]) -> None:
    queue.put(_take(path, 40, 0.0001))


def test_a_limit_holds_for_processes_together(tmp_path: Path) -> None:
    """A burst is one call where less than one a second is allowed: one of four processes gets it."""
    queue: multiprocessing.Queue[int] = multiprocessing.Queue()
    workers = [multiprocessing.Process(target=_take_in, args=(tmp_path / "rates", queue)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(queue.get() for _ in workers) == 1


def test_threads_share_it_too(tmp_path: Path) -> None:
    limiter, let = SharedRateLimiter(lambda: tmp_path / "rates", lambda: 0.001), []
    threads = [threading.Thread(target=lambda: let.append(limiter.take(1).wait == 0)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert let.count(True) == 1


def test_keys_do_not_take_from_each_other(tmp_path: Path) -> None:
    limiter = SharedRateLimiter(lambda: tmp_path / "rates", lambda: 0.001)
    neighbours = [1, 1 + SLOTS, 1 + 2 * SLOTS, 2]  # the first three begin at the same place
    assert [limiter.take(key).wait for key in neighbours] == [0.0] * 4
    assert all(limiter.take(key).wait > 900 for key in neighbours)


def test_a_full_neighbourhood_lets_through_and_does_not_fail(tmp_path: Path) -> None:
    limiter = SharedRateLimiter(lambda: tmp_path / "rates", lambda: 0.001)
    assert [limiter.take(1 + step * SLOTS).wait for step in range(20)] == [0.0] * 20


def test_what_is_left_is_told(tmp_path: Path) -> None:
    limiter = SharedRateLimiter(lambda: tmp_path / "rates", lambda: 1000)
    first = limiter.take(3)
    assert (first.wait, first.limit) == (0.0, 1000)
    assert 990 <= first.left <= 999


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        SharedRateLimiter(lambda: tmp_path / "file" / "rates", lambda: 1).take(1)

import os
import threading
from functools import partial
from pathlib import Path

import pytest

from harness.proof.sharing import Sharing


def nothing() -> None: ...


@pytest.mark.parametrize("workers", [1, 2])
def test_every_task_is_done_once_and_known_by_its_number(workers: int) -> None:
    tasks = [partial(pow, number, 2) for number in range(20)]

    assert dict(Sharing[int](workers, parting=nothing).results(tasks)) == {number: number**2 for number in range(20)}


def test_several_workers_are_processes_of_their_own() -> None:
    here = os.getpid()

    found = dict(Sharing[int](2, parting=nothing).results([os.getpid, os.getpid]))

    assert here not in found.values()


def test_a_task_may_close_over_what_can_not_travel() -> None:
    lock = threading.Lock()

    found = dict(Sharing[bool](2, parting=nothing).results([lock.locked, lambda: lock.acquire(blocking=False)]))

    assert found == {0: False, 1: True}


def test_a_result_that_can_not_travel_is_made_at_home() -> None:
    found = dict(Sharing[object](2, parting=nothing).results([threading.Lock, os.getpid]))

    assert isinstance(found[0], type(threading.Lock()))
    assert found[1] != os.getpid()


def test_each_worker_closes_what_it_opened(tmp_path: Path) -> None:
    sharing = Sharing[int](2, parting=lambda: (tmp_path / str(os.getpid())).touch())

    workers = {worker for _, worker in sharing.results([os.getpid] * 8)}

    assert workers <= {int(path.name) for path in tmp_path.iterdir()}


def test_what_goes_wrong_in_a_worker_is_told() -> None:
    with pytest.raises(ZeroDivisionError):
        list(Sharing[int](2, parting=nothing).results([lambda: 1 // 0, os.getpid]))


def test_a_worker_that_dies_ends_the_sharing_and_not_in_a_hang() -> None:
    with pytest.raises(RuntimeError):
        list(Sharing[int](2, parting=nothing).results([lambda: os._exit(3), os.getpid]))

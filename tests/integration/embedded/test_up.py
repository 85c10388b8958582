"""`muster up` and `muster serve` as their operator meets them."""

import os
import signal
import subprocess
from pathlib import Path

import httpx
import pytest

from service.embedded.postmaster import find
from tests.service import Program, eventually, free_port, get, post


def up(data_dir: Path, *words: str) -> Program:
    """Start `muster up` on *data_dir* and a free port."""
    return Program("up", "--data", str(data_dir), "--port", str(free_port()), *words)


@pytest.mark.parametrize("order", [signal.SIGINT, signal.SIGTERM])
def test_up_prints_a_ready_address_and_stops_postgres_on_a_signal(data_dir: Path, order: signal.Signals) -> None:
    with up(data_dir) as program:
        url = program.url()
        assert get(f"{url}/readyz").json() == {"status": "ready"}
        assert get(f"{url}/healthz").json() == {"status": "alive"}
        printed = program.stop(order)
    assert program.process.returncode == 0, printed
    assert printed.count("http://") == 1
    assert find(data_dir / "postgres") is None


def test_a_second_up_on_the_same_folder_is_refused_and_the_first_goes_on(data_dir: Path) -> None:
    with up(data_dir) as first:
        url = first.url()
        with up(data_dir) as second:
            assert f"{data_dir} is in use by a running Muster (process {first.process.pid})" in second.printed()
            assert second.process.returncode == 1
        assert get(f"{url}/readyz").is_success


def test_a_folder_that_cannot_hold_anything_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with Program("up", "--data", str(tmp_path / "file" / "below"), "--port", str(free_port())) as program:
        said = program.printed()
        assert program.process.returncode == 1
    assert "cannot hold a Muster (Not a directory): choose another with --data or MUSTER_DATA_DIR" in said
    assert "Traceback" not in said


def test_a_port_in_use_is_refused_naming_what_to_do(data_dir: Path) -> None:
    port = free_port()
    with Program("up", "--data", str(data_dir), "--port", str(port)) as first:
        first.url()
        with Program("up", "--data", str(data_dir / "other"), "--port", str(port)) as second:
            assert f"cannot listen on 127.0.0.1:{port} (Address already in use)" in second.printed()
            assert second.process.returncode == 1


def test_after_kill_of_the_service_and_its_postgres_the_next_up_is_ready(data_dir: Path) -> None:
    with up(data_dir) as program:
        program.url()
        postmaster = find(data_dir / "postgres")
        assert postmaster is not None
        program.stop(signal.SIGKILL)
        os.kill(postmaster.pid, signal.SIGKILL)
    with up(data_dir) as again:
        assert get(f"{again.url()}/readyz").is_success


@pytest.mark.parametrize(("death", "words"), [(signal.SIGKILL, ()), (signal.SIGQUIT, ("--workers", "2"))])
def test_a_postgres_that_dies_comes_back_by_itself_with_all_that_was_stored(
    data_dir: Path, death: signal.Signals, words: tuple[str, ...]
) -> None:
    """Promise 5: nothing starts on the data while a child of the dead server still works on it."""
    with up(data_dir, *words) as program:
        url = program.url()
        assert post(f"{url}/v1/campaigns", {"name": "n", "units": [{"key": "a"}]}).status_code == 201
        died = find(data_dir / "postgres")
        assert died is not None
        orphans = children(died.pid) if death is signal.SIGKILL else []
        for orphan in orphans:
            os.kill(orphan, signal.SIGSTOP)
        os.kill(died.pid, death)
        eventually(lambda: get(f"{url}/readyz").status_code == 503)
        assert get(f"{url}/healthz").is_success
        for orphan in orphans:
            assert find(data_dir / "postgres") is None
            os.kill(orphan, signal.SIGCONT)
        eventually(lambda: get(f"{url}/readyz").is_success)
        assert get(f"{url}/v1/campaigns/n/units/a").is_success
        assert post(f"{url}/v1/campaigns/n/pause", {}).is_success
        printed = program.stop(signal.SIGINT)
    assert program.process.returncode == 0, printed
    assert printed.count("the embedded Postgres ended with") == printed.count("the embedded Postgres is back") == 1, printed
    assert printed.count("the leader's lease cannot be reached") <= 2, printed
    assert "Fatal Python error" not in printed
    assert printed.count("the database is away") <= 2, printed
    assert "Traceback" not in printed
    assert find(data_dir / "postgres") is None


def test_several_workers_share_one_port_and_a_dead_one_is_replaced(data_dir: Path) -> None:
    with up(data_dir, "--workers", "2") as program:
        url = program.url()
        first, second = replicas(program, 2)
        os.kill(first, signal.SIGKILL)
        assert get(f"{url}/readyz").is_success
        assert second in replicas(program, 2, without=first)
        printed = program.stop()
    assert program.process.returncode == 0, printed
    assert find(data_dir / "postgres") is None


def test_replicas_end_when_their_supervisor_is_killed(data_dir: Path) -> None:
    with up(data_dir, "--workers", "2") as program:
        url = program.url()
        replicas(program, 2)
        program.stop(signal.SIGKILL)
    eventually(lambda: refused(url))


def children(pid: int) -> list[int]:
    """Return the processes that *pid* has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def replicas(program: Program, count: int, without: int | None = None) -> list[int]:
    """Return the processes that *program* started, once there are *count* of them without *without*."""
    found: list[int] = []

    def complete() -> bool:
        listed = subprocess.run(
            ["ps", "-o", "pid=,args=", "--ppid", str(program.process.pid)], capture_output=True, text=True, check=False
        ).stdout.splitlines()
        found[:] = [int(line.split()[0]) for line in listed if "service.cli serve" in line]
        return len(found) == count and without not in found

    eventually(complete)
    return found


def refused(url: str) -> bool:
    """Tell whether nobody listens any more."""
    try:
        get(f"{url}/healthz")
    except httpx.ConnectError:
        return True
    except httpx.TransportError:
        return False
    return False

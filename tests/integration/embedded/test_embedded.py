"""The embedded Postgres: started, refused twice, recovered after the worst, stopped cleanly."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import asyncpg
import pytest

from service.embedded import FolderInUse, attached, running
from service.embedded.cluster import Cluster, ClusterBroken
from service.embedded.keeper import keep
from service.embedded.postmaster import find, serves
from tests.service import eventually

RUN = """
import sys, pathlib, service.embedded
with service.embedded.running(pathlib.Path(sys.argv[1])) as dsn:
    print(dsn, flush=True)
    input()
"""


def started(data_dir: Path) -> tuple[subprocess.Popen[str], str]:
    """Return a process that runs the Postgres of *data_dir*, and the address it printed."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(data_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def killed(process: subprocess.Popen[str]) -> None:
    """Kill *process* as the worst day does, and collect it."""
    process.kill()
    process.communicate()


async def answer(dsn: str, statement: str) -> object:
    """Return the one value of *statement*."""
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_it_is_durable_listens_on_no_network_and_stops_with_its_user(data_dir: Path) -> None:
    with running(data_dir) as dsn:
        for name, value in (("fsync", "on"), ("synchronous_commit", "on"), ("listen_addresses", "")):
            assert await answer(dsn, f"SHOW {name}") == value
    assert find(data_dir / "postgres") is None


async def test_a_wrong_password_is_refused(data_dir: Path) -> None:
    with running(data_dir) as dsn:
        secret = (data_dir / "postgres.password").read_text()
        with pytest.raises(asyncpg.InvalidPasswordError):
            await answer(dsn.replace(secret, "guess"), "SELECT 1")


def test_a_second_run_on_the_same_folder_is_refused_naming_the_first(data_dir: Path) -> None:
    with running(data_dir), pytest.raises(FolderInUse, match=f"process {os.getpid()}"), running(data_dir):
        pass


async def test_a_command_joins_the_postgres_that_runs_and_leaves_it_running(data_dir: Path) -> None:
    with running(data_dir) as first:
        with attached(data_dir) as second:
            assert second == first
        assert await answer(first, "SELECT 1") == 1


async def test_after_a_kill_of_its_user_the_next_run_stops_the_orphan_and_loses_nothing(data_dir: Path) -> None:
    process, dsn = started(data_dir)
    await answer(dsn, "CREATE TABLE kept AS SELECT 7 AS number")
    killed(process)
    orphan = find(data_dir / "postgres")
    assert orphan is not None
    with running(data_dir) as again:
        assert await answer(again, "SELECT number FROM kept") == 7
        now = find(data_dir / "postgres")
        assert now is not None
        assert now.pid != orphan.pid


async def test_after_kill_of_everything_the_next_run_recovers(data_dir: Path) -> None:
    process, dsn = started(data_dir)
    await answer(dsn, "CREATE TABLE kept AS SELECT 7 AS number")
    postmaster = find(data_dir / "postgres")
    assert postmaster is not None
    killed(process)
    os.kill(postmaster.pid, signal.SIGKILL)
    assert (data_dir / "postgres" / "postmaster.pid").exists()
    with running(data_dir) as again:
        assert await answer(again, "SELECT number FROM kept") == 7


def test_a_stale_pid_file_stops_no_other_process(data_dir: Path) -> None:
    with running(data_dir):
        pass
    with subprocess.Popen(["sleep", "60"], user=(data_dir / "postgres").stat().st_uid) as stranger:
        lines = f"{stranger.pid}\n{data_dir / 'postgres'}\n0\n5432\n{data_dir}\n\n  1 2\nready\n"
        (data_dir / "postgres" / "postmaster.pid").write_text(lines)
        with running(data_dir):
            assert stranger.poll() is None
        stranger.kill()


async def test_a_server_that_dies_is_started_again_at_the_same_address(data_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    deep = data_dir / ("deep" * 20) / ("folder" * 10)
    with running(deep) as dsn:
        await answer(dsn, "CREATE TABLE kept AS SELECT 7 AS number")
        died = find(deep / "postgres")
        assert died is not None
        os.kill(died.pid, signal.SIGKILL)
        await asyncio.to_thread(eventually, lambda: "is back" in caplog.text)
        assert await answer(dsn, "SELECT number FROM kept") == 7
    assert find(deep / "postgres") is None
    assert not died.sockets.exists()


def test_a_folder_in_use_by_another_service_starts_nothing(data_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    with running(data_dir):
        died = find(data_dir / "postgres")
        assert died is not None
        (data_dir / "lock").write_text("1\n")
        os.kill(died.pid, signal.SIGKILL)
        eventually(lambda: "does not start, next try in 1 s" in caplog.text)
        assert find(data_dir / "postgres") is None
        assert f"{data_dir} is in use by a running Muster (process 1)" in caplog.text
        (data_dir / "lock").write_text(f"{os.getpid()}\n")
        eventually(lambda: "is back" in caplog.text)
        assert find(data_dir / "postgres") is not None


def test_a_server_that_somebody_else_started_is_left_alone(data_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    with running(data_dir):
        ours = find(data_dir / "postgres")
        assert ours is not None
        (data_dir / "lock").write_text("1\n")
        os.kill(ours.pid, signal.SIGKILL)
        eventually(lambda: "does not start" in caplog.text)
        theirs = Cluster(data_dir / "postgres")
        theirs.start()
        (data_dir / "lock").write_text(f"{os.getpid()}\n")
        now = find(data_dir / "postgres")
        assert now is not None
        eventually(lambda: f"another Postgres (process {now.pid}) serves {data_dir}" in caplog.text)
        assert find(data_dir / "postgres") == now
    theirs.stop()


@pytest.mark.parametrize("moment", ["at once", "as the next one starts"])
def test_a_stop_during_a_server_restart_leaves_no_server(data_dir: Path, moment: str) -> None:
    with running(data_dir):
        died = find(data_dir / "postgres")
        assert died is not None
        os.kill(died.pid, signal.SIGKILL)
        if moment == "as the next one starts":
            eventually(lambda: bool(servers(data_dir) - {died.pid}))
    assert servers(data_dir) == set()


def test_a_stop_while_an_orphan_delays_the_start_leaves_no_server(data_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    ready, end = threading.Event(), threading.Event()

    def run() -> None:
        with running(data_dir):
            ready.set()
            end.wait()

    user = threading.Thread(target=run)
    user.start()
    ready.wait()
    (died,) = servers(data_dir)
    orphan = int(Path(f"/proc/{died}/task/{died}/children").read_text().split()[0])
    os.kill(orphan, signal.SIGSTOP)
    os.kill(died, signal.SIGKILL)
    eventually(lambda: "restarting it" in caplog.text)
    end.set()
    user.join(0.3)
    assert user.is_alive()
    os.kill(orphan, signal.SIGCONT)
    user.join()
    assert servers(data_dir) == set()


def servers(data_dir: Path) -> set[int]:
    """Return the servers that run on *data_dir*, whatever its files say."""
    pids = {int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()}
    return {pid for pid in pids if serves(pid, data_dir / "postgres")}


def test_a_server_that_does_not_start_is_tried_with_growing_rests_and_each_reason_in_a_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One that starts and dies at once is no better."""
    outcomes = iter(["no\nroom", "no room", "", "no room", "", *["no room"] * 9])
    rests: list[float] = []

    def resume() -> None:
        if why := next(outcomes):
            raise ClusterBroken(why)

    def ended(rest_s: float) -> bool:
        rests.append(rest_s)
        return len([rest for rest in rests if rest]) == 9

    keep(lambda: -9, resume, ended)
    assert [rest for rest in rests if rest] == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    lines = [record.getMessage() for record in caplog.records]
    assert lines[:4] == [
        "the embedded Postgres ended with -9, restarting it",
        "the embedded Postgres does not start, next try in 0.5 s: no; room",
        "the embedded Postgres does not start, next try in 1 s: no room",
        "the embedded Postgres is back after 0.0 s",
    ]
    assert lines[4:7:2] == [lines[0], lines[3]]


async def test_a_start_that_died_while_it_made_the_cluster_is_made_anew(data_dir: Path) -> None:
    (data_dir / "postgres.new").mkdir(parents=True)
    (data_dir / "postgres.new" / "half").touch()
    with running(data_dir) as dsn:
        assert await answer(dsn, "SELECT 1") == 1


async def test_a_path_too_long_for_a_socket_gets_a_short_one_that_goes_at_the_end(data_dir: Path) -> None:
    deep = data_dir / ("deep" * 20) / ("folder" * 10)
    with running(deep) as dsn:
        assert await answer(dsn, "SELECT 1") == 1
        postmaster = find(deep / "postgres")
        assert postmaster is not None
        assert postmaster.sockets != deep / "postgres"
    assert not postmaster.sockets.exists()


def test_a_cluster_of_another_version_is_refused_with_both_versions(data_dir: Path) -> None:
    (data_dir / "postgres").mkdir(parents=True)
    (data_dir / "postgres" / "PG_VERSION").write_text("13\n")
    with pytest.raises(ClusterBroken, match=r"PostgreSQL 13, this Muster brings 18"):
        Cluster(data_dir / "postgres").start()

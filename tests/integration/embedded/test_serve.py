"""`muster serve` and `muster migrate`: which schema they accept, and a database that goes away."""

import json
import socket
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from service.server import HEAD_LIMIT
from service.store.db.migration import migrate
from service.store.db.pool import is_lost
from service.store.db.schema import SchemaRefused, current, head, judge
from tests.downgrade import downgrade
from tests.patience import PATIENCE_S
from tests.postgres import Server, folder
from tests.service import Program, eventually, free_port, get


def serve(dsn: str) -> Program:
    """Start `muster serve` on *dsn* and a free port."""
    return Program("serve", "--dsn", dsn, "--port", str(free_port()))


async def execute(dsn: str, statement: str) -> None:
    """Run *statement* as the owner."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(statement)
    await connection.close()


def test_a_database_without_a_schema_is_refused_until_it_is_migrated(empty_dsn: str) -> None:
    with serve(empty_dsn) as program:
        assert f"the database has no schema, {head()} is needed: run `muster migrate`" in program.printed()
        assert program.process.returncode == 1
    with Program("migrate", "--dsn", empty_dsn) as program:
        assert f"The schema is at {head()}." in program.printed()
    with serve(empty_dsn) as program:
        assert get(f"{program.url()}/readyz").is_success


@pytest.mark.parametrize("command", [("verify",), ("rebuild", "--check"), ("rebuild",), ("migrate",)])
def test_a_command_on_a_database_that_is_away_says_so_without_a_stack(command: tuple[str, ...]) -> None:
    with Program(*command, "--dsn", f"postgresql://me:s3cret@127.0.0.1:{free_port()}/none") as program:
        said = program.printed()
        assert program.process.returncode == 1
    assert "does not answer" in said
    assert "Traceback" not in said
    assert "s3cret" not in said


@pytest.mark.parametrize("command", [("verify",), ("migrate",), ("serve", "--port", str(free_port()))])
def test_an_address_that_names_no_database_is_refused_as_a_setting(dsn: str, command: tuple[str, ...]) -> None:
    name = urlsplit(dsn).path.removeprefix("/")
    with Program(*command, "--dsn", dsn.replace(f"/{name}", "/nowhere", 1)) as program:
        said = program.printed()
        assert program.process.returncode == 1
    assert 'a database and a user that are there (database "nowhere" does not exist)' in said
    assert "MUSTER_DSN=" in said
    assert "Traceback" not in said


def test_an_invalid_address_is_refused_at_once(dsn: str) -> None:
    with serve(f"{dsn}{'&' if '?' in dsn else '?'}sslmode=bogus") as program:
        assert "is no address of a database" in program.printed()
        assert program.process.returncode == 1


@pytest.mark.parametrize("command", [("verify",), ("rebuild", "--check")])
def test_a_command_on_another_schema_is_refused_as_a_replica_is(empty_dsn: str, command: tuple[str, ...]) -> None:
    with Program(*command, "--dsn", empty_dsn) as program:
        assert f"the database has no schema, {head()} is needed: run `muster migrate`" in program.printed()
        assert program.process.returncode == 1


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01\0\xff", b"SING /v1/engine HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nA: \x01\r\n\r\n"]
)
def test_a_malformed_request_is_refused_with_a_problem_document(dsn: str, sent: bytes) -> None:
    with serve(dsn) as program:
        head, _, body = asked(("127.0.0.1", urlsplit(program.url()).port or 0), sent).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["type"] == "/problems/validation"


@pytest.mark.parametrize("began", [b"GET /", b"GET / HTTP/1.1\r\nA: ", b"POST /v1/claims HTTP/1.1\r\nHost: h\r\nB: "])
def test_an_endless_header_is_refused_and_a_chunked_one_is_accepted(dsn: str, began: bytes) -> None:
    """The refusal names the limit; what is behind the end of the head does not count."""
    with serve(dsn) as program:
        address = ("127.0.0.1", urlsplit(program.url()).port or 0)
        answer = asked(address, began, b"x" * HEAD_LIMIT)
        problem = json.loads(answer.partition(b"\r\n\r\n")[2])
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert (problem["field"], problem["allowed"]) == ("headers", HEAD_LIMIT)
        head = (
            b"gine/pause HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 70000\r\n"
        )
        body = b'{"reason": "tea"}'.ljust(70_000)
        answer = asked(address, b"POST /v1/en", head, b"a: " + b"x" * 30_000 + b"\r\n", b"\r\n", body[:1000], body[1000:])
        assert answer.startswith(b"HTTP/1.1 200 ")


def test_a_body_that_says_it_is_too_large_is_refused_before_it_comes(dsn: str) -> None:
    """The limit is 16 MiB; nothing of the body is sent."""
    with serve(dsn) as program:
        address = ("127.0.0.1", urlsplit(program.url()).port or 0)
        head = b"POST /v1/campaigns HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\ncontent-length: 99999999999\r\n"
        answer = asked(address, head, b"connection: close\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["allowed"] == 16 * 2**20


def asked(address: tuple[str, int], *pieces: bytes) -> bytes:
    """Send *pieces*; return everything that comes until the service hangs up."""
    with socket.create_connection(address) as line:
        for piece in pieces:
            line.sendall(piece)
        return b"".join(iter(lambda: line.recv(4096), b""))


async def test_a_newer_schema_is_refused_naming_both_versions(dsn: str) -> None:
    await execute(dsn, "UPDATE alembic_version SET version_num = '9999'")
    for words in (("serve", "--port", str(free_port())), ("migrate",)):
        with Program(*words, "--dsn", dsn) as program:
            assert f"the schema is newer: 9999, this Muster knows {head()}" in program.printed()
            assert program.process.returncode == 1


def test_an_older_schema_is_refused_naming_both_versions() -> None:
    with pytest.raises(SchemaRefused, match=f"older: 0001, {head()} is needed"):
        judge("0001")


async def test_two_deployers_at_once_leave_one_schema(empty_dsn: str) -> None:
    with Program("migrate", "--dsn", empty_dsn) as first, Program("migrate", "--dsn", empty_dsn) as second:
        for program in (first, second):
            printed = program.printed()
            assert program.process.returncode == 0, printed
    connection = await asyncpg.connect(empty_dsn)
    assert await current(connection) == head()
    await connection.close()


def test_the_schema_goes_up_down_and_up_again(empty_dsn: str) -> None:
    migrate(empty_dsn)
    downgrade(empty_dsn)
    migrate(empty_dsn)


async def test_a_connection_has_the_services_role_and_short_time_outs_and_keeps_them(pool: asyncpg.Pool) -> None:
    wanted = {
        "role": "muster_service",
        "idle_in_transaction_session_timeout": "2s",
        "lock_timeout": "2s",
        "statement_timeout": "5s",
        "application_name": "test",
    }
    for _ in range(2):
        async with pool.acquire() as connection:
            assert {name: await connection.fetchval(f"SHOW {name}") for name in wanted} == wanted


async def test_a_terminated_connection_is_lost_and_the_pool_goes_on(pool: asyncpg.Pool, dsn: str) -> None:
    async with pool.acquire() as connection:
        await execute(dsn, f"SELECT pg_terminate_backend({connection.get_server_pid()})")
        with pytest.raises(Exception, match=r".") as raised:
            await connection.fetchval("SELECT 1")
        assert is_lost(raised.value)
    assert await pool.fetchval("SELECT 1") == 1


def test_a_wrong_statement_is_not_a_lost_connection() -> None:
    assert not is_lost(asyncpg.UniqueViolationError("duplicate"))
    assert is_lost(asyncpg.LockNotAvailableError("waited too long"))
    assert is_lost(asyncpg.ProtocolViolationError("no more connections allowed (max_client_conn)"))  # as pgbouncer says it


def test_with_the_database_away_it_lives_says_so_and_returns_by_itself() -> None:
    """Promise 5: who reads the log as it grows keeps the place."""
    with folder() as place:
        server = Server(Path(place) / "postgres")
        server.cluster.start()
        try:
            dsn = server.dsn(server.create())
            migrate(dsn)
            with serve(dsn) as program:
                url = program.url()
                with httpx.stream("GET", f"{url}/v1/events/stream?kind=engine.paused", timeout=PATIENCE_S) as stream:
                    server.cluster.stop()
                    away = get(f"{url}/readyz")
                    assert (away.status_code, away.headers["retry-after"]) == (503, "1")
                    assert "the database does not answer" in away.json()["detail"]
                    assert get(f"{url}/healthz").is_success
                    refused = get(f"{url}/v1/events/stream")
                    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
                    server.cluster.start()
                    eventually(lambda: get(f"{url}/readyz").is_success)
                    assert httpx.post(f"{url}/v1/engine/pause", json={}, timeout=PATIENCE_S).is_success
                    assert any(line.startswith("event: engine.paused") for line in stream.iter_lines())
                assert "Traceback" not in program.stop()
        finally:
            server.cluster.stop()

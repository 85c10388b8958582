"""Connections to Postgres: session settings that keep locks short, and which errors mean *lost*."""

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Any

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from service.settings import SettingRefused, Settings, dsn_per_host, masked
from service.store.db.pool_metrics import ObservedPool, PoolObserver, log_statements

SERVICE_ROLE = "muster_service"

SESSION = {
    "role": SERVICE_ROLE,
    "timezone": "UTC",
    "default_transaction_isolation": "read committed",  # what follows a lock must see what the lock waited for
    "idle_in_transaction_session_timeout": "2s",
    "lock_timeout": "2s",
    "statement_timeout": "5s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "20s",
}

OF_THE_ROLE = tuple(name for name in SESSION if not name.startswith("tcp_"))
"""What a role has to bring along where a pooler stands before Postgres: sessions do not last there."""

BY_KEY = SESSION | {"enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off"}
"""For a connection all of whose statements find their rows by key: a plan made while a table is small outlives its growth."""

CONNECT_TIMEOUT_S = 10.0
COMMAND_TIMEOUT_S = 10.0
HEAD_START_S = 0.25
"""How long a host may stay silent before the next one is tried as well."""

LOST: tuple[type[BaseException], ...] = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.InvalidCachedStatementError,
    OSError,
    TimeoutError,
)
"""A connection that raised one of these is terminated, never used again."""

LOST_SQLSTATES = frozenset({"25006", "25P03", "25P04", "40001", "40P01", "55P03", "57P01", "57P02", "57P03", "57P05"})
"""Read-only after a failover, idle or busy for too long, serialisation, deadlock, lock time-out, and how Postgres goes away."""

NO_ROOM = "53"
"""The SQLSTATE class of insufficient resources: disk, memory, connections."""

REFUSED = (asyncpg.DataError, asyncpg.ProgramLimitExceededError, UnicodeError)
"""What a value is answered that is no valid text, number or JSON, or too big."""


def is_lost(error: BaseException) -> bool:
    """Tell whether *error* speaks of the connection, its locks or its server, not of the statement."""
    if is_refused(error):
        return False
    sqlstate = getattr(error, "sqlstate", None) or ""
    return isinstance(error, LOST) or sqlstate in LOST_SQLSTATES or sqlstate.startswith(NO_ROOM) or is_beyond(error)


def is_unanswered(error: BaseException) -> bool:
    """Tell whether *error* leaves a question open that can be asked again: the connection is lost, or the statement cancelled."""
    return is_lost(error) or isinstance(error, asyncpg.QueryCanceledError)


def is_beyond(error: BaseException) -> bool:
    """Tell whether *error* says that no partition takes a row: the leader has yet to make one."""
    return isinstance(error, asyncpg.CheckViolationError) and not getattr(error, "constraint_name", None)


def is_refused(error: BaseException) -> bool:
    """Tell whether *error* speaks of a value: Postgres refuses it, or asyncpg, which says so as an `InterfaceError`."""
    return isinstance(error, REFUSED) or (isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError))


async def open_pool(settings: Settings, *, name: str = "muster") -> asyncpg.Pool:
    """Open connections as the service's role, which owns no table; *name* shows in `pg_stat_activity`."""
    return await make_pool(settings, name=name)


def make_pool(settings: Settings, *, name: str = "muster", observer: PoolObserver | None = None) -> asyncpg.Pool:
    """Return a pool that opens its connections when it is awaited; *observer* measures it."""
    return ObservedPool(
        settings.dsn,
        observer=observer,
        init=None if observer is None else log_statements(observer),
        min_size=settings.pool_min_connections,
        max_size=settings.pool_max_connections,
        reset=_keep_session,
        connect=connect,
        **_manner(settings, name, SESSION),
    )


async def open_connection(settings: Settings, *, name: str, session: Mapping[str, str] = SESSION) -> asyncpg.Connection:
    """Open one connection as the service's role, for a loop that keeps it."""
    return await connect(settings.dsn, **_manner(settings, name, session))


async def connect(dsn: str, **manner: Any) -> asyncpg.Connection:  # noqa: ANN401 - asyncpg's own
    """Connect to the first host of *dsn* that fits the request; a host that does not answer does not delay the others.

    asyncpg shares one time-out between all hosts, and a silent host uses up all of it.

    Raises:
        Exception: the error of the last host, or the first error that another host would not mend.

    """
    hosts = deque(dsn_per_host(dsn))
    attempts: set[asyncio.Task[asyncpg.Connection]] = set()
    try:
        while True:
            if hosts:
                attempts.add(asyncio.ensure_future(asyncpg.connect(hosts.popleft(), **manner)))
            patience = HEAD_START_S if hosts else None
            done, _ = await asyncio.wait(attempts, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            for attempt in done:
                attempts.remove(attempt)
                if (error := attempt.exception()) is None:
                    return attempt.result()
                if not is_lost(error) or not (hosts or attempts):
                    raise error
    finally:
        for attempt in attempts:
            attempt.add_done_callback(_discard)
            attempt.cancel()


def _discard(attempt: asyncio.Task[asyncpg.Connection]) -> None:
    """End a connection that came too late."""
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().terminate()


def _manner(settings: Settings, name: str, session: Mapping[str, str]) -> dict[str, Any]:
    """Return how connections are opened; through a pooler without what would last longer than a transaction.

    Whether Postgres takes writes is not asked of a pooler, which goes on telling what it was told first: SQLSTATE 25006 says so.
    """
    times = {"timeout": CONNECT_TIMEOUT_S, "command_timeout": COMMAND_TIMEOUT_S}
    if settings.direct_dsn:
        return {**times, "statement_cache_size": 0, "server_settings": {"application_name": name}}
    named = {**session, "application_name": name}
    return {**times, "target_session_attrs": SessionAttribute.read_write, "server_settings": named}


async def require_sessions(settings: Settings) -> None:
    """Make sure that every connection will have our session settings, and that what is said to be Postgres is no pooler.

    Raises:
        SettingRefused: saying what to set, in Muster or in Postgres.

    """
    if await _pooled(settings.direct.dsn):
        name = "direct_dsn" if settings.direct_dsn else "dsn"
        allowed = "an address of Postgres itself; that of a pooler only as MUSTER_DSN, with that of Postgres as MUSTER_DIRECT_DSN"
        raise SettingRefused(name, masked(settings.direct.dsn), allowed)
    if not settings.direct_dsn:
        return
    connection = await open_connection(settings, name="muster start")
    try:
        missing = [name for name in OF_THE_ROLE if await connection.fetchval("SELECT current_setting($1)", name) != SESSION[name]]
    finally:
        await connection.close()
    if missing:
        wanted = ", ".join(f"{name} = '{SESSION[name]}'" for name in missing)
        allowed = f"through a pooler, a role that brings along {wanted} (ALTER ROLE … SET, as in ops/postgres/roles.sql)"
        raise SettingRefused("dsn", masked(settings.dsn), allowed)


async def _pooled(dsn: str) -> bool:
    """Tell whether somebody stands between *dsn* and Postgres who says another process number than the one that serves us."""
    connection = await connect(dsn, timeout=CONNECT_TIMEOUT_S, statement_cache_size=0)
    try:
        return bool(await connection.fetchval("SELECT pg_backend_pid()") != connection.get_server_pid())
    finally:
        await connection.close()


async def _keep_session(_connection: object) -> None:
    """Return a connection without a round trip: nothing of ours changes session state."""

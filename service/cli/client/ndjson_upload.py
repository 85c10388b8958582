"""Uploads units as NDJSON, reading the file while it is sent."""

import asyncio
from collections.abc import AsyncIterator
from typing import BinaryIO

import click

from service.client.api_types import ApiImport
from service.client.errors import RefusedError
from service.client.http_client import ApiClient, decoded, path_of
from service.terminal.formatting import one_line, plural

PART_BYTES = 256 * 1024


async def file_parts(file: BinaryIO) -> AsyncIterator[bytes]:
    """Yield the content of *file* as it can be read, which matters for a pipe."""
    read = getattr(file, "read1", file.read)
    while part := await asyncio.to_thread(read, PART_BYTES):
        yield part


async def upload_units(service: ApiClient, campaign: str, file: BinaryIO) -> bytes:
    """Import the units in *file*, one JSON document a line.

    Raises:
        RefusedError: a line is no unit; its problem says how many units are stored already.

    """
    try:
        return await service.send_lines(path_of("campaigns", campaign, "units"), file_parts(file))
    except RefusedError:
        click.echo(
            f"campaign {one_line(campaign)} is there; mend the file and repeat: muster unit add {one_line(campaign)} FILE",
            err=True,
        )
        raise


def import_result(body: bytes) -> str:
    """Return what an import did as a sentence."""
    did = decoded(body, ApiImport)
    return f"{plural(did.added, 'unit')} added, {did.updated:,} updated, {did.unchanged:,} unchanged"

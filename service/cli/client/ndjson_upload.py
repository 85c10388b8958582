"""A file of lines, read as it is sent."""

import asyncio
from collections.abc import AsyncIterator
from typing import BinaryIO

import click

from service.client.api_types import ApiImport
from service.client.errors import RefusedError
from service.client.http_client import ApiClient, decoded, path_of
from service.terminal.formatting import line, some

PART_BYTES = 256 * 1024


async def parts(file: BinaryIO) -> AsyncIterator[bytes]:
    """Yield what is in *file* as it comes."""
    read = getattr(file, "read1", file.read)
    while part := await asyncio.to_thread(read, PART_BYTES):
        yield part


async def upload_units(service: ApiClient, campaign: str, file: BinaryIO) -> bytes:
    """Import the units in *file*, one JSON document a line; a refusal says how many are stored already."""
    try:
        return await service.send_lines(path_of("campaigns", campaign, "units"), parts(file))
    except RefusedError:
        click.echo(
            f"campaign {line(campaign)} is there; mend the file and repeat: muster unit add {line(campaign)} FILE", err=True
        )
        raise


def counted(body: bytes) -> str:
    """Say what an import did."""
    did = decoded(body, ApiImport)
    return f"{some(did.added, 'unit')} added, {did.updated:,} updated, {did.unchanged:,} unchanged"

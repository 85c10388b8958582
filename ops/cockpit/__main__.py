"""`python -m ops.cockpit`: play the scene on a Muster of its own, and take the pictures of the cockpit's main pages."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from ops.cockpit.camera import CHROMIUM, photograph
from ops.cockpit.scene import play
from ops.cockpit.service import started

PICTURES = Path(__file__).parents[1] / "pictures"


@click.command()
@click.option("--url", help="A Muster that runs already; nothing is played on it.")
@click.option("--into", type=click.Path(path_type=Path), default=PICTURES, show_default=False, help="Folder of the pictures.")
@click.option("--pace", default=3.0, show_default=True, help="Seconds between two steps of the scene.")
def screenshots(url: str | None, into: Path, pace: float) -> None:
    """Write PNG pictures of the main pages; needs Debian's chromium."""
    if not Path(CHROMIUM).exists():
        raise click.ClickException(f"{CHROMIUM} is missing: apt-get install chromium")
    into.mkdir(parents=True, exist_ok=True)
    with shown(url, pace) as address:
        for path in photograph(address, into):
            print(path)


@contextmanager
def shown(url: str | None, pace: float) -> Iterator[str]:
    """Give the address of the Muster to photograph."""
    if url is not None:
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="muster-") as folder, started(Path(folder)) as address:
        play(address, pace)
        yield address


if __name__ == "__main__":
    try:
        screenshots()
    except subprocess.CalledProcessError as error:
        sys.exit(str(error))

"""`python -m ops.cockpit`: after the demo night, and with a scene that still runs, take the pictures of the cockpit's pages."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from ops.cockpit.camera import CHROMIUM, NIGHT, photograph
from ops.cockpit.scene import play
from ops.cockpit.service import started
from ops.demo.muster import Muster
from ops.demo.night.run import night

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
    with muster_to_photograph(url, pace) as address:
        for path in photograph(address, into):
            print(path)


@contextmanager
def muster_to_photograph(url: str | None, pace: float) -> Iterator[str]:
    """Yield the address of a Muster to photograph: *url*, or a temporary one with the demo's data."""
    if url is not None:
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="muster-") as folder, started(Path(folder)) as address:
        with Muster(address) as muster:
            if not night(muster, NIGHT):
                raise click.ClickException("not every unit of the night is accounted for")
        play(address, pace)
        yield address


if __name__ == "__main__":
    try:
        screenshots()
    except subprocess.CalledProcessError as error:
        sys.exit(str(error))

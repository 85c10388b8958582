"""All dashboards side by side in one picture."""

from pathlib import Path

from PIL import Image

from grafana.preview import theme

WIDTH, HEIGHT, ACROSS, GAP = 800, 640, 2, 14
COLOURS = 256


def contact_sheet(files: list[Path], path: Path) -> None:
    """Put the upper part of each picture of *files* into *path*."""
    down = -(-len(files) // ACROSS)
    whole = Image.new("RGB", (ACROSS * (WIDTH + GAP) + GAP, down * (HEIGHT + GAP) + GAP), theme.PAGE)
    for index, file in enumerate(files):
        with Image.open(file) as picture:
            scaled = picture.convert("RGB").resize((WIDTH, picture.height * WIDTH // picture.width), Image.Resampling.LANCZOS)
        place = GAP + index % ACROSS * (WIDTH + GAP), GAP + index // ACROSS * (HEIGHT + GAP)
        whole.paste(scaled.crop((0, 0, WIDTH, min(HEIGHT, scaled.height))), place)
    whole.save(path)


def shrink(path: Path) -> None:
    """Write the picture at *path* anew with a palette, at a third of its size."""
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    small.save(path, optimize=True)

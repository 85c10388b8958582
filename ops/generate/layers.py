"""Write the picture of packages and layers into ops/ARCHITECTURE.md; `--check` only compares.

The layers are those of the contract in pyproject.toml; what a package is and what it imports comes from the code.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[2]
TARGET = ROOT / "ops" / "ARCHITECTURE.md"
BEGIN, END = "<!-- layers: written by ops/generate/layers.py -->", "<!-- layers: end -->"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONTRACT = next(one for one in PYPROJECT["tool"]["importlinter"]["contracts"] if one["type"] == "layers")
LAYERS: list[list[str]] = [re.findall(r"[\w.]+", layer) for layer in CONTRACT["layers"]]
GRAPH = grimp.build_graph(*PYPROJECT["tool"]["importlinter"]["root_packages"], cache_dir=None)


def package_of(module: str) -> str:
    """Return the package of the second level that *module* is in.

    >>> package_of("service.domain.events.unit")
    'service.domain'
    """
    return ".".join(module.split(".")[:2])


def packages() -> set[str]:
    """Return every package and module of the second level that the code has."""
    return {package_of(module) for module in GRAPH.modules if "." in module}


def require_drawn() -> None:
    """End with a message when contract and code do not name the same packages."""
    drawn = {name for layer in LAYERS for name in layer}
    if without_layer := sorted(packages() - drawn):
        sys.exit(f"no layer in pyproject.toml for {', '.join(without_layer)}")
    if without_code := sorted(drawn - packages()):
        sys.exit(f"no package in the code for {', '.join(without_code)}, which pyproject.toml gives a layer")


def imports_of(package: str) -> list[str]:
    """Return the other packages that *package* imports, in the order of the layers."""
    inside = {package} | GRAPH.find_descendants(package)
    imported = {package_of(target) for module in inside for target in GRAPH.find_modules_directly_imported_by(module)}
    return [name for layer in LAYERS for name in layer if name in imported - {package}]


def purpose(package: str) -> str:
    """Return the first sentence of the docstring of *package*."""
    text = ast.get_docstring(ast.parse(source(package).read_text(encoding="utf-8"))) or ""
    return re.split(r"(?<=\.)\s", text.splitlines()[0])[0]


def source(package: str) -> Path:
    """Return the file that holds the docstring of *package*."""
    folder = ROOT / package.replace(".", "/")
    return folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")


def node(package: str) -> str:
    """Return the Mermaid id of *package*."""
    return package.replace(".", "_")


def diagram() -> Iterator[str]:
    """Yield the lines of the picture: one row for each layer, and an arrow from each to the next."""
    yield "```mermaid"
    yield "flowchart TB"
    for number, layer in enumerate(LAYERS, start=1):
        yield f'  subgraph L{number}[" "]'
        yield "    direction LR"
        yield from (f'    {node(name)}["{name}"]:::{name.split(".")[0]}' for name in layer)
        yield "  end"
    yield from (f"  L{number} --> L{number + 1}" for number in range(1, len(LAYERS)))
    yield "  classDef service fill:#dbeafe,stroke:#1d4ed8,color:#172554"
    yield "  classDef projections fill:#dcfce7,stroke:#15803d,color:#052e16"
    yield "```"


def table() -> Iterator[str]:
    """Yield the lines of the table: layer, package, what it is, what it imports."""
    yield "| layer | package | what it is | imports |"
    yield "|---|---|---|---|"
    for number, layer in enumerate(LAYERS, start=1):
        for name in layer:
            path = f"../{source(name).relative_to(ROOT).as_posix().removesuffix('/__init__.py')}"
            imported = ", ".join(f"`{one}`" for one in imports_of(name)) or "nothing of ours"
            yield f"| {number} | [`{name}`]({path}) | {purpose(name)} | {imported} |"


def section() -> str:
    """Return what stands between the markers."""
    return "\n".join([BEGIN, "", *diagram(), "", *table(), "", END])


def main() -> None:
    """Write the section or, with `--check`, say that it is stale."""
    require_drawn()
    text = TARGET.read_text(encoding="utf-8")
    start, end = text.index(BEGIN), text.index(END) + len(END)
    fresh = text[:start] + section() + text[end:]
    if fresh == text:
        return
    if "--check" in sys.argv[1:]:
        sys.exit("stale, run `make generate`: ARCHITECTURE.md")
    TARGET.write_text(fresh, encoding="utf-8")
    print("written: ops/ARCHITECTURE.md")


if __name__ == "__main__":
    main()

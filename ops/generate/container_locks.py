"""Write ops/container/*.lock, what the image needs of ops/requirements.lock; `--check` only compares.

The lock of the project holds the developers' tools too. An image takes two parts of it, with the same versions and hashes: what
Muster runs on, and what makes its wheel.
"""

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
TARGET = ROOT / "ops/container"
LINUX = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "implementation_name": "cpython"}
PLATFORMS = [
    LINUX | {"python_version": f"3.{minor}", "python_full_version": f"3.{minor}.0", "platform_machine": machine}
    for minor in range(11, 15)
    for machine in ("x86_64", "aarch64")
]
PIN = re.compile(r"^(?P<name>[\w.-]+)==", re.MULTILINE)


def locked() -> dict[str, str]:
    """Return each entry of the project's lock, pin and hashes, by its name."""
    text = (ROOT / "ops/requirements.lock").read_text(encoding="utf-8")
    starts = list(PIN.finditer(text))
    ends = [start.start() for start in starts[1:]] + [len(text)]
    return {canonicalize_name(start["name"]): text[start.start() : end] for start, end in zip(starts, ends, strict=True)}


def requirement_on_linux(text: str, extra: str) -> Requirement | None:
    """Return the requirement, or None when its marker excludes every supported Linux."""
    requirement = Requirement(text)
    marker = requirement.marker
    needed = marker is None or any(marker.evaluate(platform | {"extra": extra}) for platform in PLATFORMS)
    return requirement if needed else None


def below(name: str, extras: Iterable[str]) -> Iterator[Requirement]:
    """Yield what the installed *name* asks for; nothing of one that is installed elsewhere only."""
    try:
        texts = requires(name) or []
    except PackageNotFoundError:
        return
    for extra in ("", *extras):
        for text in texts:
            if requirement := requirement_on_linux(text, extra):
                yield requirement


def closure(roots: Iterable[str]) -> set[str]:
    """Return the names of *roots* and of everything below them."""
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [Requirement(root) for root in roots]
    while waiting:
        requirement = waiting.pop()
        step = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if step not in seen:
            seen.add(step)
            waiting += below(*step)
    return {name for name, _ in seen}


def parts() -> dict[str, str]:
    """Return the text of each file; a need that the lock does not have ends here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    entries = locked()
    roots = {"requirements.lock": project["project"]["dependencies"], "build.lock": project["build-system"]["requires"]}
    return {name: "".join(entries[each] for each in sorted(closure(needs))) for name, needs in roots.items()}


stale = {
    name: text
    for name, text in parts().items()
    if not (TARGET / name).exists() or (TARGET / name).read_text(encoding="utf-8") != text
}
if "--check" in sys.argv[1:]:
    sys.exit(f"stale, run `make generate`: {', '.join(sorted(stale))}" if stale else 0)
for name, text in stale.items():
    TARGET.mkdir(parents=True, exist_ok=True)
    (TARGET / name).write_text(text, encoding="utf-8")
    print(f"written: ops/container/{name}")

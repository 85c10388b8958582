"""Write the dashboards, or check that those written are the ones that the boards describe.

python -m grafana.build            write grafana/dashboards/*.json
python -m grafana.build --check    exit 1 when a file differs
"""

import argparse
import json
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from grafana.boards import campaign, failures, fleet, log, quota, service, workers
from grafana.layout import frame
from grafana.panel import Board

BOARDS = tuple(module.BOARD for module in (fleet, campaign, workers, failures, quota, service, log))
DASHBOARDS = Path(__file__).parent / "dashboards"


def built() -> dict[str, str]:
    """Return the text of each dashboard by its file's name."""
    return {f"{board.uid}.json": written(board) for board in BOARDS}


def written(board: Board) -> str:
    """Return *board* as JSON; what the SDK adds for unreleased Grafanas is left out."""
    plain = json.loads(JSONEncoder(sort_keys=True).encode(frame(board)))
    return json.dumps(without(plain, "placement"), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def without(tree: Any, key: str) -> Any:  # noqa: ANN401  # JSON has no narrower type
    """Return *tree* without *key* in links and annotations, where it is no option of a legend or an axis."""
    if isinstance(tree, dict):
        drop = "url" in tree or "iconColor" in tree or "asDropdown" in tree
        return {name: without(value, key) for name, value in tree.items() if not (drop and name == key)}
    return [without(value, key) for value in tree] if isinstance(tree, list) else tree


def stale(folder: Path) -> list[str]:
    """Return the names of files in *folder* that are not the ones built."""
    now = built()
    there = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in now.keys() | there.keys() if now.get(name) != there.get(name))


def main() -> None:
    """Write or check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    if parser.parse_args().check:
        if names := stale(DASHBOARDS):
            raise SystemExit(f"not as the boards describe: {', '.join(names)}; run `make generate`")
        return
    DASHBOARDS.mkdir(exist_ok=True)
    for name in stale(DASHBOARDS):
        (DASHBOARDS / name).unlink(missing_ok=True)
    for name, text in built().items():
        (DASHBOARDS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

"""Draw every dashboard from a running Prometheus.

MUSTER_PROMETHEUS=http://127.0.0.1:9090 python -m grafana.preview
"""

import argparse
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx

from grafana.build import BOARDS
from grafana.preview.answer import Source
from grafana.preview.contact_sheet import contact_sheet, shrink
from grafana.preview.dashboard_sheet import sheet
from grafana.substitute import VariableValues

PICTURES = Path(__file__).parents[2] / "ops/pictures"
POINTS = 180


def main() -> None:
    """Draw each board into its file and all of them into one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prometheus", default=os.environ.get("MUSTER_PROMETHEUS", "http://127.0.0.1:9090"))
    parser.add_argument("--hours", type=float, default=6.0, help="length of the range")
    parser.add_argument("--at", type=float, default=time.time(), help="its end, in seconds since 1970")
    parser.add_argument("--campaign", default="", help="what the campaign's board shows; the largest when not given")
    parser.add_argument("--note", default="", help="what stands in the upper right corner, beside the time")
    parser.add_argument("--into", type=Path, default=PICTURES, help="the folder of the pictures")
    chosen = parser.parse_args()
    chosen.into.mkdir(parents=True, exist_ok=True)
    with httpx.Client(base_url=chosen.prometheus, timeout=30, trust_env=False) as client:
        source = prometheus_source(client, chosen.at, chosen.hours, chosen.campaign)
        note = " · ".join(
            part
            for part in (chosen.note, f"{chosen.hours:g} h to {datetime.fromtimestamp(chosen.at, UTC):%d %b %H:%M} UTC")
            if part
        )
        files = [chosen.into / f"{board.uid}.png" for board in BOARDS]
        for board, path in zip(BOARDS, files, strict=True):
            empty = sheet(board, source, note, path)
            print(f"{path.name}: {len(board.panels)} panels" + (f", no data: {', '.join(empty)}" if empty else ""))
    whole = chosen.into / "dashboards.png"
    contact_sheet(files, whole)
    for path in (*files, whole):
        shrink(path)


def prometheus_source(client: httpx.Client, at: float, hours: float, campaign: str) -> Source:
    """Return the Prometheus source of a range, for *campaign* or else the campaign with most units."""
    step = max(int(hours * 3600 / POINTS), 1)
    source = Source(client, at, VariableValues(range_s=int(hours * 3600), step_s=step, campaign=campaign))
    if campaign:
        return source
    found = source.get("query", query="topk(1, sum by (campaign) (muster_campaign_units))", time=at)
    name = found[0]["metric"].get("campaign", "") if found else "none"
    return Source(client, at, VariableValues(range_s=int(hours * 3600), step_s=step, campaign=name))


if __name__ == "__main__":
    main()

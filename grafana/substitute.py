"""The variables of Grafana with values, so that Prometheus itself can be asked."""

import re
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Chosen:
    """What a reader has chosen: the range in seconds, the step between points, the time between scrapes, and one campaign."""

    range_s: int = 21_600
    step_s: int = 120
    scrape_s: int = 15
    campaign: str = "nightly"

    def wider(self, points: int) -> "Chosen":
        """Return the same with at most *points* points."""
        return replace(self, step_s=max(self.step_s, self.range_s // points))

    def put_into(self, expr: str) -> str:
        """Return *expr* with every variable replaced, as Grafana does it.

        >>> Chosen(campaign="a").put_into('rate(x{job=~"$job",campaign="$campaign"}[$__rate_interval])')
        'rate(x{job=~".*",campaign="a"}[135s])'
        """
        values = {
            "__range": f"{self.range_s}s",
            "__interval": f"{max(self.step_s, 60)}s",
            "__rate_interval": f"{max(self.step_s + self.scrape_s, 4 * self.scrape_s)}s",
        }
        for name, value in sorted(values.items(), reverse=True):
            expr = re.sub(rf"\${name}\b", value, expr)
        one = re.sub(r'="\$campaign"', f'="{self.campaign}"', expr)
        return re.sub(r'=~"\$(job|campaign|worker|instance)"', '=~".*"', one)

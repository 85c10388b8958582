"""Replaces Grafana's variables with values, so that a query can be sent to Prometheus itself."""

import re
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class VariableValues:
    """The chosen values: the range in seconds, the step between points, the time between scrapes, and one campaign."""

    range_s: int = 21_600
    step_s: int = 120
    scrape_s: int = 15
    campaign: str = "nightly"

    def wider(self, points: int) -> "VariableValues":
        """Return the same with at most *points* points."""
        return replace(self, step_s=max(self.step_s, self.range_s // points))

    def substitute(self, expr: str) -> str:
        """Return *expr* with every variable replaced, as Grafana does it.

        >>> VariableValues(campaign="a").substitute('rate(x{job=~"$job",campaign="$campaign"}[$__rate_interval])')
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

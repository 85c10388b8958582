"""What a rule is: one line of the tables in this folder."""

from dataclasses import dataclass, field
from textwrap import dedent
from typing import Literal

from ops.rules.notation import expand

Severity = Literal["critical", "warning", "info", "none"]
Dashboard = Literal[
    "muster-fleet", "muster-campaign", "muster-workers", "muster-failures", "muster-quota", "muster-service", "muster-log"
]

GRAFANA = "http://127.0.0.1:3000"
RUNBOOKS = "http://127.0.0.1:9099/runbooks"


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A series computed ahead of its use."""

    record: str
    expr: str

    @property
    def promql(self) -> str:
        """The expression, expanded."""
        return expand(dedent(self.expr).strip())


@dataclass(frozen=True, kw_only=True)
class Alert:
    """A condition that a person should know.

    *lasting* is how long it must hold (`for`). *subject* is the label that the dashboard can be narrowed to. *labels* tells rules
    of one name apart.
    """

    name: str
    severity: Severity
    expr: str
    summary: str
    description: str
    dashboard: Dashboard
    lasting: str = ""
    subject: Literal["campaign", "worker", "instance", ""] = ""
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The name, with what tells this rule from others of that name."""
        return " ".join((self.name, self.labels.get("long", self.severity)))

    @property
    def promql(self) -> str:
        """The expression, expanded."""
        return expand(dedent(self.expr).strip())

    @property
    def annotations(self) -> dict[str, str]:
        """What a notification shows, as templates of Prometheus."""
        # A worker's id is free text; campaigns are slugs and need no escaping.
        value = f"{{{{ $labels.{self.subject}{' | urlquery' if self.subject != 'campaign' else ''} }}}}"
        return {
            "summary": self.summary,
            "description": self.description,
            "runbook_url": f"{RUNBOOKS}/{self.name}.md",
            "dashboard_url": f"{GRAFANA}/d/{self.dashboard}" + (f"?var-{self.subject}={value}" if self.subject else ""),
        }


@dataclass(frozen=True, kw_only=True)
class Group:
    """Rules that are evaluated one after the other."""

    name: str
    rules: tuple[Alert, ...] | tuple[Recording, ...]

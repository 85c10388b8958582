"""The command line. The module of a command is imported when the command runs."""

from importlib import import_module
from typing import NamedTuple

import click
from click.shell_completion import CompletionItem
from typing_extensions import override

from service.settings import StartRefused


class LazyCommand(NamedTuple):
    """The module of a command below `service.cli`, and its summary, which the list of commands shows without an import."""

    module: str
    summary: str


COMMANDS = {
    "campaign": LazyCommand("client.campaign", "See and steer campaigns."),
    "completion": LazyCommand(
        "client.completion", "Print the completion of commands, options, campaigns, units and workers for SHELL."
    ),
    "config": LazyCommand("server.config", "Print every setting with its value and meaning, secrets masked."),
    "engine": LazyCommand("client.engine", "See and steer the whole installation: its pause switch and its pool."),
    "events": LazyCommand("client.events", "Read the log, or follow it."),
    "metrics": LazyCommand("server.metrics", "Compute metrics of the past from the log."),
    "migrate": LazyCommand("server.database_commands", "Bring the schema up to date; a second deployer waits for the first."),
    "quota": LazyCommand("client.quota", "See quotas: whose gate is closed, why, and until when."),
    "rebuild": LazyCommand(
        "server.database_commands",
        "Compute state, views and series from the log beside the live ones, and swap; the service may run meanwhile.",
    ),
    "serve": LazyCommand("server.serve", "Run one replica against any Postgres; start as many as you like."),
    "top": LazyCommand(
        "client.top", "Watch campaigns, units, workers, quarantine, events and engine live, and steer them; ? shows the keys."
    ),
    "traces": LazyCommand("server.traces", "Compute traces of past executions from the log."),
    "unit": LazyCommand("client.unit", "See and steer the units of a campaign."),
    "up": LazyCommand("server.up", "Run Muster on this machine until Ctrl-C; everything it stores stays in DIR."),
    "verify": LazyCommand("server.database_commands", "Print one line for each invariant; exit 1 when one is broken."),
    "work": LazyCommand(
        "client.work", "Run COMMAND once per unit, with {key}, {campaign}, {attempt} and {payload.FIELD} filled in."
    ),
    "worker": LazyCommand("client.worker", "See and steer workers."),
}
"""Every command by its name."""


class LazyGroup(click.Group):
    """A group that imports a command when it is needed, so that `muster --help` and small commands start quickly."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"{__name__}.{COMMANDS[cmd_name].module}"), cmd_name)
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.summary) for name, command in COMMANDS.items()])

    @override
    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        commands = [
            CompletionItem(name, help=command.summary) for name, command in COMMANDS.items() if name.startswith(incomplete)
        ]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]

    @override
    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except StartRefused as refused:
            raise click.ClickException(str(refused)) from refused


@click.command(cls=LazyGroup)
@click.version_option(package_name="muster")
def main() -> None:
    """Muster: the control plane of campaigns, and the truth about their work."""

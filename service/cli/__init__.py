"""The command line: one file a command, imported when it is asked for."""

from importlib import import_module

import click
from typing_extensions import override

from service.settings import StartRefused

COMMANDS = {
    "campaign": "service.cli.campaign:campaign",
    "completion": "service.cli.completion:completion",
    "config": "service.cli.config:config",
    "engine": "service.cli.engine:engine",
    "events": "service.cli.events:events",
    "metrics": "service.cli.metrics:metrics",
    "migrate": "service.cli.migrate:migrate",
    "quota": "service.cli.quota:quota",
    "rebuild": "service.cli.rebuild:rebuild",
    "serve": "service.cli.serve:serve",
    "top": "service.cli.top:top",
    "traces": "service.cli.traces:traces",
    "unit": "service.cli.unit:unit",
    "up": "service.cli.up:up",
    "verify": "service.cli.verify:verify",
    "work": "service.cli.work:work",
    "worker": "service.cli.worker:worker",
}
"""Where each command lives: `module:name`."""


class LazyGroup(click.Group):
    """A group whose commands are imported one by one, so that a small command starts quickly."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

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

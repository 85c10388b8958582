"""`muster completion`: what a shell needs to complete our words."""

import click
from click.shell_completion import get_completion_class

from service.cli.client.remote import example

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
@example(
    "muster completion bash > ~/.local/share/bash-completion/completions/muster",
    "muster completion zsh > ~/.zfunc/_muster",
    "muster completion fish > ~/.config/fish/completions/muster.fish",
)
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion of commands, options, campaigns, units and workers for SHELL."""
    kind = get_completion_class(shell)
    assert kind is not None, "every shell of the choice is one of click's"
    click.echo(kind(ctx.find_root().command, {}, "muster", "_MUSTER_COMPLETE").source())

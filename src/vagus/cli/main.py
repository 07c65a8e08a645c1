"""The command ``vagus``: finds the command's module when it is asked for, and turns errors into exit codes."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import NoReturn

import click

from vagus import __version__
from vagus.errors import VagusError

#: Command -> (module, one line for the list). Modules are imported only when their command runs.
COMMANDS = {
    "run": ("vagus.cli.run", "The main job: simulate, analyze, compare with what was published, report."),
    "check": ("vagus.cli.check", "Check a protocol and say what it plans."),
    "simulate": ("vagus.cli.simulate", "Simulate a trial and keep its data."),
    "analyze": ("vagus.cli.analyze", "Carry out the planned analysis on real data or on a run."),
    "report": ("vagus.cli.report", "Write the report of a finished run again."),
    "products": ("vagus.cli.products", "List the products and what they are made of."),
    "protocols": ("vagus.cli.protocols", "List the bundled protocols."),
    "doctor": ("vagus.cli.doctor", "Check this installation."),
}


class LazyGroup(click.Group):
    """A group that knows its commands' names and help without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of the user's way."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(COMMANDS[cmd_name][0]).command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list from the table above."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="vagus")
def group() -> None:
    """Does a gut intervention make a difference to sleep and mood?

    TRIAL is a protocol file or the id of a bundled protocol, for example: vagus run efficad
    """


def entry() -> NoReturn:
    """Run the command line; exit 0 ok, 1 wrong input, 2 a check failed, 3 partial, 130 stopped."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    try:
        result = group.main(args=arguments, prog_name="vagus", standalone_mode=False)
    except click.UsageError as error:
        hint = f"\nTry: {error.ctx.command_path} --help" if error.ctx else ""
        click.echo(f"{error.format_message()}{hint}", err=True)
        return 1
    except click.ClickException as error:
        click.echo(error.format_message(), err=True)
        return 1
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        return 130
    except VagusError as error:
        click.echo(str(error), err=True)
        return error.exit_code
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    return result if isinstance(result, int) else 0

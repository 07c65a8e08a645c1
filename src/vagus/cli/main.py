"""The command ``vagus``: finds the command's module when it is asked for, and turns errors into exit codes."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from typing import NoReturn

import click

from vagus import __version__
from vagus.cli.output import complain
from vagus.errors import VagusError, nearest

STOPPED = 130

#: Command -> (module, one line for the list). Modules are imported only when their command runs.
COMMANDS = {
    "run": ("vagus.cli.run", "The main job: simulate, analyze, compare with what was published, report."),
    "check": ("vagus.cli.check", "Check a protocol and say what it plans."),
    "simulate": ("vagus.cli.simulate", "Simulate a trial and keep its data."),
    "analyze": ("vagus.cli.analyze", "Carry out the planned analysis on real data or on a run."),
    "report": ("vagus.cli.report", "Write the report of a finished run again."),
    "validate": ("vagus.cli.validate", "Hold the model against data and published models."),
    "model": ("vagus.cli.model", "Read, check, compare and export the model."),
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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments begin with; an unknown one is refused with the nearest name."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(f'Command must be one of vagus, got "{args[0]}"; {nearest(args[0], COMMANDS)}', ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list from the table above."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: vagus run efficad --seed 1",
)
@click.version_option(__version__, prog_name="vagus")
def group() -> None:
    """Ask whether a gut intervention makes a difference to sleep and mood.

    TRIAL is a protocol file or the id of a bundled protocol. Every command has its own --help.
    """


def entry() -> NoReturn:
    """Run the command line; exit 0 ok, 1 wrong input, 2 a check failed, 3 partial, 130 stopped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a narrow code page shows a mark instead of failing
            stream.reconfigure(errors="replace")
    code = run(sys.argv[1:])
    if code == STOPPED:
        # Leave at once: a second Ctrl-C must not break into the shutdown, and Python would report a Ctrl-C that arrived
        # during an import as a death by signal although it was handled.
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; no exception gets through, no traceback is shown.

    Parameters
    ----------
    arguments : list of str
        What stands behind ``vagus``.

    Returns
    -------
    int
        0 ok, 1 wrong input or usage, 2 a check failed, 3 some simulations failed, 130 stopped by the user.
    """
    if not arguments:
        click.echo(group.get_help(click.Context(group, info_name="vagus")), err=True)
        return 1
    try:
        result = group.main(args=arguments, prog_name="vagus", standalone_mode=False)
        sys.stdout.flush()
    except click.UsageError as error:
        hint = f" Try: {error.ctx.command_path} --help" if error.ctx else ""
        complain(f"{error.format_message()}{hint}")
        return 1
    except click.ClickException as error:
        complain(error.format_message())
        return 1
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        complain("Stopped.")
        return STOPPED
    except VagusError as error:
        complain(error)
        return error.exit_code
    except (BrokenPipeError, SystemExit):  # the reader of a pipe (head, less) has seen enough; click and rich then exit
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that the last flush does not fail too
        return 0
    except MemoryError:
        complain("There is not enough memory; simulate fewer people (--set population.n=...) or fewer --draws.")
        return 1
    except Exception as error:
        if os.environ.get("VAGUS_TRACEBACK"):
            raise
        complain(f"{_describe(error)} Please report it with the command; VAGUS_TRACEBACK=1 shows the whole way there.")
        return 1
    return result if isinstance(result, int) else 0


def _describe(error: Exception) -> str:
    """Say what went wrong inside vagus, and where."""
    step, where = error.__traceback__, ""
    while step is not None:
        name = step.tb_frame.f_globals.get("__name__", "")
        where = f" ({name}, line {step.tb_lineno})" if str(name).startswith("vagus") else where
        step = step.tb_next
    return f"This is an error of vagus, not of your input: {type(error).__name__}: {error}{where}."

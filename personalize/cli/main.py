"""The command `personalize`: the editors' and operators' desk in a terminal.

Exit codes: 0 all is well, 1 something is wrong with a file, 2 the command was not understood or could not do its
work, with one line that says why.
"""

import os
from collections.abc import Mapping
from importlib import import_module
from keyword import iskeyword
from pathlib import Path

import click

from personalize.cli.findings import Failed, Findings
from personalize.compiled import IS_COMPILED
from personalize.errors import InvalidFiles, PersonalizeError, SettingsError

#: What each does, in the order in which a site needs them. The help tells it without importing any of them.
COMMANDS: Mapping[str, str] = {
    "init": "Write the files of a new site, with comments that explain them.",
    "check": "Say everything that is wrong with the rule and content files.",
    "fmt": "Put rule files into one stable form; their meaning and comments stay.",
    "schema": "Print the JSON Schema of the rule files, for editors that complete.",
    "plan": "Say what publishing the files would change, and for whom.",
    "publish": "Check the files and make them live.",
    "rollback": "Make an earlier version live again.",
    "purge-keys": "Say what an edge has to forget after a publish.",
    "switch": "Leave every page untouched, or personalize again.",
    "serve": "Serve the site on this machine, now or as it was.",
    "proxy": "Stand before a site in any language, and fill its slots.",
    "api": "Serve the JSON API alone, for other channels.",
    "describe": "Say in sentences what segments, slots and rules do.",
    "explain": "Say what a slot shows to a visitor, and why.",
    "preview": "Print a link that shows a page as a persona would see it.",
    "simulate": "Say whom each rule would reach, and who would see something else than now.",
    "segments": "Count the visitors in each segment, now or at a moment of the past.",
    "import": "Read what happened elsewhere from a file, each row once.",
    "export": "Write all events, and profiles for bulk work, to files.",
    "backup": "Copy the store to a file, and see that the copy is whole.",
    "restore": "Put a backup in the place of the store.",
    "rebuild": "Make all profiles from the log again.",
    "migrate-store": "Move everything that is stored to another store.",
    "download": "Write down all that is kept of one visitor, for themselves.",
    "undo-join": "Part a browser's past from the login that took it over.",
    "erase": "Erase all that is kept of a visitor.",
    "erase-again": "Erase whom another copy of the store has erased, after a backup was restored.",
    "compact": "Free the files of the store from all bytes of what was deleted.",
    "token": "Make, list and revoke tokens of the API.",
    "openapi": "Print the description of the JSON API (OpenAPI 3.1).",
    "webhooks": "Say what webhooks have yet to be told.",
}

#: What `--version` says; compiled are the modules that a page goes through, or none.
VERSION = f"personalize %(version)s (compiled: {'yes' if IS_COMPILED else 'no'})"


class Commands(click.Group):
    """Commands that are imported when they are named; errors of ours end as words, never as a traceback.

    Each is what its module in `personalize.cli` is named for; `import`, a word of Python's, is `import_` there, and
    words are joined by `_`.
    What the group itself holds are stand-ins, which give the names, their order, and what the help says of each.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order in which they were given."""
        return list(self.commands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None."""
        if cmd_name not in self.commands:
            return None
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name.replace("-", "_")
        command: click.Command = getattr(import_module(f"personalize.cli.{name}"), name)
        command.short_help = self.commands[cmd_name].short_help
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with what each does."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, one.short_help or "") for name, one in self.commands.items()])

    def invoke(self, ctx: click.Context) -> object:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except (SettingsError, InvalidFiles) as error:
            raise Findings(error.problems) from error
        except PersonalizeError as error:
            raise Failed(str(error)) from error
        except click.NoSuchOption as error:
            if error.option_name != "--settings" or error.ctx is None:
                raise
            where = f"--settings stands before the command: personalize --settings PATH {error.ctx.info_name}"
            raise click.UsageError(where, error.ctx) from error


@click.group(
    cls=Commands,
    commands=[click.Command(name, short_help=says) for name, says in COMMANDS.items()],
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--settings",
    metavar="PATH",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The site's settings; else PERSONALIZE_SETTINGS, else personalize.toml in this folder.",
)
@click.version_option(package_name="personalize", message=VERSION)
@click.pass_context
def main(ctx: click.Context, settings: Path | None) -> None:
    """Show each visitor the content that your rules promise.

    Rules and content are files that editors write. "check" reads them, "publish" makes them live, "explain" says
    why a visitor sees what they see.
    """
    if os.environ.get("NO_COLOR"):
        ctx.color = False
    from personalize.cli.site import Site  # noqa: PLC0415  # what reads a site is not needed for the help

    ctx.obj = Site(settings, os.environ)


if __name__ == "__main__":
    main()

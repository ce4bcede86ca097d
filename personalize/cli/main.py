"""The command `personalize`: the editors' and operators' desk in a terminal.

Exit codes: 0 all is well, 1 something is wrong with a file, 2 the command was not understood or could not do its
work, with one line that says why.
"""

import os
from importlib import import_module
from keyword import iskeyword
from pathlib import Path

import click

from personalize.cli.findings import Failed, Findings
from personalize.cli.site import Site
from personalize.errors import InvalidFiles, PersonalizeError, SettingsError

#: In the order in which a site needs them.
COMMANDS = (
    *("init", "check", "fmt", "schema", "plan", "publish", "rollback", "purge-keys", "switch"),
    *("serve", "proxy", "api"),
    *("describe", "explain", "preview", "simulate", "segments", "import", "export", "backup", "restore", "rebuild"),
    *("migrate-store", "download", "undo-join", "erase", "compact", "token", "openapi", "webhooks"),
)


class Commands(click.Group):
    """Commands that are imported when they are named; errors of ours end as words, never as a traceback.

    Each is what its module in `personalize.cli` is named for; `import`, a word of Python's, is `import_` there, and
    words are joined by `_`.
    What the group itself holds are stand-ins, which give the names and their order.
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
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except (SettingsError, InvalidFiles) as error:
            raise Findings(error.problems) from error
        except PersonalizeError as error:
            raise Failed(str(error)) from error


@click.group(
    cls=Commands,
    commands=[click.Command(name) for name in COMMANDS],
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--settings",
    metavar="PATH",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The site's settings; else PERSONALIZE_SETTINGS, else personalize.toml in this folder.",
)
@click.version_option(package_name="personalize", message="personalize %(version)s")
@click.pass_context
def main(ctx: click.Context, settings: Path | None) -> None:
    """Show each visitor the content that your rules promise.

    Rules and content are files that editors write. "check" reads them, "publish" makes them live, "explain" says
    why a visitor sees what they see.
    """
    if os.environ.get("NO_COLOR"):
        ctx.color = False
    ctx.obj = Site(settings, os.environ)


if __name__ == "__main__":
    main()

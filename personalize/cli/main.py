"""The command `personalize`: the editors' and operators' desk in a terminal.

Exit codes: 0 all is well, 1 something is wrong with a file, 2 the command was not understood or could not do its
work, with one line that says why.
"""

import os
from pathlib import Path

import click

from personalize.cli.check import check
from personalize.cli.describe import describe
from personalize.cli.explain import explain
from personalize.cli.findings import Failed, Findings
from personalize.cli.fmt import fmt
from personalize.cli.import_ import import_
from personalize.cli.init import init
from personalize.cli.plan import plan
from personalize.cli.preview import preview
from personalize.cli.proxy import proxy
from personalize.cli.publish import publish
from personalize.cli.rebuild import rebuild
from personalize.cli.rollback import rollback
from personalize.cli.schema import schema
from personalize.cli.segments import segments
from personalize.cli.serve import serve
from personalize.cli.simulate import simulate
from personalize.cli.site import Site
from personalize.cli.switch import switch
from personalize.errors import InvalidFiles, PersonalizeError, SettingsError


class Commands(click.Group):
    """The commands in the order in which a site needs them; errors of ours end as words, never as a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order in which they were added."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> object:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except (SettingsError, InvalidFiles) as error:
            raise Findings(error.problems) from error
        except PersonalizeError as error:
            raise Failed(str(error)) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
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


for command in (
    init,
    check,
    fmt,
    schema,
    plan,
    publish,
    rollback,
    switch,
    serve,
    proxy,
    describe,
    explain,
    preview,
    simulate,
    segments,
    import_,
    rebuild,
):
    main.add_command(command)

if __name__ == "__main__":
    main()

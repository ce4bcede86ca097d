"""The option that says whom a command is about: one stored visitor."""

import click

from personalize.problems import quoted


def _checked(_context: click.Context, _parameter: click.Parameter, written: str) -> str:
    if written.startswith(("u:", "v:")) and len(written) > len("u:"):
        return written
    raise click.BadParameter(f"{quoted(written)} is no visitor: write u:ID for a login, v:ID for a browser.")


#: `--visitor WHO`, a profile id.
one_visitor = click.option(
    "--visitor",
    required=True,
    metavar="WHO",
    callback=_checked,
    help="u:ID for somebody who is logged in, v:ID for a browser.",
)

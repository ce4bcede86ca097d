"""`personalize fmt`: rule files in one stable form."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from personalize.cli.findings import Failed, Findings, sources_of
from personalize.cli.site import Site, pass_site
from personalize.cli.tables import counted
from personalize.problems import Problems
from personalize.rules.reading.form import in_form
from personalize.runtime.draft import rule_files
from personalize.yaml_tree import parse_yaml, read_text


@click.command()
@click.argument("paths", nargs=-1, metavar="[FILE]...", type=click.Path(exists=True, path_type=Path))
@click.option("--check", "only_check", is_flag=True, help="Change nothing; name the files that are not in form.")
@pass_site
def fmt(site: Site, paths: tuple[Path, ...], only_check: bool) -> None:
    """Put rule files into one stable form: all of the site's, or the FILEs and folders that are named.

    Nested lines are moved in by two, one blank stands behind a colon, a dash and a comma, and at most one empty line
    between others. Quotes, the order of keys, comments and what the rules mean stay as they are. A file that can't be
    read as YAML is told of, and not touched. Ends with 1 where there is one; with --check, where one would change.
    """
    problems = Problems()
    files = list(_files(paths or (site.settings.rules,)))
    changed = [path for path in files if _changes(path, problems, write=not only_check)]
    for path in changed:
        click.echo(f"{_named(path)} is not in form" if only_check else f"formatted {_named(path)}")
    if problems.has_errors:
        raise Findings(problems.list, sources_of(site.settings, {}), then="Such a file is not touched.")
    well = len(files) - len(changed)
    click.echo(f"{counted(well, 'file')} {'is' if well == 1 else 'are'} in form{' already' if changed else ''}.")
    if changed and only_check:
        raise click.exceptions.Exit(Findings.exit_code)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    """The files named, and the rule files in the folders named."""
    for path in paths:
        yield from rule_files(path) if path.is_dir() else (path,)


def _named(path: Path) -> str:
    """The path as seen from here, where it lies below."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _changes(path: Path, problems: Problems, *, write: bool) -> bool:
    """Whether a file is not in form; it is then, where it may be written."""
    text = read_text(path, _named(path), problems)
    if text is None:
        return False
    formed = in_form(text, str(path))
    if formed is None:
        parse_yaml(text, _named(path), problems)
        return False
    if formed != text and write:
        try:
            path.write_bytes(formed.encode())
        except OSError as error:
            raise Failed(f"{path} can't be written: {error.strerror or error}") from error
    return formed != text

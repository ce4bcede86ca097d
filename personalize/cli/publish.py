"""`personalize publish`: what the files say goes live."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from personalize.cli.counting import count, say_what_is_counted, wait_option
from personalize.cli.findings import Failed
from personalize.cli.site import Checked, Site, name_of_whoever, pass_site
from personalize.cli.tables import counted, paragraph
from personalize.runtime.draft import Draft
from personalize.runtime.publish import publish as make_live
from personalize.runtime.publish import publish_over
from personalize.runtime.saved_plan import SavedPlan, read_plan
from personalize.stores.protocols import Live, Store

_CONTENT = "content/"
_MOST_NAMED = 8


@click.command()
@click.option("--by", metavar="NAME", help="Who publishes; else the name you are logged in with.")
@click.option(
    "--plan",
    "plan_file",
    metavar="PATH",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='Publish what "personalize plan --out" has kept there, or say what has changed since.',
)
@wait_option
@pass_site
def publish(site: Site, by: str | None, plan_file: Path | None, wait: bool) -> None:
    """Check the files and make them live: every worker serves them within two seconds.

    Where there is an error, all of them are listed and what was live stays live. "rollback" goes back.

    Rules that ask for something that was not counted before have to wait on a large site until the log is counted
    again: they are pending, and match nobody. All others are live at once.
    """
    checked = site.tried_draft(then="Nothing was published; what was live stays live.")
    saved = None if plan_file is None else _plan(plan_file)
    site.show_warnings(checked)
    asyncio.run(_publish(site, checked, by or name_of_whoever(), saved, wait=wait))


def _plan(path: Path) -> SavedPlan:
    try:
        return read_plan(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Failed(f"{path} is no plan: {error}") from error


async def _publish(site: Site, checked: Checked, by: str, saved: SavedPlan | None, *, wait: bool) -> None:
    async with site.store() as store:
        before = await store.live()
        if saved is not None:
            await refuse_stale(saved, checked.draft, before, store, site)
        if before is not None and before.version == checked.draft.version:
            is_counted = (await store.filled()).holding.covers(checked.rule_set.needed)
            what = "Nothing to do: " if is_counted else ""
            click.echo(paragraph(f"{what}{before.version} is live already, since {_since(before, site)}."))
            await count(store, checked.rule_set, site, wait=wait)
            return
        held = (await store.filled()).holding
        if saved is None:
            await make_live(store, checked.draft, site.settings, at=site.now, by=by)
        else:
            await publish_over(store, checked.draft, site.settings, at=site.now, by=by, base=saved.base)
        click.echo(f"Published {checked.draft.version}.")
        if before is not None:
            changes = changes_between(await store.rule_set(before.version), checked.draft.files)
            click.echo("\n".join(paragraph(line, rest="  ") for line in changes))
        click.echo("\n".join(what_changed(before, site)))
        await say_what_is_counted(store, held, checked.rule_set, site, wait=wait)


async def refuse_stale(saved: SavedPlan, draft: Draft, live: Live | None, store: Store, site: Site) -> None:
    """Raise `Failed` with what changed, where the files or the live version moved on since the plan was made."""
    lines = [f"{path} {'is' if word == 'new' else 'was'} {word}." for word, path in saved.files_changed(draft)]
    if live is not None and live.version not in (saved.base, saved.version):
        over = "nothing was live" if saved.base is None else f"{saved.base} was live"
        lines.append(f"{over} then, and {live.version} is now, since {_since(live, site)}:")
        known = {} if saved.base is None else await store.rule_set(saved.base)
        lines += [f"  {line}" for line in changes_between(known, await store.rule_set(live.version))]
    elif live is None and saved.base is not None:
        lines.append(f"{saved.base} was live then, and nothing is now.")
    if lines:
        told = [*lines[:_MOST_NAMED], *([f"and {len(lines) - _MOST_NAMED} more"] if len(lines) > _MOST_NAMED else [])]
        said = "\n".join(paragraph(line, first="  ", rest="    ") for line in told)
        raise Failed(f'the plan is stale, so nothing was published:\n{said}\nMake a new one with "personalize plan".')


def changes_between(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    """What is new, changed and gone between the files of two versions, a line each: items by their id, other files
    by their path."""
    kinds = {
        "new": after.keys() - before.keys(),
        "changed": {path for path in before.keys() & after.keys() if before[path] != after[path]},
        "removed": before.keys() - after.keys(),
    }
    for word, paths in kinds.items():
        items = sorted(path for path in paths if path.startswith(_CONTENT) and path.count("/") == 2)
        files = sorted(set(paths) - set(items))
        for noun, names in (("item", [_item_id(path) for path in items]), ("file", files)):
            if names:
                more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
                yield f"{counted(len(names), noun)} {word}: {', '.join(names[:_MOST_NAMED])}{more}."


def _item_id(path: str) -> str:
    return path.removeprefix(_CONTENT).rpartition(".")[0]


def what_changed(before: Live | None, site: Site) -> list[str]:
    """What a move of the live row replaced."""
    if before is None:
        return ["It is the first version of this site to go live."]
    return [paragraph(f"It replaces {before.version}, which was live since {_since(before, site)}.")]


def _since(live: Live, site: Site) -> str:
    return f"{site.written(live.at)} (by {live.by})"

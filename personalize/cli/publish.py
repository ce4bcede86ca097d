"""`personalize publish`: what the files say goes live."""

import asyncio
from collections.abc import Iterator, Mapping

import click

from personalize.cli.counting import count, say_what_is_counted, wait_option
from personalize.cli.site import Checked, Site, name_of_whoever, pass_site
from personalize.cli.tables import counted, paragraph
from personalize.runtime.publish import publish as make_live
from personalize.stores.protocols import Live

_CONTENT = "content/"
_MOST_NAMED = 8


@click.command(short_help="Check the files and make them live.")
@click.option("--by", metavar="NAME", help="Who publishes; else the name you are logged in with.")
@wait_option
@pass_site
def publish(site: Site, by: str | None, wait: bool) -> None:
    """Check the files and make them live: every worker serves them within two seconds.

    Where there is an error, all of them are listed and what was live stays live. "rollback" goes back.

    Rules that ask for something that was not counted before have to wait on a large site until the log is counted
    again: they are pending, and match nobody. All others are live at once.
    """
    checked = site.tried_draft(then="Nothing was published; what was live stays live.")
    site.show_warnings(checked)
    asyncio.run(_publish(site, checked, by or name_of_whoever(), wait=wait))


async def _publish(site: Site, checked: Checked, by: str, *, wait: bool) -> None:
    async with site.store() as store:
        before = await store.live()
        if before is not None and before.version == checked.draft.version:
            is_counted = (await store.filled()).holding.covers(checked.rule_set.needed)
            what = "Nothing to do: " if is_counted else ""
            click.echo(paragraph(f"{what}{before.version} is live already, since {_since(before, site)}."))
            await count(store, checked.rule_set, site, wait=wait)
            return
        held = (await store.filled()).holding
        await make_live(store, checked.draft, site.settings, at=site.now, by=by)
        click.echo(f"Published {checked.draft.version}.")
        if before is not None:
            changes = changes_between(await store.rule_set(before.version), checked.draft.files)
            click.echo("\n".join(paragraph(line, rest="  ") for line in changes))
        click.echo("\n".join(what_changed(before, site)))
        await say_what_is_counted(store, held, checked.rule_set, site, wait=wait)


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

"""The rules that a command asks: those of the files on disk, or those that are live."""

from collections.abc import Mapping

from personalize.cli.findings import Failed
from personalize.cli.site import Site
from personalize.rules.ruleset import RuleSet
from personalize.stores.protocols import Store


async def rule_set_for(site: Site, store: Store, *, live: bool) -> RuleSet:
    """The rule set that a question is asked of: that of the files, or the live one."""
    rule_set, _ = await rules_asked(site, store, live=live)
    return rule_set


async def rules_asked(site: Site, store: Store, *, live: bool) -> tuple[RuleSet, Mapping[str, str]]:
    """The same, with the files that it is made of."""
    if not live:
        checked = site.checked_draft()
        return checked.rule_set, checked.draft.files
    found = await site.live(store)
    if found is None:
        raise Failed('nothing is published yet. Leave --live out, or run "personalize publish" first.')
    return found[1], await store.rule_set(found[0].version)


def which(rule_set: RuleSet, *, live: bool) -> str:
    """Which rules were asked, in words."""
    return f"the live rule set {rule_set.version}" if live else f"the files on disk ({rule_set.version})"

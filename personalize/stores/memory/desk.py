"""What a store in memory keeps beside events, profiles and rule sets: for those who run the site."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from personalize.stores.protocols import REPORTS_LAST, AccessToken, Export, Lease, Switch, WorkerReport


class MemoryDesk:
    """The switch, copies that were made, tokens, leases of jobs, and reports of workers, as `Store` describes them."""

    def __init__(self) -> None:
        self._switch: Switch | None = None
        self._exports: dict[str, Export] = {}
        self._workers: dict[str, WorkerReport] = {}
        self._leases: dict[str, Lease] = {}
        self._tokens: dict[str, AccessToken] = {}

    async def set_switch(self, switch: Switch) -> None:
        """Switch personalizing off or on."""
        self._switch = switch

    async def switch(self) -> Switch | None:
        """How it was switched last."""
        return self._switch

    async def note_export(self, export: Export) -> None:
        """Write down that a copy is being made, or was."""
        self._exports[export.export_id] = export

    async def exports(self) -> Sequence[Export]:
        """Every copy, in the order in which they were begun."""
        return sorted(self._exports.values(), key=lambda export: (export.begun_at, export.export_id))

    async def keep_token(self, token: AccessToken) -> None:
        """Keep what is known of a token; of what was known before, revocation and use stand."""
        kept = self._tokens.setdefault(token.digest, token)
        used = [at for at in (kept.used_at, token.used_at) if at is not None]
        revoked = [at for at in (kept.revoked_at, token.revoked_at) if at is not None]
        self._tokens[token.digest] = replace(
            kept, used_at=max(used, default=None), revoked_at=min(revoked, default=None)
        )

    async def tokens(self) -> Sequence[AccessToken]:
        """Every token there was, oldest first."""
        return sorted(self._tokens.values(), key=lambda token: (token.created_at, token.digest))

    async def lease(self, lease: Lease, *, at: datetime) -> bool:
        """Take or keep a job that nobody else holds."""
        held = self._leases.get(lease.job)
        if held is not None and held.holder != lease.holder and at < held.until <= lease.longest(at):
            return False
        self._leases[lease.job] = lease
        return True

    async def release(self, job: str, holder: str) -> None:
        """Let go of a job."""
        if job in self._leases and self._leases[job].holder == holder:
            del self._leases[job]

    async def report(self, report: WorkerReport) -> None:
        """Put a worker's report in place of its last one."""
        oldest = report.at - REPORTS_LAST
        kept = {name: each for name, each in self._workers.items() if each.at >= oldest}
        self._workers = {**kept, report.worker: report}

    async def workers(self) -> Sequence[WorkerReport]:
        """The last report of every worker, by name."""
        return [self._workers[name] for name in sorted(self._workers)]

"""The same figures, as Prometheus and OpenMetrics read them."""

import asyncio
from pathlib import Path

from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as prometheus

from personalize.wrap import wrap
from tests.desk import desk_settings, published, write_desk
from tests.driver import Browser, running
from tests.pages.test_health import site

OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


def test_a_scraper_reads_the_figures_in_the_form_that_it_asks_for(tmp_path: Path) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        app = wrap(site(), desk_settings(tmp_path))
        async with running(app):
            await published(app)
            browser = Browser(app)
            for _ in range(3):
                await browser.get("/?utm_source=newsletter")
            for accept, parse in (("*/*", prometheus), (OPEN_METRICS, open_metrics)):
                reply = await browser.get("/_personalize/metrics", headers=[("accept", accept)])
                assert (reply.status, reply.header("cache-control")) == (200, "no-store")
                assert reply.header("content-type").startswith(accept.partition(";")[0].replace("*/*", "text/plain"))  # type: ignore[union-attr]
                samples = {
                    (sample.name, tuple(v for k, v in sorted(sample.labels.items()) if k != "worker")): sample.value
                    for family in parse(reply.text)
                    for sample in family.samples
                }
                assert samples["personalize_slots_total", ("filled", "hero")] == 3
                assert samples["personalize_slots_total", ("unknown_slot", "nowhere")] == 3
                assert samples["personalize_events_total", ("written",)] == 0
                assert samples["personalize_off", ()] == 0
                assert samples["personalize_store_answers", ()] == 1
                assert samples["personalize_info", (app.personalizer.rule_set.version,)] == 1  # type: ignore[union-attr]
                assert app.personalizer.worker.rpartition(":")[2] in reply.text

    asyncio.run(run())

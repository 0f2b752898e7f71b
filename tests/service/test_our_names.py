"""A scorecard may speak of what our own events bring before the first of them has come."""

from __future__ import annotations

from pathlib import Path

from tests.service.shop import inside

CARD = """
groups:
  mail:
    criteria:
      - {name: Opens, event: email_open, where: "machine is null", points: 1}
      - {name: Clicks, event: email_click, where: "url like '%/pricing%' and campaign = 'spring'", points: 6}
      - {name: Deep, event: scroll, where: "depth > 50", points: 2}
"""


def test_names_are_known_from_the_start_where_files_speak_of_them(shop: Path) -> None:
    (shop / "scorecards" / "mail.yaml").write_text(CARD)
    with inside(shop) as service:
        columns = service.state.readers.ask_long(lambda workspace: workspace.engine.columns("events"))
        assert {"machine", "url", "campaign", "depth"} <= columns.keys()
        assert "bounce" not in columns  # of which nothing is said
        made = service.post(
            "/v1/links", {"user_id": "crm-1", "urls": ["https://a.example/pricing"], "campaign": "spring"}
        )
        link = made.json()["links"][0].removeprefix("http://service")
        assert service.request("GET", link, headers={"User-Agent": "Mozilla/5.0 Firefox/150.0"}).status_code == 302
        service.settle()
        lead = service.get("/v1/leads/crm-1", scorecard="mail").json()
        assert {one["key"]: one["points"] for one in lead["contributions"] if one["points"]} == {"mail__clicks": 6}

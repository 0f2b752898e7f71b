"""How often leads do what, by their hidden intent: the tables behind the events."""

from __future__ import annotations

EVENTS = (
    "page_view", "email_sent", "email_open", "email_click", "form_submit", "demo_request", "webinar", "meeting", "call",
    "unsubscribe", "onboarding",
)  # fmt: skip
CODE = {name: code for code, name in enumerate(EVENTS)}

VISIT_RATE = (0.020, 0.055, 0.13, 0.26)
"""Visits a day by intent, before scaling and activity."""
MAIL_RATE = (0.105, 0.11, 0.115, 0.12)
"""Mails sent a day, before scaling."""
ACTS = ("form_submit", "demo_request", "webinar", "meeting", "call", "unsubscribe")
ACT_RATES = (
    (0.0008, 0.00004, 0.0010, 0.0000, 0.004, 0.0012),
    (0.0030, 0.00040, 0.0045, 0.0004, 0.006, 0.0006),
    (0.0070, 0.00450, 0.0065, 0.0040, 0.015, 0.0003),
    (0.0090, 0.01400, 0.0040, 0.0140, 0.030, 0.0001),
)
"""The rest, a day, by intent (down)."""

PATHS = (
    "/", "/blog/how-to-choose", "/blog/five-mistakes", "/blog/trends", "/product", "/product/tour", "/integrations",
    "/customers", "/docs/start", "/security", "/pricing", "/pricing/enterprise", "/careers", "/legal/terms",
)  # fmt: skip
PATH_SHARE = (
    (0.24, 0.18, 0.17, 0.15, 0.07, 0.03, 0.02, 0.02, 0.01, 0.00, 0.02, 0.00, 0.08, 0.01),
    (0.17, 0.15, 0.11, 0.09, 0.16, 0.08, 0.05, 0.06, 0.03, 0.01, 0.05, 0.01, 0.03, 0.00),
    (0.11, 0.06, 0.04, 0.03, 0.17, 0.13, 0.10, 0.10, 0.07, 0.04, 0.11, 0.03, 0.01, 0.00),
    (0.09, 0.02, 0.01, 0.01, 0.12, 0.09, 0.10, 0.10, 0.08, 0.08, 0.18, 0.09, 0.00, 0.03),
)
MORE_PAGES = (0.30, 0.42, 0.55, 0.62)
"""The probability of one more page in a visit."""
SECONDS_ON_PAGE = (18.0, 30.0, 48.0, 60.0)

CAMPAIGNS = ("newsletter", "product news", "webinar invitation", "customer story", "special offer")
CAMPAIGN_SHARE = (0.45, 0.2, 0.15, 0.12, 0.08)
OPEN_SHARE = (0.14, 0.28, 0.42, 0.55)
CLICK_SHARE = (0.03, 0.08, 0.18, 0.28)
GATEWAY_LINKS = 3
FORMS = ("newsletter", "whitepaper", "contact", "trial")
FORM_SHARE = ((0.6, 0.33, 0.05, 0.02), (0.3, 0.5, 0.12, 0.08), (0.1, 0.4, 0.28, 0.22), (0.05, 0.2, 0.4, 0.35))
AGENTS = ("chrome", "safari", "firefox", "edge", "headless")
AGENT_SHARE = (0.58, 0.2, 0.09, 0.13)

BOT_VISITS = 3.0
BOT_PAGES = 45.0
WEEKEND_SHARE = 0.25
AUGUST_SHARE = 0.75
PRIOR_VISIT_DAYS = 6

"""Whose a device is: the first user it was seen with, of those whom it is not kept apart from.

What was said on a device is its user's word while both are one lead. The service tells it anew when that changes
(`service.words`); its table `live_owners` says whose word it is told as now.
"""

from __future__ import annotations

from leadlight.store.sql import Sql, fill, joined

DEVICE = "anonymous:"
"""Begins the ids of devices; links have them without it."""
ANY = Sql("TRUE")

_BARRED = joined(
    [
        fill(
            'SELECT substr(d.id, 11) AS anonymous, u.id AS "user" FROM apart p JOIN ids d ON d.key = p.{one} '
            "JOIN ids u ON u.key = p.{other} WHERE d.id LIKE 'anonymous:%'",
            one=one,
            other=other,
        )
        for one, other in (("a", "b"), ("b", "a"))
    ],
    " UNION ALL ",
)
"""The query of (anonymous, user): which devices are kept apart from whom."""


def first_users(among: Sql = ANY, *, apart: bool = True) -> Sql:
    """Return the query of (anonymous, user): whose each device is, of which links `l` meet a condition.

    Without `apart`, nobody is kept apart from anybody.
    """
    free = fill(
        'NOT EXISTS (SELECT 1 FROM ({barred}) b WHERE b.anonymous = l.anonymous AND b."user" = l."user")',
        barred=_BARRED,
    )
    return fill(
        'SELECT l.anonymous, arg_min(l."user", (l."at", l."user")) AS "user" FROM live_links l '
        "WHERE {among} AND {free} GROUP BY l.anonymous",
        among=among,
        free=free if apart else ANY,
    )

"""Which leads a condition picks, as of a moment."""

from __future__ import annotations

from datetime import datetime

from sqlglot import exp

from leadlight.engines.base import Engine
from leadlight.errors import UsageError
from leadlight.expr import build
from leadlight.expr.expression import Expression
from leadlight.expr.parse import ExpressionError, parse_condition
from leadlight.expr.types import Type
from leadlight.features.compile import feature_statement
from leadlight.features.moment import Moment
from leadlight.spec import models
from leadlight.spec.resolved import ResolvedFeature, ResolvedWorkspace
from leadlight.spec.scopes import lead_scope
from leadlight.store.sql import Sql, fill

PICKED = "_picked"


def among(
    engine: Engine,
    workspace: ResolvedWorkspace,
    as_of: datetime,
    *,
    where: str | None = None,
    account: str | None = None,
) -> list[int]:
    """Return the numbers of the leads for which a condition over attributes and features is true, and of an account.

    Raises UsageError where the condition is none.
    """
    condition = parsed("true" if where is None else where, workspace)
    picked = ResolvedFeature(PICKED, models.ExprFeature(expr=condition.text), Type.BOOL, condition)
    statement = feature_statement(
        workspace.with_features({PICKED: picked}), Moment(as_of=as_of), features=["account", PICKED]
    )
    found = engine.rows(
        fill(
            "SELECT lead FROM ({statement}) s WHERE {picked} AND (?::VARCHAR IS NULL OR account = ?) ORDER BY lead",
            statement=Sql(build.to_text(statement, engine.capabilities.dialect)),
            picked=PICKED,
        ),
        [account, account],
    )
    return [int(lead) for (lead,) in found]


def excluded_statement(workspace: ResolvedWorkspace, moment: Moment) -> exp.Select | None:
    """Return the statement of the leads that are never scored, in one column `lead`; None where that is nobody.

    >>> from leadlight.spec.catalog import Catalog
    >>> from leadlight.spec.models import WorkspaceSpec
    >>> spec = WorkspaceSpec.model_validate({"sources": {}})
    >>> workspace = ResolvedWorkspace(spec=spec, catalog=Catalog(), features={}, scorecards={})
    >>> excluded_statement(workspace, Moment(as_of=datetime(2026, 3, 1)))
    """
    if workspace.exclude is None:
        return None
    excluded = ResolvedFeature(PICKED, models.ExprFeature(expr=workspace.exclude.text), Type.BOOL, workspace.exclude)
    tree = feature_statement(workspace.with_features({PICKED: excluded}), moment, features=[PICKED])
    return exp.select(build.col("lead")).from_(tree.subquery("s")).where(build.col(PICKED), copy=False)


def parsed(text: str, workspace: ResolvedWorkspace) -> Expression:
    """Return a condition over a workspace's attributes and features, checked.

    Raises UsageError with what is wrong.
    """
    scope = lead_scope(workspace.catalog, workspace.features, frozenset())
    try:
        return parse_condition(text, scope.types)
    except ExpressionError as error:
        raise UsageError(f"where is no condition: {error}") from None

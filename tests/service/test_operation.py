from __future__ import annotations

from collections import Counter

from starlette.routing import Route
from tests.service.shop import Inside

from leadlight.service.app import operations
from leadlight.service.operation import Operation


def _routed(service: Inside) -> set[tuple[str, str]]:
    """Methods and paths of the app; HEAD comes with GET, and OPTIONS is for browsers."""
    return {
        (method, route.path)
        for route in service.app.routes
        if isinstance(route, Route)
        for method in route.methods or ()
        if method not in ("HEAD", "OPTIONS")
    }


def test_every_route_is_declared_and_every_declaration_is_a_route(service: Inside) -> None:
    declared = {(one.method, one.path) for one in operations()}
    assert _routed(service) - declared == set(), "routes without a declaration: see leadlight/service/operation.py"
    assert declared - _routed(service) == set(), "declarations without a route"


def test_operations_have_names_of_their_own() -> None:
    assert [name for name, count in Counter(one.operation_id for one in operations()).items() if count > 1] == []


def test_parameters_of_paths_are_told_by_the_path() -> None:
    one = Operation("GET", "/v1/scorecards/{name}/versions/{version}", "A version")
    assert [(parameter.name, parameter.where) for parameter in one.all_parameters] == [
        ("name", "path"), ("version", "path"),
    ]  # fmt: skip

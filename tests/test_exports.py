from __future__ import annotations

import subprocess
import sys

import pytest

import leadlight
from leadlight import errors
from leadlight.workspace import Workspace, open_workspace

HEAVY = ("duckdb", "pyarrow", "sqlglot", "pandas", "sklearn", "numpy", "pydantic", "rich", "typer", "jinja2",
         "vl_convert", "ruamel", "python_calamine", "lightgbm", "scipy")  # fmt: skip


def loaded_by(statement: str) -> set[str]:
    """Return the top-level packages that a fresh Python has loaded after a statement."""
    program = f"import sys\n{statement}\nprint(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in found.stdout.split()}


def test_the_surface_is_exact_and_sorted() -> None:
    assert dir(leadlight) == leadlight.__all__ == sorted(leadlight.__all__)
    assert leadlight.__all__ == ["Workspace", "__version__", "errors", "open", "rank_file"]


def test_each_name_is_what_it_says() -> None:
    assert leadlight.Workspace is Workspace
    assert leadlight.open is open_workspace
    assert leadlight.errors is errors
    assert leadlight.__version__.split(".")[0].isdigit()


def test_another_name_is_an_error() -> None:
    with pytest.raises(AttributeError, match=r"^module 'leadlight' has no attribute 'opne'$"):
        _ = leadlight.opne


@pytest.mark.parametrize(
    "statement", ["import leadlight", "from leadlight import errors", "import leadlight; leadlight.__version__"]
)
def test_nothing_heavy_is_loaded(statement: str) -> None:
    assert loaded_by(statement).isdisjoint(HEAVY)


def test_opening_loads_what_reading_yaml_needs_but_no_data_frames() -> None:
    found = loaded_by("import leadlight; leadlight.open")
    assert "pydantic" in found
    assert found.isdisjoint({"pandas", "sklearn", "jinja2", "vl_convert", "python_calamine", "typer", "rich"})


def test_every_error_has_one_root_and_a_code_of_its_family() -> None:
    found = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert all(issubclass(kind, errors.LeadlightError) for kind in found)
    assert {kind.__name__: kind.exit_code for kind in found if not kind.__name__.startswith("_")} == {
        "LeadlightError": 1, "UsageError": 2, "SpecError": 3, "DataError": 4, "TooManyRejects": 4, "StoreError": 5,
        "StoreInUse": 5, "StoreVersionError": 5, "NotFoundError": 6, "MissingExtraError": 7, "TooFewOutcomes": 8,
        "RemoteError": 9,
    }  # fmt: skip

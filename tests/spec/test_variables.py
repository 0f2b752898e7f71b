import pytest

from leadlight.errors import UsageError
from leadlight.spec.variables import expand


def test_every_variable_is_filled_in() -> None:
    assert expand("${A}:${B_2}@${A}$x", {"A": "1", "B_2": "${C}"}) == "1:${C}@1$x"


def test_all_that_are_not_set_are_named_and_no_value_is_shown() -> None:
    with pytest.raises(UsageError) as caught:
        expand("${USER_NAME}:${SECRET}@${HOST}", {"SECRET": "hunter2"})
    assert str(caught.value) == (
        "HOST, USER_NAME are not set in the environment, and the workspace needs HOST\n"
        "Set it first, as in `export HOST=…`."
    )


@pytest.mark.parametrize("text", ["${", "${}", "${A B}", "${A", "${1}"])
def test_what_is_no_variable_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="is no variable\nWrite"):
        expand(f"duckdb:{text}", {"A": "1"})

"""What a system does not have, or does not take, though leadlight.yaml says so: in words, with what to write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from leadlight.errors import NotFoundError, UsageError, did_you_mean

T = TypeVar("T")
OBJECT = "Write the name of one that is there as `object` of the source in leadlight.yaml."
FIELD = "Write the field's own name in leadlight.yaml: in `columns` of the source, or in `fields` of `push`."


def no_object(says: str, name: str, known: Iterable[str], *, fix: str = OBJECT) -> NotFoundError:
    """Return the error for an object that is not there.

    >>> print(no_object("Acme has no object", "contact", ["contacts", "deals"]))
    Acme has no object 'contact': did you mean 'contacts'? Known: contacts, deals
    Write the name of one that is there as `object` of the source in leadlight.yaml.
    """
    return NotFoundError(f"{says} {name!r}: {did_you_mean(name, known)}", fix=fix)


def among(says: str, asked: Sequence[str] | None, known: Sequence[str]) -> list[str]:
    """Return which of the known objects are asked for, in their order: all, where none is named.

    Raises NotFoundError for one that is not known.

    >>> among("Acme has no object", ["deals"], ["contacts", "deals"])
    ['deals']
    """
    absent = [name for name in asked or () if name not in known]
    if absent:
        raise no_object(says, absent[0], known)
    return [name for name in known if asked is None or name in asked]


def no_connection(name: str, known: Iterable[str]) -> NotFoundError:
    """Return the error for a connection that leadlight.yaml does not name."""
    fix = "They stand under `connections` in leadlight.yaml; `leadlight init --from SYSTEM` shows how."
    return NotFoundError(f"there is no connection {name!r}: {did_you_mean(name, known)}", fix=fix)


def fields_by_name(
    says: str, names: Iterable[str], known: Mapping[str, T], find: Callable[[Mapping[str, T], str], T | None]
) -> dict[str, T]:
    """Return fields by the names they are asked for, as `find` finds each; raises NotFoundError for the first absent.

    >>> fields_by_name("Acme has no field", ["plan"], {"plan": 1}, dict.get)
    {'plan': 1}
    """
    found: dict[str, T] = {}
    for name in names:
        one = find(known, name)
        if one is None:
            raise NotFoundError(f"{says} {name!r}: {did_you_mean(name, known)}", fix=FIELD)
        found[name] = one
    return found


def not_taken(says: str, objects: Sequence[str]) -> UsageError:
    """Return the error for scores (or notes) on an object that takes none, where `objects` do.

    >>> print(not_taken("Acme takes scores on contacts only, not on deals", ["contacts"]))
    Acme takes scores on contacts only, not on deals
    Write `object: [contacts]` in the connection's `push` in leadlight.yaml.
    """
    fix = f"Write `object: [{', '.join(objects)}]` in the connection's `push` in leadlight.yaml."
    return UsageError(says, fix=fix)


def not_custom(title: str, names: Iterable[str]) -> UsageError:
    """Return the error for fields of the system's own, where only those that somebody has made are written to."""
    message = f"only custom fields of {title} are written to, and {', '.join(sorted(names))} is none"
    fix = f"Make one in {title} and write its name in `fields` of the connection's `push`, or leave `fields` out."
    return UsageError(message, fix=fix)

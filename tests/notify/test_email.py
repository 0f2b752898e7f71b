"""E-mail over a real SMTP server."""

from __future__ import annotations

from tests.notify.conftest import Make
from tests.notify.receivers import Mailbox


def mail(post: Mailbox, to: str = "[team@firm.example, boss@firm.example]") -> str:
    return f'crm: {{email: {to}, from: "Leadlight <leads@firm.example>", smtp: "smtp://127.0.0.1:{post.port}"}}'


def test_an_email_says_who_and_why(firm: Make, post: Mailbox) -> None:
    made = firm(mail(post), rules=("r: {again: always, tell: crm, include: [employees]}",))
    made.begin(**{"ann": 5, "zoë\t<b>": 5})
    made.moves(**{"ann": 500, "zoë\t<b>": 500})
    assert made.send().sent == 2
    ann = next(mail for mail in post.mails if "ann" in mail["Subject"])
    (row,) = [row for row in made.rows() if row.who == "ann"]
    assert ann["Subject"] == "customer ann rose from C to A by house, 40 points"
    assert (ann["To"], ann["From"]) == ("team@firm.example, boss@firm.example", "Leadlight <leads@firm.example>")
    assert ann["Message-ID"] == f"<{row.message}@firm.example>"
    assert ann["Auto-Submitted"] == "auto-generated"
    text = ann.get_content()
    assert "employees: 500" in text
    assert text.count("•") == 2
    assert any(mail["Subject"].startswith("customer zoë") for mail in post.mails)


def test_who_is_refused_for_good_is_put_aside_at_once(firm: Make, post: Mailbox) -> None:
    made = firm(mail(post, "gone@firm.example"))
    made.begin(ann=5)
    made.moves(ann=500)
    post.refuse = {"gone@firm.example": "450 later"}
    assert made.send().waiting == 1
    assert made.rows()[0].error == "450: later"
    post.refuse = {"gone@firm.example": "550 no such box"}
    made.later(minutes=1)
    assert made.send().dead == 1
    assert made.rows()[0].error == "550: no such box"


def test_a_password_is_not_told_to_another_machine_in_the_clear() -> None:
    """The server offers no encryption: it is asked by another name than those of this machine."""
    from tests.notify.receivers import mailbox

    from leadlight.notify import email
    from leadlight.notify.destination import destination
    from leadlight.notify.message import Message, Wording
    from leadlight.spec.notify import DestinationSpec

    with mailbox("127.0.0.2") as post:
        spec = DestinationSpec.model_validate(
            {"email": "a@b.example", "from": "c@d.example", "smtp": f"smtp://me:secret@127.0.0.2:{post.port}"}
        )
        to = destination("team", spec, {})
        from datetime import datetime

        from tests.notify.test_message import change

        message = Message("msg_1", (change(),), Wording("lead", {"house": ("A", "B")}))
        answer = email.send(email.written(message, to, datetime(2026, 1, 1)), to)
        assert answer.error is not None
        assert "offers no encryption" in answer.error
        assert "secret" not in answer.error
        assert post.mails == []


def test_nobody_listens(firm: Make) -> None:
    made = firm('crm: {email: a@b.example, from: c@d.example, smtp: "smtp://127.0.0.1:9"}')
    made.begin(ann=5)
    made.moves(ann=500)
    assert made.send().waiting == 1
    assert "ConnectionRefusedError" in (made.rows()[0].error or "")

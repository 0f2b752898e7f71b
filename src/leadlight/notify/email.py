"""A message by e-mail, over SMTP."""

from __future__ import annotations

import smtplib
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

from leadlight.notify.destination import Answer, Destination
from leadlight.notify.message import Message
from leadlight.spec.notify import HERE

PORTS = {"smtp": 587, "smtps": 465}


def written(message: Message, to: Destination, at: datetime) -> EmailMessage:
    """Return the e-mail; its Message-ID is the message's, so that one that comes twice is known."""
    mail = EmailMessage()
    mail["From"], mail["To"] = to.spec.from_, ", ".join(to.spec.email or ())
    mail["Subject"] = message.title[:200]
    mail["Date"] = format_datetime(at.replace(tzinfo=UTC))
    domain = (to.spec.from_ or "").rpartition("@")[2].strip("> ") or "leadlight"
    mail["Message-ID"] = f"<{message.id}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text + "\n")
    return mail


def send(mail: EmailMessage, to: Destination) -> Answer:
    """Hand an e-mail to its server, and say how that ended."""
    try:
        with _connected(to) as server:
            server.send_message(mail)
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        return Answer(f"{code}: {_text(said)}", is_final=code >= 500)
    except smtplib.SMTPDataError as error:
        return Answer(f"{error.smtp_code}: {_text(error.smtp_error)}", is_final=error.smtp_code >= 500)
    except smtplib.SMTPResponseException as error:
        return Answer(f"{error.smtp_code}: {_text(error.smtp_error)}", is_down=True)
    except (smtplib.SMTPException, OSError, ValueError) as error:
        return Answer(f"{type(error).__name__}: {str(error)[:200]}", is_down=True)
    return Answer()


def _connected(to: Destination) -> smtplib.SMTP:
    """Return a session: encrypted where the server can, and always where a password is said to another machine."""
    parts = urlsplit(to.address)
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, port, timeout=to.spec.seconds, context=ssl.create_default_context()
        )
    else:
        server = smtplib.SMTP(host, port, timeout=to.spec.seconds)
    try:
        server.ehlo()
        if parts.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
        elif parts.scheme == "smtp" and parts.password and host not in HERE:
            raise smtplib.SMTPException("the server offers no encryption, so it is not told the password")
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
    except BaseException:
        server.close()
        raise
    return server


def _text(said: bytes | str) -> str:
    return (said.decode("utf-8", "replace") if isinstance(said, bytes) else said)[:200]

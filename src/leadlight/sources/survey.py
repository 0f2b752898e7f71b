"""One pass over the bytes of a text file: compression, encoding, line ends, and what must be mended before reading.

DuckDB reads UTF-8 with one kind of line end. A file of that sort is read where it lies; any other is written once,
streaming, as a mended copy into a scratch folder.
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

from leadlight.errors import DataError, Fault, did_you_mean, shorten

CHUNK = 1 << 22
SAMPLE = 1 << 18
BROKEN_SHARE = 0.1
"""Up to this share of broken among the non-ASCII characters, a text is still UTF-8 (its broken rows are rejected)."""

WESTERN_SHARE = 0.3
MIN_EVIDENCE = 8
"""From fewer characters beyond ASCII no script can be told."""

_MAGIC = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook: unpack it, or write `excel:`",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: write `excel:`",
    b"PAR1": "a Parquet file: write `parquet:`",
    b"BZh": "compressed with bzip2: unpack it, or pack it with gzip or zstd",
    b"\xfd7zXZ\x00": "compressed with xz: unpack it, or pack it with gzip or zstd",
    b"7z\xbc\xaf": "a 7-Zip archive: unpack it",
    b"%PDF": "a PDF document: export the data as CSV",
    b"SQLite format 3\x00": "an SQLite database: write `sql: sqlite:FILE`",
}
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_CANDIDATES = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r", "shift_jis", "euc_jp",
               "gb18030", "big5", "cp949"]  # fmt: skip
_WESTERN = {"cp1252", "cp1250", "cp1254", "latin_1"}
_KNOWN = ["utf-8", "utf-16", "utf-32", "latin-1", "iso-8859-15", "ascii", *_CANDIDATES]


@dataclass(frozen=True, slots=True)
class Survey:
    """A text file that DuckDB can read: `path` is the file itself or its mended copy."""

    path: Path
    compression: str
    encoding: str
    newline: str
    lines: int
    """Lines in the file, an unended last one included."""
    head: str
    """The first 256 KB as text."""
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Counts:
    """Line ends and odd bytes, counted chunk by chunk."""

    lf: int = 0
    cr: int = 0
    crlf: int = 0
    nul: int = 0
    size: int = 0
    last: bytes = b""
    utf8: bool = True
    bad: bytes = b""
    decoder: codecs.IncrementalDecoder = field(default_factory=codecs.getincrementaldecoder("utf-8"))

    def add(self, chunk: bytes) -> None:
        self.lf += chunk.count(b"\n")
        if b"\r" in chunk or self.last == b"\r":
            self.cr += chunk.count(b"\r")
            self.crlf += (self.last + chunk).count(b"\r\n")
        self.nul += chunk.count(0)
        self.size += len(chunk)
        self.last = chunk[-1:]
        if self.utf8:
            self._check(chunk, final=False)

    def _check(self, chunk: bytes, *, final: bool) -> None:
        try:
            self.decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            self.utf8 = False
            self.bad = chunk[max(0, error.start - SAMPLE // 2) : error.start + SAMPLE // 2]

    @property
    def newline(self) -> str:
        """The one kind of line end, or `mixed`."""
        kinds = {"\r\n": self.crlf, "\n": self.lf - self.crlf, "\r": self.cr - self.crlf}
        used = [kind for kind, count in kinds.items() if count]
        return "\n" if not used else used[0] if len(used) == 1 else "mixed"

    @property
    def lines(self) -> int:
        ends = self.lf + self.cr - self.crlf
        return ends + (self.size > 0 and self.last not in (b"\n", b"\r"))


def fingerprint(path: Path) -> str:
    """Return what changes whenever the content does: size and hash.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     fingerprint(Path(file.name))[:8]
    '0-e3b0c4'
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return f"{path.stat().st_size}-{digest}"


def survey(path: Path, shown: str, *, scratch: Path, encoding: str | None = None, limit: int | None = None) -> Survey:
    """Look at all bytes of a text file (or the first `limit`) and mend a copy where it has to be.

    Raises DataError when it is no text file, or is empty, broken or unreadable.
    """
    try:
        return _survey(path, shown, scratch=scratch, encoding=encoding, limit=limit)
    except (EOFError, zlib.error, zstandard.ZstdError, gzip.BadGzipFile):
        raise _fault(shown, "the compressed data is damaged or cut off: export or copy the file again") from None
    except OSError as error:
        raise _fault(shown, f"cannot be opened: {error.strerror or error}") from None


def _survey(path: Path, shown: str, *, scratch: Path, encoding: str | None, limit: int | None) -> Survey:
    compression = _compression(path, shown)
    counts, head = _Counts(), b""
    for chunk in _chunks(path, compression, limit):
        counts.add(chunk)
        if len(head) < SAMPLE:
            head += chunk[: SAMPLE - len(head)]
    if counts.size == 0:
        raise _fault(shown, "is empty: not even a header was found")
    if counts.utf8 and limit is None:
        counts._check(b"", final=True)
    found = _told(encoding, shown) if encoding else _encoding(head, counts, shown)
    notes: tuple[str, ...] = () if found in {"utf-8", "utf-8-sig"} and not encoding else (f"{shown}: encoding {found}",)
    if found in {"utf-8", "utf-8-sig"} and counts.newline != "mixed" and not counts.nul:
        return Survey(path, compression, found, counts.newline, counts.lines, _text(head, found), notes)
    if counts.nul and not found.startswith(("utf-16", "utf-32")):
        notes += (f"{shown}: NUL characters left out: {counts.nul}",)
    copy, lines = _mend(path, compression, found, scratch, limit)
    with copy.open("rb") as file:
        return Survey(copy, "none", found, "\n", lines, _text(file.read(SAMPLE), "utf-8"), notes)


def open_bytes(path: Path, compression: str) -> BinaryIO:
    """Open a file's bytes, unpacked."""
    if compression == "gzip":
        return cast(BinaryIO, gzip.open(path, "rb"))
    if compression == "zstd":
        return cast(BinaryIO, zstandard.open(path, "rb"))
    return path.open("rb")


def _chunks(path: Path, compression: str, limit: int | None) -> Iterator[bytes]:
    left = limit
    with open_bytes(path, compression) as file:
        while left is None or left > 0:
            chunk = file.read(CHUNK if left is None else min(CHUNK, left))
            if not chunk:
                return
            left = None if left is None else left - len(chunk)
            yield chunk


def _compression(path: Path, shown: str) -> str:
    """Tell gzip and zstd by their first bytes, whatever the name; refuse what is no text."""
    with path.open("rb") as file:
        start = file.read(16)
    if start.startswith(b"\x1f\x8b"):
        return "gzip"
    if start.startswith(b"\x28\xb5\x2f\xfd"):
        return "zstd"
    for magic, what in _MAGIC.items():
        if start.startswith(magic):
            raise _fault(shown, f"is {what}")
    return "none"


def _told(encoding: str, shown: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        known = did_you_mean(encoding, _KNOWN)
        raise _fault(shown, f"the encoding {encoding!r} is not known; {known}") from None


def _encoding(head: bytes, counts: _Counts, shown: str) -> str:
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name
    if counts.nul:
        even, odd = head[0:4000:2].count(0), head[1:4000:2].count(0)
        if max(even, odd) > len(head[:4000]) // 8 and min(even, odd) <= max(even, odd) // 4:
            return "utf-16-le" if odd > even else "utf-16-be"
    if counts.utf8 or _mostly_utf8(counts.bad):
        return "utf-8"
    if counts.nul:
        raise _fault(shown, "is not text: it has binary data in it")
    return _guess(counts.bad, shown)


def _mostly_utf8(sample: bytes) -> bool:
    """Whether a sample is UTF-8 with a few broken places, and not another encoding."""
    text = sample.decode("utf-8", "replace")
    broken = text.count("�")
    good = sum(1 for letter in text if ord(letter) > 127) - broken
    return good > 0 and broken <= BROKEN_SHARE * (good + broken)


def _guess(sample: bytes, shown: str) -> str:
    lines = [line for line in sample.split(b"\n") if not line.isascii()]
    if _few_beyond_ascii(lines):
        return "cp1252" if _decodes(sample, "cp1252") else "latin-1"
    from charset_normalizer import from_bytes  # slow to load, and seldom needed

    best = from_bytes(b"\n".join(lines) or sample, cp_isolation=_CANDIDATES).best()
    if best is None:
        raise _fault(shown, "its encoding could not be found out: write `encoding:`, as in encoding: cp1252")
    if best.encoding in _WESTERN:  # they differ in few letters, and cp1252 is what Windows writes
        return "cp1252" if _decodes(sample, "cp1252") else "latin-1"
    return str(best.encoding)


def _few_beyond_ascii(lines: list[bytes]) -> bool:
    """Whether most letters are ASCII, as in Western languages and in no text of another script."""
    joined = b"".join(lines)
    beyond = sum(byte > 127 for byte in joined)
    ascii_letters = sum(chr(byte).isalpha() for byte in joined if byte < 128)
    return beyond < MIN_EVIDENCE or beyond <= WESTERN_SHARE * (beyond + ascii_letters)


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _mend(path: Path, compression: str, encoding: str, scratch: Path, limit: int | None) -> tuple[Path, int]:
    """Write a copy in UTF-8 with `\\n` as line end, without byte order mark and NUL; return it and its lines.

    Bytes that the encoding does not have are kept as they are: DuckDB finds and rejects those rows.
    """
    codec = "utf-8-sig" if encoding == "utf-8" else encoding
    errors = "replace" if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
    copy = scratch / f"{len(list(scratch.iterdir()))}-{path.name}.txt"
    lines, last, left = 0, "\n", limit
    with open_bytes(path, compression) as raw, copy.open("wb") as out:
        reader = io.TextIOWrapper(raw, encoding=codec, errors=errors, newline=None)
        while (left is None or left > 0) and (text := reader.read(CHUNK)):
            left = None if left is None else left - len(text)
            text = text.replace("\x00", "")
            out.write(text.encode("utf-8", "surrogateescape"))
            lines, last = lines + text.count("\n"), text[-1:] or last
    return copy, lines + (last != "\n")


def _text(head: bytes, encoding: str) -> str:
    text = head.decode("utf-8-sig" if encoding.startswith("utf-8") else encoding, "replace")
    return text.rstrip("�") if len(head) == SAMPLE else text


def _fault(shown: str, message: str) -> DataError:
    return DataError([Fault(message if shown else shorten(message), file=shown)])

"""What a file is, by its first bytes and, apart from that, by its name.

By content: text is told by being valid UTF-8 (or UTF-16 with a mark) without control characters,
and then JSON, HTML, XML and e-mail by how they begin. The common media containers have a rule here,
since puremagic 1.30 takes all Matroska for WebM, all MP4 audio for video, and does not know brands
such as `iso5`. Everything else is looked up in puremagic's signature table (MIT), by an index over
it: puremagic's own lookup scans 1,437 signatures in Python, 300-500 us a file, and applies its
footer signatures to the end of whatever it is given. Signatures shorter than 3 bytes are not used.

The name never has a say in `by_content`.
"""

from __future__ import annotations

import codecs
import mimetypes
import re
from importlib.metadata import version
from typing import Final

import puremagic

from muniment.model.collect import MediaType

HEAD_BYTES: Final = 8192
UNKNOWN: Final = "application/octet-stream"
EMPTY: Final = "application/x-empty"
TOOL: Final = f"puremagic {version('puremagic')}"

_MIN_SIGNATURE: Final = 3
_CONTROLS: Final = bytes(code for code in range(0x20) if code not in b"\t\n\f\r\x1b") + b"\x7f"
_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
_ODF: Final = "application/vnd.oasis.opendocument."
_EXECUTABLE: Final = "application/x-executable"
_WINDOWS: Final = "application/vnd.microsoft.portable-executable"

#: puremagic's and mimetypes' other names for one type.
_ALIASES: Final = {
    "audio/wave": "audio/wav",
    "audio/x-wav": "audio/wav",
    "audio/x-flac": "audio/flac",
    "video/avi": "video/x-msvideo",
    "video/dvd": "video/mpeg",
    "image/x-ms-bmp": "image/bmp",
    "image/pjpeg": "image/jpeg",
    "application/x-gzip": "application/gzip",
    "application/x-zip-compressed": "application/zip",
    "text/xml": "application/xml",
}

# Brands of ISO base media files (`ftyp`); any other is a film.
_BRANDS: Final = {
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"F4A ": "audio/mp4",
    b"heic": "image/heic",
    b"heix": "image/heic",
    **dict.fromkeys((b"heim", b"heis", b"hevc", b"hevx"), "image/heic"),
    **dict.fromkeys((b"mif1", b"mif2", b"miaf", b"msf1"), "image/heif"),
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"crx ": "image/x-canon-cr3",
}
_ANY_IMAGE: Final = (b"mif1", b"msf1", b"miaf", b"mif2")
_IMAGES: Final = (b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx")
# (where, what, type), tried in order before puremagic's table
_RULES: Final = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (4, b"jP  \r\n\x87\n", "image/jp2"),
    (0, b"GIF8", "image/gif"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"\x7fELF", _EXECUTABLE),
    (0, b"\x00\x00\x01\xba", "video/mpeg"),
    (0, b"\x00\x00\x01\xb3", "video/mpeg"),
    (4, b"moov", "video/quicktime"),
    (4, b"mdat", "video/quicktime"),
    (4, b"wide", "video/quicktime"),
)
_MPEG_AUDIO: Final = re.compile(rb"\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff][\x10-\xef]", re.DOTALL)
_AAC: Final = re.compile(rb"\xff[\xf0\xf1\xf8\xf9]", re.DOTALL)
_BMP: Final = re.compile(rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", re.DOTALL)

_JSON: Final = re.compile(
    rb'\s*(?:\{\s*["}]|\[\s*(?:[\[\]{"]|(?:true|false|null|-?\d[\d.eE+-]*)\s*[,\]]\s*(?:["\d\[\]{,-]|$)))'
)
_HTML: Final = re.compile(
    rb"\s*(?:<!--.{0,2000}?-->\s*)*<(?:!doctype\s+html|html|head|body|title|meta|script|style|"
    rb"iframe|table|div|span|p|a|h[1-6]|ul|ol|img|center)[\s>/]",
    re.IGNORECASE | re.DOTALL,
)
_MAIL: Final = re.compile(
    rb"^(from|to|cc|date|subject|message-id|received|mime-version|return-path|delivered-to|sender)"
    rb"[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_MAIL_FIRST: Final = re.compile(rb"[A-Za-z][A-Za-z0-9-]{0,60}:[ \t]")


_OURS: Final = {
    "video/mp4": ".mp4 .m4v",
    "video/quicktime": ".mov",
    "video/x-matroska": ".mkv",
    "video/webm": ".webm",
    "video/x-msvideo": ".avi",
    "video/3gpp": ".3gp",
    "video/3gpp2": ".3g2",
    "video/mpeg": ".mpg .mpeg",
    "video/mp2t": ".ts .mts .m2ts",
    "video/x-flv": ".flv",
    "video/x-ms-wmv": ".wmv",
    "video/x-ms-asf": ".asf",
    "video/ogg": ".ogv",
    "audio/mpeg": ".mp3",
    "audio/mp4": ".m4a",
    "audio/aac": ".aac",
    "audio/wav": ".wav",
    "audio/flac": ".flac",
    "audio/ogg": ".ogg .oga .opus",
    "audio/x-ms-wma": ".wma",
    "audio/amr": ".amr",
    "audio/x-matroska": ".mka",
    "image/jpeg": ".jpg .jpeg .jfif",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/bmp": ".bmp",
    "image/tiff": ".tif .tiff",
    "image/heic": ".heic",
    "image/heif": ".heif",
    "image/avif": ".avif",
    "image/jp2": ".jp2",
    "image/svg+xml": ".svg",
    "text/markdown": ".md",
    "application/x-subrip": ".srt",
    "text/vtt": ".vtt",
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/json": ".json .jsonl .geojson",
    "text/plain": ".yaml .yml .log",
    "application/rtf": ".rtf",
    "message/rfc822": ".eml",
    "application/mbox": ".mbox",
    "text/vcard": ".vcf",
    "application/zip": ".zip .wacz .apk .jar",
    "application/x-7z-compressed": ".7z",
    "application/vnd.rar": ".rar",
    "application/gzip": ".gz .tgz .tgs",
    "application/warc": ".warc",
    "application/x-xz": ".xz",
    "application/x-bzip2": ".bz2",
    "application/epub+zip": ".epub",
}


def _extensions() -> dict[str, str]:
    """Extension -> type: Python's own table (no file of the system's) with these on top."""
    table = dict(mimetypes.MimeTypes().types_map[True])
    for kind, ends in _OURS.items():
        table.update(dict.fromkeys(ends.split(), kind))
    for end, kind in (("docx", "wordprocessingml.document"), ("xlsx", "spreadsheetml.sheet")):
        table["." + end] = _OFFICE + kind
    table[".pptx"] = _OFFICE + "presentationml.presentation"
    for end, kind in (("odt", "text"), ("ods", "spreadsheet"), ("odp", "presentation")):
        table["." + end] = _ODF + kind
    return {end: _ALIASES.get(kind, kind) for end, kind in table.items()}


_EXTENSIONS: Final = _extensions()


def _index() -> list[tuple[int, int, dict[bytes, str]]]:
    """puremagic's header signatures as (start, end, bytes -> type), the longest first."""
    groups: dict[tuple[int, int], dict[bytes, str]] = {}

    def add(start: int, magic: bytes, kind: str) -> None:
        end = start + len(magic)
        if kind and len(magic) >= _MIN_SIGNATURE and start >= 0 and end <= HEAD_BYTES:
            groups.setdefault((start, end), {}).setdefault(magic, _ALIASES.get(kind, kind))

    for row in puremagic.magic_header_array:
        add(row.offset, row.byte_match, row.mime_type)
    ordered = sorted(groups.items(), key=lambda group: (group[0][0] - group[0][1], group[0][0]))
    return [(start, end, magics) for (start, end), magics in ordered]


_SIGNATURES: Final = _index()
# Containers whose form type stands at byte 8: `RIFF....WAVE`.
_FORMS: Final = {
    (b"RIFF", b"WAVE"): "audio/wav",
    (b"RIFF", b"AVI "): "video/x-msvideo",
    (b"RIFF", b"WEBP"): "image/webp",
    (b"FORM", b"AIFF"): "audio/aiff",
    (b"FORM", b"AIFC"): "audio/aiff",
}


def identify(head: bytes, name: str) -> MediaType:
    """The content type of a file by its first bytes and by its name.

    Args:
        head: the file's first bytes, up to 8 KiB (more is not looked at); empty for an empty file.
        name: its name or path; only the extension counts.
    Returns:
        `by_content` is `application/x-empty` for an empty file and `application/octet-stream` when
        unknown; `by_name` is null when the extension is unknown. `mismatch` only when both are
        known and of different families: HTML named `.mp4`, not MP4 named `.mov`. Never raises.
    Example:
        >>> kind = identify(b"<!DOCTYPE html><html>", "clip.mp4")
        >>> kind.by_content, kind.by_name, kind.mismatch
        ('text/html', 'video/mp4', True)
        >>> identify(b"\\0\\0\\0\\x18ftypqt  ", "clip.MP4").mismatch
        False
    """
    head = head[:HEAD_BYTES]
    content = _by_content(head)
    dot = name.rfind(".")
    named = _EXTENSIONS.get(name[dot:].lower()) if dot >= 0 else None
    mismatch = (
        named is not None
        and named != content
        and content not in (UNKNOWN, EMPTY)
        and named != UNKNOWN
        and _family(named) != _family(content)
    )
    return MediaType(content, named, mismatch, TOOL)


def category(media_type: str) -> str:
    """`video`, `image`, `audio`, `document` or `other`.

    Example:
        >>> category("video/mp4"), category("application/pdf"), category("application/zip")
        ('video', 'document', 'other')
    """
    top = media_type.partition("/")[0]
    if top in ("video", "image", "audio"):
        return top
    if top in ("text", "message") or media_type in _DOCUMENTS or _is_office(media_type):
        return "document"
    return "other"


_DOCUMENTS: Final = frozenset(
    {
        "application/pdf",
        "application/rtf",
        "application/json",
        "application/xml",
        "application/xhtml+xml",
        "application/x-subrip",
        "application/mbox",
        "application/msword",
        "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint",
        "application/epub+zip",
    }
)


def _is_office(media_type: str) -> bool:
    return media_type.startswith((_OFFICE, _ODF))


_TEXT_LIKE: Final = frozenset(
    {
        "application/json",
        "application/xml",
        "application/xhtml+xml",
        "application/javascript",
        "application/x-subrip",
        "application/x-sh",
        "application/x-csh",
        "application/x-tex",
        "application/x-latex",
        "application/vnd.apple.mpegurl",
        "application/mbox",
        "application/n-quads",
        "application/n-triples",
        "application/trig",
        "image/svg+xml",
    }
)


def _family(media_type: str) -> str:
    """Types of one family do not contradict each other."""
    if media_type in _TEXT_LIKE or media_type.startswith(("text/", "message/")):
        return "text"
    if media_type.startswith(("video/", "audio/")) or media_type == "application/ogg":
        return "timed media"  # one container holds either
    if media_type.startswith("image/"):
        return "image"
    if _is_office(media_type) or media_type in ("application/zip", "application/epub+zip"):
        return "zip"
    if "msdownload" in media_type or media_type in (_EXECUTABLE, _WINDOWS):
        return "executable"
    return "ole" if media_type in _OLE else media_type


_OLE: Final = frozenset(
    {"application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint"}
)


def _by_content(head: bytes) -> str:
    if not head:
        return EMPTY
    if head.startswith(b"%PDF-"):
        return "application/pdf"  # may be text throughout
    if _is_text(head):
        return _text_type(head)
    for start, magic, kind in _RULES:
        if head.startswith(magic, start):
            return kind
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in _ANY_IMAGE:  # what it holds is told by the brands it is compatible with
            size = int.from_bytes(head[:4], "big")
            others = (head[at : at + 4] for at in range(16, min(size, 256, len(head) - 3), 4))
            brand = next((one for one in others if one in _IMAGES), brand)
        return _BRANDS.get(brand) or ("video/3gpp" if brand[:2] == b"3g" else "video/mp4")
    return _container(head) or _looked_up(head) or _weakly_marked(head) or UNKNOWN


def _is_text(head: bytes) -> bool:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") and len(head) > 2:
        try:
            decoded = codecs.getincrementaldecoder("utf-16")().decode(head)
        except UnicodeDecodeError:
            return False
        return not any(char < " " and char not in "\t\n\f\r\x1b" for char in decoded)
    if len(head.translate(None, _CONTROLS)) != len(head):
        return False
    try:
        codecs.utf_8_decode(head, "strict", False)  # the last character may be cut
    except UnicodeDecodeError:
        return False
    return True


def _text_type(head: bytes) -> str:
    head = head.removeprefix(b"\xef\xbb\xbf")
    if _JSON.match(head):
        return "application/json"
    if head.startswith(b"{\\rtf"):
        return "application/rtf"
    if head.startswith(b"WEBVTT"):
        return "text/vtt"
    if _HTML.match(head):
        return "text/html"
    start = head.lstrip()[:1024]
    if start.startswith((b"<?xml", b"<svg")):
        if b"<svg" in start:
            return "image/svg+xml"
        return "application/xhtml+xml" if b"<html" in start else "application/xml"
    if start.startswith(b"From ") and _MAIL.search(start):
        return "application/mbox"
    if _MAIL_FIRST.match(head):
        header = re.split(rb"\r?\n\r?\n", head, maxsplit=1)[0]
        names = {name.lower() for name in _MAIL.findall(header)}
        if b"from" in names and len(names) >= 3:
            return "message/rfc822"
    return "text/plain"


def _container(head: bytes) -> str | None:
    start = head[:4]
    if start == b"\x1aE\xdf\xa3":
        return "video/webm" if b"webm" in head[:80] else "video/x-matroska"
    if start == b"OggS":
        if b"theora" in head[:80]:
            return "video/ogg"
        return "audio/ogg"
    if start == b"PK\x03\x04":
        return _zip_type(head)
    return _FORMS.get((start, head[8:12]))


def _zip_type(head: bytes) -> str:
    if head[30:38] == b"mimetype":
        declared = re.match(rb"application/[a-z0-9.+-]{1,80}", head[38:130])
        if declared:
            # The stored value runs into the next record's `PK`.
            kind = declared[0].decode()
            if kind.startswith(_ODF) or kind == "application/epub+zip":
                return kind
    if b"[Content_Types].xml" in head or b"_rels/" in head:
        for folder, kind in (
            (b"word/", "wordprocessingml.document"),
            (b"xl/", "spreadsheetml.sheet"),
            (b"ppt/", "presentationml.presentation"),
        ):
            if folder in head:
                return _OFFICE + kind
    return "application/zip"


def _looked_up(head: bytes) -> str | None:
    for start, end, magics in _SIGNATURES:
        kind = magics.get(head[start:end])
        if kind is not None:
            return kind
    return None


def _weakly_marked(head: bytes) -> str | None:
    """Types whose mark alone is too short: a second sign is asked for."""
    if head[:1] == b"G" and head[188:189] == b"G" and head[376:377] in (b"G", b""):
        return "video/mp2t"
    if _BMP.match(head):
        return "image/bmp"
    if _AAC.match(head):
        return "audio/aac"
    if _MPEG_AUDIO.match(head):
        return "audio/mpeg"
    return _WINDOWS if head[:2] == b"MZ" and len(head) > 64 else None

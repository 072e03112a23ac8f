"""The invented channels and what they posted. True times are UTC; texts are our own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

TextPart = str | tuple[str, str] | tuple[str, str, str]
"""Plain text, or (entity type, text) or ("text_link", text, address)."""


def at(day: int, clock: str) -> datetime:
    """A time in September 2021, UTC; ``clock`` is "HH:MM:SS"."""
    return datetime.strptime(f"2021-09-{day:02d} {clock}", "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


@dataclass(frozen=True)
class Channel:
    """An invented channel; its number lies above those that Telegram gives out."""

    key: str
    name: str
    number: int

    @property
    def peer(self) -> str:
        """How exports name it: "channel" and the number."""
        return f"channel{self.number}"


@dataclass(frozen=True)
class Post:
    """One message.

    Attributes:
        id: message number in its channel.
        utc: true time of posting.
        text: parts of the text.
        media: clip, still or voice id; None for text.
        file_name: name the uploader's file had; None lets Telegram Desktop number it.
        edited: true time of the last edit.
        forwarded: (channel key, message id) of the post it forwards.
        reply_to: message id in the same channel.
        missing: the export does not hold the file.
        action: service action; None for a message.
        pinned: message id, for pin_message.
        note: for the truth file.
        reactions: (emoji, count) pairs; only newer exports write them.
    """

    id: int
    utc: datetime
    text: tuple[TextPart, ...] = ()
    media: str | None = None
    file_name: str | None = None
    edited: datetime | None = None
    forwarded: tuple[str, int] | None = None
    reply_to: int | None = None
    missing: bool = False
    action: Literal["create_channel", "pin_message"] | None = None
    pinned: int | None = None
    note: str = ""
    reactions: tuple[tuple[str, int], ...] = ()


YARD = Channel("yard", "Lindvara Yard Watch", 998000000101)
WIRE = Channel("wire", "Coast News Wire", 998000000102)
TALK = Channel("talk", "Harbour Talk", 998000000103)
CRATE = Channel("crate", "Daily Crate", 998000000104)
VOICES = Channel("voices", "Vara Voices", 998000000105)
ANGLES = Channel("angles", "Unseen Angles", 998000000106)
CHANNELS = (YARD, WIRE, TALK, CRATE, VOICES, ANGLES)

POST_3_TEXT: tuple[TextPart, ...] = (
    "Filmed a quarter of an hour ago from my window: crates go from the rope store across the "
    "yard to the north gate. ",
    ("hashtag", "#lindvara"),
)

POSTS: dict[str, tuple[Post, ...]] = {
    "yard": (
        Post(1, datetime(2021, 6, 2, 17, 20, 5, tzinfo=UTC), action="create_channel"),
        Post(2, at(12, "16:03:40"), ("Small market in Lindvara tomorrow from two o'clock.",)),
        Post(
            3,
            at(13, "07:58:21"),
            POST_3_TEXT,
            "first",
            "IMG_0417.MP4",
            note="first publication",
            reactions=(("👀", 5),),
        ),
        Post(4, at(13, "08:40:02"), ("Listen: someone calls that the delivery is at the gate.",)),
        Post(5, at(13, "08:41:10"), action="pin_message", pinned=3),
        Post(
            6,
            at(14, "06:12:33"),
            media="request",
            note="a voice message; another phrase, not sound of the first clip",
        ),
        Post(7, at(14, "10:20:00"), ("I gave the original file to Open Coast Monitor today.",)),
    ),
    "wire": (
        Post(210, at(13, "05:45:00"), (("bold", "Monday on the coast"), ": fair, light wind.")),
        Post(
            211,
            at(13, "08:19:05"),
            POST_3_TEXT,
            "first",
            "IMG_0417.MP4",
            forwarded=("yard", 3),
            note="forward; the exporter points to the file it already saved",
        ),
        Post(
            212,
            at(13, "08:31:47"),
            ("Crates moved in Lindvara, ", ("italic", "unconfirmed"), "."),
            "reencode",
            "lindvara_yard.mp4",
        ),
        Post(
            213,
            at(13, "09:10:30"),
            (
                ("bold", "LINDVARA"),
                ": crates leave the rope store yard. The council has not commented. ",
                ("text_link", "Our channel", "https://coast-news-wire.example/"),
            ),
            "caption",
            "cnw_0913_final.mp4",
            edited=at(13, "09:52:10"),
            note="edited after posting",
            reactions=(("👍", 12), ("🤔", 7)),
        ),
        Post(214, at(13, "11:26:15"), ("The moment at the gate, shorter.",), "trim"),
        Post(
            215,
            at(13, "11:40:52"),
            ("More from the same window, a few minutes after the first video.",),
            "later",
            "IMG_0421.MP4",
            note="text is wrong: filmed 2 h 40 min after the first video",
        ),
        Post(
            216,
            at(14, "05:02:11"),
            (
                "Two accounts of one morning: ",
                ("link", "https://coast-ledger.example/2021/09/14/crates"),
            ),
        ),
    ),
    "talk": (
        Post(88, datetime(2021, 3, 9, 9, 0, 0, tzinfo=UTC), action="create_channel"),
        Post(89, at(13, "09:36:44"), ("Small version for slow lines.",), "small", "yard_240p.mp4"),
        Post(
            90,
            at(13, "10:02:19"),
            POST_3_TEXT,
            "first",
            "IMG_0417.MP4",
            forwarded=("yard", 3),
            missing=True,
            note="forward; file not included",
        ),
        Post(91, at(13, "10:45:08"), ("Look at the man with the crate.",), "crop10"),
        Post(
            92,
            at(13, "11:03:31"),
            ("Recorded from my phone before it disappears.",),
            "screen-flat",
            "Screen_Recording_20210913.mp4",
        ),
        Post(
            93,
            at(13, "12:30:00"),
            ("Three pictures from the yard this morning.",),
            "still-1",
            note="album; the second picture is from the later clip",
        ),
        Post(94, at(13, "12:30:00"), media="still-later", note="album"),
        Post(95, at(13, "12:30:00"), media="still-2", note="album"),
        Post(
            96,
            at(13, "13:50:26"),
            ("Quiet market this afternoon.",),
            "market",
            "market.mp4",
            note="unrelated",
        ),
        Post(
            97,
            at(13, "14:05:49"),
            (
                "This one is cut at the edges, see the full one at ",
                ("mention", "@lindvara_yard_watch_example"),
                ".",
            ),
            reply_to=91,
        ),
    ),
    "crate": (
        Post(40, datetime(2021, 1, 15, 12, 0, 0, tzinfo=UTC), action="create_channel"),
        Post(41, at(13, "12:15:00"), ("Crates, again.",), "caption-again"),
        Post(42, at(14, "07:22:38"), ("Closer.",), "crop30", "closer.mp4"),
        Post(
            43,
            at(14, "08:05:03"),
            ("Another window, another view?",),
            "mirror",
            "view2.mp4",
            note="text is wrong: the same picture, mirrored",
        ),
        Post(
            44,
            at(14, "09:41:57"),
            ("For the record.",),
            "reencode",
            "for_the_record.mp4",
            note="same bytes as wire 212, uploaded anew",
        ),
        Post(
            45,
            at(14, "15:30:12"),
            ("The coast this week, in 14 seconds.",),
            "montage",
            "coast_week.mp4",
        ),
        Post(
            46,
            at(14, "15:44:00"),
            (
                "Two accounts of one morning: ",
                ("link", "https://coast-ledger.example/2021/09/14/crates"),
            ),
            forwarded=("wire", 216),
        ),
    ),
    "voices": (
        Post(301, datetime(2020, 11, 1, 8, 0, 0, tzinfo=UTC), action="create_channel"),
        Post(302, at(12, "18:10:00"), ("Good evening, Vara.",)),
        Post(303, at(13, "10:20:35"), ("Seen in Lindvara this morning.",), "letterbox"),
        Post(
            304, at(13, "14:45:20"), ("Without sound, it was too loud.",), "muted", "no_sound.mp4"
        ),
        Post(
            305,
            at(13, "15:00:41"),
            ("Listen: someone calls that the delivery is at the gate.",),
            forwarded=("yard", 4),
        ),
        Post(306, at(15, "17:30:00"), (("bold", "Ombudsman"), " asks for an inquiry.")),
    ),
    "angles": (
        Post(11, datetime(2021, 8, 30, 20, 0, 0, tzinfo=UTC), action="create_channel"),
        Post(
            12,
            at(14, "10:12:09"),
            (
                ("bold", "Exclusive."),
                " Filmed on Sunday evening, 12 September. We had this a day before everyone else.",
            ),
            "screen-tilted",
            "exclusive.mp4",
            note="text is wrong: filmed on Monday morning",
        ),
        Post(13, at(14, "10:30:00"), ("Sunday, not Monday. Ask yourselves why.",), reply_to=12),
        Post(
            14,
            at(14, "11:05:27"),
            (
                ("bold", "LINDVARA"),
                ": crates leave the rope store yard. The council has not commented. ",
                ("text_link", "Our channel", "https://coast-news-wire.example/"),
            ),
            "caption",
            "cnw_0913_final.mp4",
            forwarded=("wire", 213),
            missing=True,
            note="forward; file not included",
        ),
    ),
}


@dataclass(frozen=True)
class Export:
    """One folder as Telegram Desktop writes it.

    Attributes:
        folder: name under input/telegram.
        channels: keys; more than one makes a full-account export.
        utc_offset_h: zone of the exporting computer on the days of the posts.
        old: made before ``date_unixtime``, ``text_entities`` and file sizes were written.
    """

    folder: str
    channels: tuple[str, ...]
    utc_offset_h: int
    old: bool = False


EXPORTS = (
    Export("DataExport_2025-03-10", ("yard", "wire", "talk", "crate"), 2),
    Export("ChatExport_2025-03-11", ("angles",), 0),
    Export("ChatExport_2021-09-16", ("voices",), 3, old=True),
)

ALBUMS: tuple[tuple[str, tuple[int, ...]], ...] = (("talk", (93, 94, 95)),)

"""Cases to draw: an invented courtyard scene, the same with hostile text, an empty one, large ones."""

from __future__ import annotations

import hashlib

import msgspec

from muniment.model.collect import Channel, MediaType
from muniment.model.report import (
    AcquisitionView,
    Circumstance,
    CustodyView,
    EventView,
    ItemView,
    MissView,
    PostView,
    ReportData,
)
from muniment.model.times import Interval, format_utc, from_local, from_unix
from muniment.report.wording import moment

BASIS = "date_unixtime, exporter's claim"
LOCAL = "local date without zone, exporter's claim"
NO_TIME = Interval(None, None, "no time given")
START_S = 1_777_712_400  # 2026-05-02 09:00:00 UTC

HOSTILE = (
    "<script>alert(1)</script> \u202egnp.exe\u202c\u200b “quoted” & <b onclick='x'>b</b>\n"
    "second line \x00\x1b[31m 👩\u200d👩\u200d👧 e\u0301 النص\n" + "z̸̢̛" * 5
)


def digest(seed: str) -> str:
    """A made-up SHA-256."""
    return hashlib.sha256(seed.encode()).hexdigest()


def short(kind: str, seed: str) -> str:
    """A made-up short id."""
    return f"{kind}:{digest(seed)[:12]}"


def exact(minutes: float) -> Interval:
    """A time to the second, `minutes` after 09:00."""
    return from_unix(START_S + round(minutes * 60), BASIS)


def utc(minutes: float) -> str:
    """A stored time, `minutes` after 09:00."""
    return format_utc(moment((START_S + round(minutes * 60)) * 1000))


CHANNELS = {
    "lane": Channel("Lindenhof Neighbours", "1001", "public_channel", 0),
    "desk": Channel("Harbour Desk", "1002", "public_channel", 0),
    "watch": Channel("Courtyard Watch", "1003", "public_supergroup", 0),
    "watch2": Channel("Courtyard Watch", None, "private_group", 1),
    "old": Channel("Tollgate Bulletin", "1005", "public_channel", 0),
}
EXPORTS = {
    "lane": "lindenhof/result.json",
    "desk": "harbour/result.json",
    "watch": "watch/result.json",
    "watch2": "watch/result.json",
    "old": "tollgate-2021/result.json",
}
FIRST, SECOND = short("acquisition", "first"), short("acquisition", "second")


def make_post(channel: str, number: int, published: Interval, **changes: object) -> PostView:
    """A text post of one of the example's channels."""
    start = number * 800
    plain = PostView(
        id=short("post", f"{channel}/{number}"),
        channel_key=f"{digest(EXPORTS[channel])[:12]}/{CHANNELS[channel].ordinal}",
        channel=CHANNELS[channel],
        post_id=str(number),
        kind="message",
        action=None,
        author=CHANNELS[channel].name,
        published=published,
        edited=None,
        text="The north gate of the courtyard, this morning.",
        media_type=None,
        media_status=None,
        media_path=None,
        media_item=None,
        forwarded_from=None,
        reply_to=None,
        album_of=None,
        export_item=short("item", EXPORTS[channel]),
        start_byte=start,
        end_byte=start + 640 + number % 100,
    )
    return msgspec.structs.replace(plain, **changes)


def file_of(seed: str, media_type: str = "video_file") -> dict[str, object]:
    """The members of a post whose file is held."""
    return {
        "media_type": media_type,
        "media_status": "included",
        "media_path": f"video_files/{seed}",
        "media_item": short("item", seed),
    }


def absent(media_type: str = "video_file", status: str = "not_included") -> dict[str, object]:
    """The members of a post whose file is not there."""
    return {"media_type": media_type, "media_status": status}


def _posts() -> list[PostView]:
    gate, yard, crates = file_of("gate.mp4"), file_of("yard.mp4"), file_of("crates.jpg", "photo")
    long = "Seen from the second floor: two carts, the gate open, nobody at the desk. " * 12
    service = {"kind": "service", "action": "create_channel", "text": None}
    return [
        make_post("lane", 1, exact(-1300), **service),
        make_post("lane", 2, exact(4), **gate),
        make_post("lane", 3, exact(9), text="Does anyone know who keeps the key?"),
        make_post("desk", 41, exact(31), text=None, forwarded_from="Lindenhof Neighbours", **gate),
        make_post("watch", 7, exact(33), forwarded_from="Lindenhof Neighbours", **gate),
        make_post("watch", 8, exact(36), text=long, edited=exact(75)),
        make_post("watch2", 1, exact(20), **(service | {"action": "create_group"})),
        make_post("watch2", 2, exact(41), forwarded_from="Courtyard Watch", **absent()),
        make_post("watch2", 3, exact(52), reply_to="2", text="I cannot open this one."),
        make_post("desk", 42, exact(64), **yard),
        make_post("desk", 43, exact(64.5), text=None, album_of="42", **crates),
        make_post("desk", 44, exact(65), text=None, album_of="42", **absent("photo", "missing")),
        make_post("lane", 4, exact(88), forwarded_from="Harbour Desk", **yard),
        make_post("lane", 5, exact(95), reply_to="3", text="The caretaker has it.\nAsk at no. 4."),
        make_post("watch", 9, exact(120), forwarded_from="M. Orlo (person)", **absent()),
        make_post("watch", 10, exact(155), edited=exact(156), **file_of("voice.ogg", "voice")),
        make_post("watch2", 4, exact(171), **absent("file", "refused")),
        make_post("desk", 45, exact(240), forwarded_from="Quay Letters", text="From the quay."),
        make_post("desk", 46, exact(300), **file_of("notice.pdf", "file")),
        make_post("lane", 6, exact(310), forwarded_from="Harbour Desk", **file_of("notice.pdf")),
        make_post("lane", 7, exact(420), **absent("video_file", "empty")),
        make_post("old", 300, from_local("2026-05-01T22:15:00", LOCAL), **gate),
        make_post("old", 301, from_local("2026-05-02T12:40:00", LOCAL), **absent()),
        make_post("old", 302, from_local("2026-05-02T12:50:00", LOCAL), edited=exact(700)),
        make_post(
            "old", 303, from_local("2026-05-03T08:00:00", LOCAL), forwarded_from="Quay Letters"
        ),
        make_post("old", 304, NO_TIME, text="No date is given for this one."),
        make_post("desk", 47, exact(1500), text="A correction: the gate was open on Friday, too."),
        make_post("watch", 11, exact(2200), **(file_of("lost.mp4") | {"media_item": None})),
    ]


def in_order(posts: list[PostView]) -> tuple[PostView, ...]:
    """As the index gives them: earliest possible time first, unknown last."""
    return tuple(
        sorted(
            posts,
            key=lambda post: (
                post.published.earliest_utc is None,
                post.published.earliest_utc or "",
                post.published.latest_utc or "",
            ),
        )
    )


def make_item(
    seed: str,
    content: str,
    category: str,
    posts: tuple[PostView, ...] = (),
    **changes: object,
) -> ItemView:
    """An item that came in once, in the first acquisition."""
    identity = short("item", seed)
    plain = ItemView(
        id=identity,
        sha256=digest(seed),
        size_bytes=int(digest(seed)[:6], 16),
        media_type=MediaType(content, content, False, "puremagic 1.30"),
        category=category,
        circumstances=(
            Circumstance(FIRST, f"lindenhof/video_files/{seed}", "found", utc(2900), utc(5)),
        ),
        posts=tuple(post.id for post in posts if post.media_item == identity),
        erased=False,
    )
    return msgspec.structs.replace(plain, **changes)


def _items(posts: tuple[PostView, ...]) -> tuple[ItemView, ...]:
    json, twice = (
        "application/json",
        (
            Circumstance(FIRST, "lindenhof/video_files/gate.mp4", "found", utc(2900), utc(5)),
            Circumstance(
                FIRST, "harbour/video_files/gate (1).mp4", "duplicate", utc(2901), utc(31)
            ),
            Circumstance(SECOND, "watch/video_files/IMG_0007.mp4", "duplicate", utc(2950), None),
        ),
    )
    disagree = MediaType("image/png", "image/jpeg", True, "puremagic 1.30")
    exports = [make_item(path, json, "export") for path in dict.fromkeys(EXPORTS.values())]
    return (
        *exports,
        make_item("gate.mp4", "video/mp4", "video", posts, circumstances=twice),
        make_item("yard.mp4", "video/mp4", "video", posts),
        make_item("crates.jpg", "image/png", "image", posts, media_type=disagree),
        make_item("voice.ogg", "audio/ogg", "audio", posts),
        make_item("notice.pdf", "application/pdf", "document", posts),
        make_item("statement.txt", "text/plain", "document"),
        make_item("backup.bin", "application/octet-stream", "other", erased=True),
    )


def _misses() -> tuple[MissView, ...]:
    absent_words = ("absent", "the export does not include the file", "Export it again with files.")
    return (
        MissView(SECOND, f"video_file of {short('post', 'watch2/2')}", *absent_words),
        MissView(SECOND, f"video_file of {short('post', 'watch/9')}", *absent_words),
        MissView(SECOND, f"video_file of {short('post', 'old/301')}", *absent_words),
        MissView(
            FIRST,
            "photos/photo_44.jpg",
            "absent",
            "the export names the file, it is not in the folder",
            "Look for the file.",
        ),
        MissView(
            SECOND,
            "watch/video_files/lost.mp4",
            "failed",
            "could not be read: input/output error",
            "Read the medium again, or ask for another copy.",
        ),
        MissView(
            SECOND,
            "../../etc/keys",
            "refused",
            "unsafe member: it climbs out of the folder",
            "Nothing was opened. Ask who made this export how the path came about.",
        ),
    )


def _acquisitions() -> tuple[AcquisitionView, ...]:
    first = AcquisitionView(
        id=FIRST,
        source_path="/media/field/usb-2/exports",
        source_kind="telegram_desktop",
        stated_source="Handed over by a resident of Lindenhof on 3 May 2026",
        collector="N. Example",
        why="Exports of two channels that showed the courtyard first",
        started_utc=utc(2895),
        finished_utc=utc(2903),
        outcome="partly",
        counts={"found": 8, "duplicate": 1, "absent": 1, "posts": 17},
        reason=None,
        tool="telegram_desktop 1",
        clock_set_back_s=None,
    )
    return (
        first,
        msgspec.structs.replace(
            first,
            id=SECOND,
            source_path="/media/field/usb-3",
            stated_source=None,
            started_utc=utc(2940),
            finished_utc=utc(2955),
            counts={"found": 3, "duplicate": 1, "absent": 3, "failed": 1, "refused": 1},
            reason="1 file could not be read",
            clock_set_back_s="2.150",
        ),
        msgspec.structs.replace(
            first,
            id=short("acquisition", "third"),
            source_path="/media/field/usb-4",
            source_kind="folder",
            started_utc=utc(2960),
            finished_utc=None,
            outcome=None,
            counts={},
        ),
    )


def _custody(**changes: object) -> CustodyView:
    plain = CustodyView(
        root_sha256=digest("root"),
        origin="muniment.example/lindenhof-courtyard",
        checkpoint=f"57:{digest('tree')}",
        checkpoint_size=57,
        checkpoint_root_sha256=digest("tree"),
        checkpoint_algorithms=("Ed25519",),
        persons=("N. Example (key 4f0c2a91)",),
        agents=("field laptop 2 (key a80133de)",),
        first_entry_utc=utc(2880),
        last_entry_utc=utc(7431),
        outside_anchor=None,
        entry_counts={
            "acquisition.finished": 2,
            "acquisition.started": 3,
            "case.opened": 1,
            "item.acquired": 14,
            "key.certified": 1,
            "post.recorded": 28,
        },
        object_count=11,
        object_bytes=61_337_214,
        events=(
            EventView(utc(2880), "case.opened", "N. Example", "opened as “Courtyard, Lindenhof”"),
            EventView(utc(2881), "key.certified", "N. Example", "certified agent key a80133de"),
            EventView(utc(7431), "log.recovered", "field laptop 2", "moved 214 bytes aside"),
        ),
        clock_steps_back=1,
    )
    return msgspec.structs.replace(plain, **changes)


def courtyard() -> ReportData:
    """The example: five channels, 28 posts, everything a small case can hold."""
    posts = in_order(_posts())
    return ReportData(
        case_id="5d8e6b1e-0d3a-4c55-9c0b-7a0f4b1c2d3e",
        title="Courtyard, Lindenhof",
        purpose="Preserve what was published about the courtyard of Lindenhof from 2 May 2026 on.",
        opened_by="N. Example",
        opened_utc=utc(2880),
        custody=_custody(),
        acquisitions=_acquisitions(),
        items=_items(posts),
        posts=posts,
        misses=_misses(),
        tools=(
            ("content_type", "1"),
            ("muniment", "0.1.0"),
            ("puremagic", "1.30"),
            ("telegram_desktop", "1"),
        ),
        report_version="0.1.0",
    )


def empty() -> ReportData:
    """A case just opened: nothing collected."""
    return msgspec.structs.replace(
        courtyard(),
        custody=_custody(
            events=(),
            entry_counts={"case.opened": 1},
            object_count=0,
            object_bytes=0,
            clock_steps_back=0,
            last_entry_utc=utc(2880),
            checkpoint_size=1,
        ),
        acquisitions=(),
        items=(),
        posts=(),
        misses=(),
        tools=(),
    )


def single() -> ReportData:
    """A case of one post."""
    return msgspec.structs.replace(empty(), posts=(make_post("lane", 2, exact(4)),))


def hostile() -> ReportData:
    """The example with hostile text in every place a stranger can write to."""
    data = courtyard()
    posts = tuple(
        msgspec.structs.replace(
            post,
            channel=Channel(HOSTILE, HOSTILE, HOSTILE, post.channel.ordinal),
            author=HOSTILE,
            text=HOSTILE * (60 if number % 5 == 0 else 1),
            action=HOSTILE,
            post_id=HOSTILE,
            reply_to=HOSTILE,
            album_of=HOSTILE,
            forwarded_from=HOSTILE,
            media_type=HOSTILE,
            media_path=HOSTILE,
            published=msgspec.structs.replace(post.published, basis=HOSTILE),
        )
        for number, post in enumerate(data.posts)
    )
    return msgspec.structs.replace(
        data,
        title=HOSTILE,
        purpose=HOSTILE,
        opened_by=HOSTILE,
        posts=posts,
        misses=tuple(
            msgspec.structs.replace(miss, path=HOSTILE, reason=HOSTILE, remedy=HOSTILE)
            for miss in data.misses
        ),
        items=tuple(
            msgspec.structs.replace(
                item,
                media_type=MediaType(HOSTILE, HOSTILE, True, HOSTILE),
                circumstances=tuple(
                    msgspec.structs.replace(one, path=HOSTILE) for one in item.circumstances
                ),
            )
            for item in data.items
        ),
        acquisitions=tuple(
            msgspec.structs.replace(
                one, source_path=HOSTILE, stated_source=HOSTILE, collector=HOSTILE, why=HOSTILE
            )
            for one in data.acquisitions
        ),
        custody=_custody(
            persons=(HOSTILE,),
            agents=(HOSTILE,),
            events=(EventView(utc(2880), "case.opened", HOSTILE, HOSTILE),),
        ),
        tools=((HOSTILE, HOSTILE),),
    )


def many(number: int, channels: int, span_s: int) -> ReportData:
    """`number` posts spread unevenly over `channels` channels and `span_s` seconds."""
    posts = []
    for index in range(number):
        lane = index * index % 7919 % channels
        at_s = START_S + index * 7919 % 104_729 * span_s // 104_729
        published = from_unix(at_s, BASIS)
        if index % 97 == 5:
            published = from_local(format_utc(moment(at_s * 1000))[:19], LOCAL)
        elif index % 997 == 6:
            published = NO_TIME
        posts.append(
            PostView(
                id=f"post:{index:012x}",
                channel_key=f"export/{lane}",
                channel=Channel(f"Channel {lane + 1}", str(lane), "public_channel", lane),
                post_id=str(index),
                kind="service" if index % 50 == 7 else "message",
                action=None,
                author=f"Author {index % 60}",
                published=published,
                edited=None,
                text=f"Text of post {index}, plain and short.",
                media_type="photo" if index % 3 == 0 else None,
                media_status="not_included" if index % 3 == 0 else None,
                media_path=None,
                media_item=None,
                forwarded_from=f"Channel {index % (channels + 3) + 1}" if index % 9 == 0 else None,
                reply_to=str(index - channels) if index % 11 == 10 else None,
                album_of=None,
                export_item="item:000000000000",
                start_byte=index * 500,
                end_byte=index * 500 + 400,
            )
        )
    return msgspec.structs.replace(empty(), posts=in_order(posts))

"""The courtyard case, examined and traced: invented scenes, their thumbnails drawn from their names."""

from __future__ import annotations

import importlib.util
import math
import struct
import sys
from pathlib import Path
from types import ModuleType

import msgspec

from muniment.model.differences import (
    Added,
    ClusterDifferences,
    Covered,
    Difference,
    Guess,
    Making,
    Missing,
    Sound,
)
from muniment.model.report import ItemView, ReportData
from muniment.model.report_differences import DifferencesView, PieceView, SourceView
from muniment.model.report_seen import (
    AlignedFrames,
    ClusterView,
    ConfinementView,
    DecisionView,
    EdgeView,
    ExaminedView,
    FactView,
    FrameView,
    MemberView,
    NoteView,
    PairView,
    TextView,
    Thumbnail,
    TraceView,
)
from muniment.model.trace import Decision, Pair, Segment, Transform, Verdict
from muniment.report.composite import composite, differences_view
from muniment.trace.composite import compose
from muniment.trace.fullest import Member, both_ways


def _example() -> ModuleType:
    if "report_example_data" in sys.modules:
        return sys.modules["report_example_data"]
    path = Path(__file__).with_name("example_data.py")
    spec = importlib.util.spec_from_file_location("report_example_data", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["report_example_data"] = module
    spec.loader.exec_module(module)
    return module


example = _example()
WIDTH, HEIGHT = 32, 18
LAYERS = ConfinementView(True, True, 4, True, True, "user, net, ipc", "")
OPEN = ConfinementView(False, reason="asked for with --unconfined")
NAMES = {
    "gate.mp4": (24.0, "lane"),
    "gate (1).mp4": (12.0, "desk"),
    "IMG_0007.mp4": (27.5, "watch"),
    "screen.webm": (10.0, "watch2"),
    "loose.mp4": (8.0, None),
}
ITEM = {name: example.short("item", name) for name in NAMES}


def _pixel(scene: str, x: int, y: int, second: float) -> tuple[int, int, int]:
    if scene == "bridge":
        deck = 9 + round(2 * math.sin(x / 5))
        return (
            (96, 88, 80)
            if y in (deck, deck + 1)
            else (150, 178, 205)
            if y < deck
            else (60, 92, 110)
        )
    if scene == "market":
        stripe = (x // 4 + y // 7) % 2
        return (190, 120 + 30 * stripe, 70) if y < 8 else (120 + x * 2, 110, 96)
    if scene == "courtyard" and x in (6, 14, 23) and 3 < y < 15:
        return 58, 54, 50
    cart = int(second * 1.7) % 32
    if y in (12, 13) and 0 <= x - cart < 4:
        return 150, 44, 30
    return (178, 196, 214) if y < 6 else (188 - y * 3, 176 - y * 3, 150 - y * 2)


def thumbnail(key: str) -> Thumbnail | None:
    """The picture a key names: `scene/seconds/mirror`; none for keys of another form."""
    scene, _, rest = key.partition("/")
    second, _, flags = rest.partition("/")
    if scene not in ("courtyard", "bridge", "market"):
        return None
    columns = range(WIDTH - 1, -1, -1) if "mirror" in flags else range(WIDTH)
    pixels = (_pixel(scene, x, y, float(second)) for y in range(HEIGHT) for x in columns)
    return Thumbnail(b"".join(struct.pack("3B", *pixel) for pixel in pixels), WIDTH, HEIGHT)


def frame(scene: str, second: float, flags: str = "", at_s: float | None = None) -> FrameView:
    """A frame of an invented scene."""
    return FrameView(f"{scene}/{second}/{flags}", second if at_s is None else at_s)


def clear_picture(key: str) -> bytes | None:
    """A JPEG of the same scene, as the page of clear pictures takes them."""
    from io import BytesIO

    from PIL import Image

    small = thumbnail(key)
    if small is None:
        return None
    picture = Image.frombytes("RGB", (small.width_px, small.height_px), small.rgb)
    out = BytesIO()
    picture.resize((640, 360), Image.Resampling.NEAREST).save(out, "JPEG", quality=80)
    return out.getvalue()


SEGMENTS = {
    "gate (1).mp4": (Segment(6.0, 18.0, 0.0, 12.0, 1.0, 0.97),),
    "IMG_0007.mp4": (
        Segment(0.0, 10.0, 3.5, 13.5, 1.0, 0.94),
        Segment(10.0, 24.0, 13.5, 27.5, 1.0, 0.91),
    ),
    "screen.webm": (Segment(12.0, 22.0, 0.5, 9.5, 0.9, 0.71),),
}


def trace_pairs() -> list[Pair]:
    """Pairs as tracing gives them."""
    gate = ITEM["gate.mp4"]
    return [
        Pair(
            gate,
            ITEM[name],
            Verdict.SAME_FOOTAGE,
            segments[0].score,
            segments,
            Transform(mirrored=name == "gate (1).mp4"),
        )
        for name, segments in SEGMENTS.items()
    ]


def _pair_views() -> tuple[PairView, ...]:
    words = {
        "gate (1).mp4": (),
        "IMG_0007.mp4": ("A caption stands over the lower third.", "3.5 s more at the start."),
        "screen.webm": ("Played 1.11 times as fast.", "The sound is another."),
    }
    crops = {"screen.webm": (0.1, 0.05, 0.92, 0.95)}
    views = []
    for pair in trace_pairs():
        name = next(name for name, item in ITEM.items() if item == pair.b)
        flags = "mirror" if name == "gate (1).mp4" else ""
        first = pair.segments[0]
        moments = []
        for part in range(4):
            along = (first.a_end_s - first.a_start_s) * (part + 0.5) / 4
            second = round(first.a_start_s + along, 1)
            at_b = round(first.b_start_s + along * first.speed, 1)
            moments.append(
                AlignedFrames(
                    frame("courtyard", second),
                    frame("courtyard", second, flags, at_b),
                    ("mirrored",) if flags else ("caption, lower third",) if part == 2 else (),
                )
            )
        views.append(
            PairView(
                pair.a,
                pair.b,
                "gate.mp4",
                name,
                pair.verdict,
                pair.score,
                24.0,
                NAMES[name][0],
                pair.segments,
                Transform(pair.transform is not None and pair.transform.mirrored, crops.get(name)),
                (
                    f"{round(along * 2)} of {round(along * 2) + 1} fingerprints agree at one offset.",
                    "Motion correlates at 0.93 over the aligned seconds.",
                    "Sound agrees at the same offset.",
                ),
                words[name],
                tuple(moments),
            )
        )
    return tuple(views)


def _members() -> tuple[MemberView, ...]:
    times = {
        "gate.mp4": (example.exact(4), 3),
        "gate (1).mp4": (example.exact(31), 1),
        "IMG_0007.mp4": (example.exact(33), 1),
        "screen.webm": (example.from_local("2026-05-02T12:40:00", example.LOCAL), 1),
        "loose.mp4": (None, 0),
    }
    members = []
    for name, (duration_s, channel) in NAMES.items():
        published, posts = times[name]
        members.append(
            MemberView(
                ITEM[name],
                name,
                duration_s,
                example.CHANNELS[channel].name if channel else None,
                example.short("post", "lane/2") if posts else None,
                published,
                posts,
                3 if name == "gate.mp4" else 1,
            )
        )
    return tuple(members)


def cluster() -> ClusterView:
    """One recording in five copies: cut, mirrored, with an opening of its own, from a screen."""
    views = _pair_views()
    durations = {ITEM[name]: duration_s for name, (duration_s, _) in NAMES.items()}
    names = {item: name for name, item in ITEM.items()}
    gate = ITEM["gate.mp4"]
    edges = (
        EdgeView(
            gate,
            ITEM["gate (1).mp4"],
            "claimed forward",
            "Harbour Desk, post 41, claims to be forwarded from Lindenhof Neighbours.",
        ),
        EdgeView(
            gate, ITEM["IMG_0007.mp4"], "containment", "Every second of gate.mp4 lies within it."
        ),
        EdgeView(
            ITEM["IMG_0007.mp4"],
            ITEM["screen.webm"],
            "containment",
            "Caption of the one in the other.",
        ),
        EdgeView(
            gate, ITEM["loose.mp4"], "containment", "Every second of it lies within gate.mp4."
        ),
    )
    return ClusterView(
        "cluster:8f2a91bc07de",
        _members(),
        (gate, ITEM["screen.webm"]),
        "earliest post times of the copies held, which overlap; exporter's claim",
        edges,
        views,
        4,
        composite(differences(gate, durations, trace_pairs()), names, durations),
        differences=differences_view(
            differences(gate, durations, trace_pairs()), names, _shown_frame
        ),
    )


MAKING = Making(
    1280, 720, 921_600, 2_400_000, 2.0, "h264", "qt", ("x264 - core 165",), Guess(2, ("x",))
)


def differences(fullest: str, durations: dict[str, float], pairs: list[Pair]) -> ClusterDifferences:
    """A cluster's differences as tracing gives them, one of each kind."""
    held = {item: Member(item, length_s, MAKING) for item, length_s in durations.items()}
    line = compose(fullest, held, both_ways(held, pairs))
    rest = [item for item in durations if item != fullest]
    box = (0.1, 0.8, 0.9, 0.95)
    second = "item" if len(rest) < 2 else rest[0]
    told = [
        Difference(
            "", mirrored=True, crop=(0.1, 0.1, 0.9, 0.9), sound=Sound.NO_TRACK, making=MAKING
        ),
        Difference(
            "",
            missing=(Missing("beginning", 0.0, 2.0),),
            added=(Added(0.0, 3.5, (second,), True),),
            alike=(Missing("end", 20.0, 24.0, (23.5, 27.5)),),
            covered=tuple(
                Covered(box, box, 4.0, 9.0, who is None, who) for who in (True, False, None)
            ),
            sound=Sound.SHIFTED,
            sound_shift_s=-1.5,
        ),
        Difference(
            "",
            speed=0.9,
            around=(0.1, 0.2, 0.8, 0.9),
            framed=True,
            bars=(0.0, 0.1, 1.0, 0.9),
            sound=Sound.OTHER,
            making=MAKING,
        ),
    ]
    none = Difference("", laid=False, making=MAKING)
    each = [
        msgspec.structs.replace(told[at] if at < len(told) else none, copy=item)
        for at, item in enumerate(rest)
    ]
    return ClusterDifferences(fullest, "It shows 24.0 s of the footage.", MAKING, tuple(each), line)


def _shown_frame(item: str, time_s: float) -> FrameView:
    return frame("courtyard", round(time_s, 1), "mirror" if item == ITEM["gate (1).mp4"] else "")


def _apart() -> tuple[PairView, ...]:
    bridge = [
        AlignedFrames(
            frame("bridge", 2.0 + part),
            frame("bridge", 9.0 + part),
            ("What moves differs.",) if part else (),
        )
        for part in range(3)
    ]
    return (
        PairView(
            example.short("item", "bridge-am.mp4"),
            example.short("item", "bridge-pm.mp4"),
            "bridge-am.mp4",
            "bridge-pm.mp4",
            Verdict.SAME_CAMERA_OTHER_MOMENT,
            0.62,
            30.0,
            44.0,
            (Segment(2.0, 26.0, 9.0, 33.0, 1.0, 0.62),),
            None,
            ("The still parts of the picture agree.", "Motion correlates at 0.04 over 24 s."),
            ("What moves differs.",),
            tuple(bridge),
        ),
        PairView(
            example.short("item", "market.mp4"),
            example.short("item", "market-2.mp4"),
            "market.mp4",
            "market-2.mp4",
            Verdict.UNDETERMINED,
            0.48,
            5.0,
            4.0,
            (Segment(0.0, 3.0, 1.0, 4.0, 1.0, 0.48),),
            None,
            ("Too little moves to tell one moment from another.",),
            (),
            (AlignedFrames(frame("market", 1.0), frame("market", 2.0)),),
        ),
    )


def _facts(duration: str) -> tuple[FactView, ...]:
    return (
        FactView("Container", "format", "mov,mp4,m4a"),
        FactView("Container", "duration", f"{duration} s", "video track says 24.480 s"),
        FactView("Container", "creation time", "2026-05-02T08:58:11Z (zone given)"),
        FactView("Container", "encoder", "Lavf60.3.100"),
        FactView("Video track 1", "codec", "h264, High, level 3.1"),
        FactView("Video track 1", "size", "1280 x 720 pixels, rotated by 90 degrees"),
        FactView("Video track 1", "frame rate", "25/1 per second, constant"),
        FactView("Sound track 2", "codec", "aac, 44,100 Hz, 2 channels"),
    )


def done(*names: str) -> tuple[ExaminedView, ...]:
    """Examinations that went well."""
    return tuple(ExaminedView(name, "done", "1") for name in names)


def _examined(item: ItemView) -> ItemView:
    replace = msgspec.structs.replace
    name = item.circumstances[0].path.rsplit("/", 1)[-1]
    if item.category == "video":
        return replace(
            item,
            duration_s=24.0,
            examined=done("container", "frames", "fingerprint", "motion"),
            confinement=LAYERS,
            facts=_facts("24.000"),
            frames=tuple(frame("courtyard", 2.0 * part) for part in range(12)),
            frames_total=31,
            notes=(NoteView("variable frame rate", "between 24 and 31 a second"),),
        )
    if item.category == "audio":
        return replace(
            item,
            duration_s=12.5,
            confinement=LAYERS,
            notes=(NoteView("no video stream"),),
            examined=(*done("container", "fingerprint"),),
            facts=(FactView("Sound track 1", "codec", "opus, 48,000 Hz, 1 channel"),),
        )
    if item.category == "image":
        failed = ExaminedView("frames", "failed", "1", "truncated", "ended after 18,211 bytes")
        return replace(item, examined=(*done("container"), failed), confinement=LAYERS)
    if name == "notice.pdf":
        lines = ("NOTICE", "The courtyard is closed from 2 to 5 May.", "Use the north gate.")
        return replace(
            item, examined=done("text"), confinement=LAYERS, text=TextView(1204, lines, "text 1", 2)
        )
    if item.category == "document":
        failed = ExaminedView("text", "failed", "1", "time limit", "after 900 s of CPU")
        return replace(item, examined=(failed,), confinement=LAYERS)
    return item


def examined() -> ReportData:
    """The courtyard, examined, copies not looked for."""
    data = example.courtyard()
    return msgspec.structs.replace(data, items=tuple(_examined(item) for item in data.items))


def traced() -> ReportData:
    """The courtyard, examined and traced."""
    data = examined()
    more = tuple(
        _examined(example.make_item(name, "video/mp4", "video")) for name in list(NAMES)[1:]
    )
    missed = ExaminedView("frames", "not_tried", "", "no examiner ran yet")
    extra = msgspec.structs.replace(
        example.make_item("crates.jpg_thumb.jpg", "image/jpeg", "image"),
        role="thumbnail",
        examined=(missed,),
    )
    misses = (
        *(
            msgspec.structs.replace(miss, post=post, path="video file")
            for miss, post in zip(
                data.misses[:3],
                (example.short("post", one) for one in ("watch2/2", "watch/9", "old/301")),
                strict=True,
            )
        ),
        *data.misses[3:],
        msgspec.structs.replace(data.misses[0], path="photo_44.jpg_thumb.jpg", role="thumbnail"),
    )
    verdicts = {"same_footage": 4, "same_camera_other_moment": 1, "undetermined": 1, "no_match": 30}
    view = TraceView("trace 1", 9, 36, verdicts, (cluster(),), _apart(), 2)
    return msgspec.structs.replace(
        data, items=(*data.items, *more, extra), misses=misses, trace=view
    )


def decision(name: str, what: Decision, because: str, minute: int) -> DecisionView:
    """A decision of the example's person."""
    at_utc = f"2026-05-03T10:{minute:02d}:00.250Z"
    return DecisionView(example.short("decision", name), what, because, "A. Example", at_utc)


def decided() -> ReportData:
    """The traced courtyard with what people decided: a copy confirmed after a first doubt, another
    moment called the same, a refusal that the cluster contradicts, and what fell with another."""
    data, replace = traced(), msgspec.structs.replace
    view = data.trace
    assert view is not None
    one = view.clusters[0]
    doubt = decision("doubt", Decision.NOT_SAME_FOOTAGE, "The light looks older.", 1)
    sure = decision("sure", Decision.SAME_FOOTAGE, "The cart turns at the same second.", 9)
    confirmed = replace(one.pairs[0], decision=replace(sure, earlier=(doubt,)))
    ways = ((ITEM["IMG_0007.mp4"], "IMG_0007.mp4"),)
    against = replace(
        one.pairs[2],
        decision=decision("no", Decision.NOT_SAME_FOOTAGE, "The sound is another.", 5),
        by_way=ways,
        more_ways=2,
    )
    camera = replace(
        view.apart[0],
        decision=decision("camera", Decision.SAME_CAMERA_OTHER_MOMENT, "An hour later.", 7),
    )
    fallen = replace(
        one.pairs[1], frames=(), falls_with=decision("no", Decision.NOT_SAME_FOOTAGE, "x", 5)
    )
    members = tuple(
        replace(member, decided_by="A. Example" if member.name == "loose.mp4" else "")
        for member in one.members
    )
    assert one.composite is not None
    rows = tuple(
        replace(row, decided_by="A. Example" if row.name in ("loose.mp4", "screen.webm") else "")
        for row in one.composite.rows
    )
    cluster_view = replace(
        one,
        members=members,
        pairs=(confirmed, *one.pairs[1:]),
        against=(against,),
        composite=replace(one.composite, rows=rows),
    )
    trace = replace(
        view,
        clusters=(cluster_view,),
        apart=(against, camera, fallen, view.apart[1]),
        apart_total=4,
        decided=(confirmed, camera, against),
        decided_total=3,
    )
    return replace(data, trace=trace)


def _bad_differences(one: ClusterView, bad: str) -> DifferencesView:
    replace, told = msgspec.structs.replace, one.differences
    assert told is not None
    nan = float("nan")
    making = Making(1, 1, 1, 1, nan, bad, bad, (bad,), Guess(2, (bad,)))
    box = (nan, -1e300, 1e300, float("inf"))
    difference = Difference(
        bad,
        missing=(Missing(bad, nan, nan),),
        added=(Added(nan, nan, (bad,)),),
        covered=(Covered(box, box, nan, nan, False, None),),
        crop=box,
        around=box,
        bars=box,
        speed=nan,
        making=making,
    )
    copies = tuple(replace(copy, name=bad, difference=difference) for copy in told.copies)
    return replace(told, fullest_name=bad, why=bad, making=making, copies=copies, names={bad: bad})


def hostile_traced() -> ReportData:
    """The hostile case with hostile text wherever examining and tracing pass a stranger's words."""
    bad, replace = example.HOSTILE, msgspec.structs.replace
    view = traced().trace
    assert view is not None
    nan = Segment(float("nan"), float("inf"), -1e300, 1e300, float("nan"), float("nan"))
    one = view.clusters[0]
    odd = example.from_unix(1, bad)
    stranger = replace(
        decision("bad", Decision.NOT_SAME_FOOTAGE, bad, 1), id=bad, by=bad, earlier=()
    )
    stranger = replace(stranger, earlier=(stranger,))
    pairs = tuple(
        replace(
            pair,
            a_name=bad,
            b_name=bad,
            reasons=(bad,),
            differs=(bad,),
            segments=(nan, *pair.segments),
            decision=stranger,
            by_way=((bad, bad),),
        )
        for pair in one.pairs
    )
    assert one.composite is not None
    line = replace(
        one.composite,
        reference_name=bad,
        rows=tuple(replace(row, name=bad, decided_by=bad) for row in one.composite.rows),
        pieces=(PieceView(bad, bad, float("nan"), 1e300), *one.composite.pieces),
        best=(SourceView(bad, bad, float("nan"), float("inf")), *one.composite.best),
    )
    bad_cluster = replace(
        one,
        id=bad,
        members=tuple(replace(m, name=bad, channel=bad, published=odd) for m in one.members),
        earliest_basis=bad,
        edges=tuple(replace(edge, basis=bad, reason=bad) for edge in one.edges),
        pairs=pairs,
        against=pairs,
        composite=line,
        differences=_bad_differences(one, bad),
    )
    items = tuple(
        replace(
            item,
            facts=(FactView(bad, bad, bad, bad),),
            notes=(NoteView(bad, bad),),
            examined=(
                ExaminedView(bad, bad, bad, bad, bad),
                ExaminedView("frames", "failed", "1", bad),
            ),
            confinement=ConfinementView(True, namespaces=bad, reason=bad),
            text=TextView(3, (bad, bad), bad),
            duration_s=float("nan"),
            frames=(frame("bridge", 1.0),),
            frames_total=1,
        )
        for item in example.hostile().items
    )
    trace = replace(
        view,
        tool=bad,
        error_rate=bad,
        clusters=(bad_cluster,),
        verdicts={bad: 3},
        decided=pairs,
        decided_total=len(pairs),
    )
    return replace(example.hostile(), items=items, trace=trace)


def crowd(copies: int) -> ReportData:
    """One recording in `copies` copies, every one compared with the first."""
    items = [f"item:{number:012x}" for number in range(copies)]
    names = {item: f"copy-{number:03d}.mp4" for number, item in enumerate(items)}
    durations = {item: 60.0 if not at else 8.0 + at % 40 for at, item in enumerate(items)}
    pairs = [
        Pair(
            items[0],
            item,
            Verdict.SAME_FOOTAGE,
            0.9,
            (Segment(at % 12, at % 12 + durations[item], 0.0, durations[item], 1.0, 0.9),),
        )
        for at, item in enumerate(items[1:], 1)
    ]
    views = tuple(
        PairView(
            pair.a,
            pair.b,
            names[pair.a],
            names[pair.b],
            pair.verdict,
            pair.score,
            60.0,
            durations[pair.b],
            pair.segments,
            None,
            ("Fingerprints agree at one offset.",),
            (),
            tuple(AlignedFrames(frame("market", part), frame("market", part)) for part in range(4)),
        )
        for pair in pairs[:200]
    )
    members = tuple(
        MemberView(
            item,
            names[item],
            durations[item],
            "Harbour Desk",
            f"post:{at:012x}",
            example.exact(at),
            1,
            1,
        )
        for at, item in enumerate(items)
    )
    edges = tuple(
        EdgeView(items[at // 3], items[at], "containment", "Lies within it.")
        for at in range(1, copies)
    )
    whole = ClusterView(
        "cluster:000000000000",
        members,
        (items[0],),
        "post times",
        edges,
        views,
        len(pairs),
        composite(differences(items[0], durations, pairs), names, durations),
    )
    footage = tuple(
        msgspec.structs.replace(
            _examined(example.make_item(names[item], "video/mp4", "video")), id=item
        )
        for item in items
    )
    trace = TraceView(
        "trace 1", copies, copies * (copies - 1) // 2, {"same_footage": len(pairs)}, (whole,)
    )
    return msgspec.structs.replace(example.empty(), items=footage, trace=trace)

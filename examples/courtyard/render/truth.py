"""Writes truth/truth.json: what is so, kept apart from what ``muniment build`` collects."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from . import clips, media, place, sound
from .clips import COPIES, chain
from .posts import ALBUMS, CHANNELS, EXPORTS, POSTS
from .said_articles import IN_ARTICLES
from .said_statements import IN_STATEMENTS
from .scene import CAMERA_YARD, FPS, POLES, STORE, WALLS
from .statements import CONTRADICTIONS, DEPENDENT_DOCUMENTS, FILES, ORIGINS
from .truth_scene import camera_record, moments, pole_record, rounded, solid_record

Json = dict[str, Any]
Placed = dict[tuple[str, int], str]

SCHEMA = 1


def sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def file_record(root: Path, path: str) -> Json:
    """Path under input, digest and size."""
    return {
        "file": path,
        "sha256": sha256(root / path),
        "bytes": (root / path).stat().st_size,
    }


def places_of(placed: Placed) -> dict[str, list[str]]:
    """Clip id to the distinct paths under input that hold it."""
    found: dict[str, list[str]] = {}
    for (key, number), path in placed.items():
        name = next(str(p.media) for p in POSTS[key] if p.id == number)
        if path not in found.setdefault(name, []):
            found[name].append(path)
    return found


def clip_records(root: Path, placed: Placed) -> list[Json]:
    """The first publication and everything made from it."""
    where = places_of(placed)
    records: list[Json] = [
        {
            "id": "first",
            "files": [file_record(root, path) for path in where["first"]],
            "is_copy_of": None,
            "made_from": None,
            "container_creation_time": created(root / where["first"][0], "right: start of filming"),
            "audio_offset_s": 0.0,
        }
    ]
    for spec in COPIES:
        matrix, line = chain(spec.id)
        begin, end = spec.part
        meaning = "time of the re-encode, not of filming" if spec.created_utc else "none written"
        records.append(
            {
                "id": spec.id,
                "files": [file_record(root, path) for path in where[spec.id]],
                "is_copy_of": "first",
                "made_from": spec.parent,
                "generation": len(line) + 1,
                "transform": spec.kind,
                "relations": list(spec.relations),
                "matrix_from_first_px": rounded(matrix, 8),
                "size_px": list(spec.look.size),
                "frames_per_s": spec.fps,
                "mirrored": bool(np.linalg.det(matrix[:2, :2]) < 0),
                "crop_box_px": {"crop10": clips.CROP_10, "crop30": clips.CROP_30}.get(spec.id),
                "sound": spec.sound,
                "segments": [
                    {
                        "source_start_s": round(begin / FPS, 5),
                        "source_end_s": round(end / FPS, 5),
                        "copy_start_s": round(spec.lead_s, 5),
                        "copy_end_s": round(spec.lead_s + (end - begin) / FPS, 5),
                        "speed": 1.0,
                    }
                ],
                "outside_segments": outside(spec.id),
                "may_be_missed_for_now": spec.may_be_missed,
                "reason": spec.reason,
                "container_creation_time": created(root / where[spec.id][0], meaning),
            }
        )
    return records


def outside(copy_id: str) -> str | None:
    """What a copy shows before and after its segment."""
    return {
        "screen-flat": "the player holds the first and last picture of the segment",
        "montage": "a quay before and a field path after, rendered for this clip alone",
    }.get(copy_id)


def created(path: Path, meaning: str) -> Json:
    """The container's creation time and what it is worth."""
    return {"value": media.created(path), "meaning": meaning}


def negative_records(root: Path, placed: Placed) -> list[Json]:
    """Clips that share no footage with the first publication."""
    where = places_of(placed)
    return [
        {
            "id": "later",
            "files": [file_record(root, path) for path in where["later"]],
            "why": "same camera and place, 2 h 40 min later, other people; never a copy",
            "container_creation_time": created(
                root / where["later"][0], "wrong: the sun says 10:22 UTC; deliberately false"
            ),
        },
        {
            "id": "market",
            "files": [file_record(root, path) for path in where["market"]],
            "why": "another place",
            "container_creation_time": created(root / where["market"][0], "none written"),
        },
    ]


def post_records(placed: Placed) -> list[Json]:
    """Every message with its true time."""
    numbers = {channel.key: channel for channel in CHANNELS}
    records = []
    for export in EXPORTS:
        for key in export.channels:
            for post in POSTS[key]:
                records.append(
                    {
                        "channel": numbers[key].name,
                        "channel_id": numbers[key].peer,
                        "id": post.id,
                        "export": f"telegram/{export.folder}/result.json",
                        "kind": "service" if post.action else "message",
                        "utc": f"{post.utc:%Y-%m-%dT%H:%M:%SZ}",
                        "edited_utc": f"{post.edited:%Y-%m-%dT%H:%M:%SZ}" if post.edited else None,
                        "media": post.media,
                        "file": placed.get((key, post.id)),
                        "file_missing": post.missing,
                        "forward_of": [numbers[post.forwarded[0]].peer, post.forwarded[1]]
                        if post.forwarded
                        else None,
                        "note": post.note,
                    }
                )
    return records


def spread_records(placed: Placed) -> list[Json]:
    """Who took what from which post: copies by clip, and the upload of the same bytes."""
    numbers = {channel.key: channel.peer for channel in CHANNELS}
    holders: dict[str, list[tuple[str, int]]] = {}
    for key, posts in POSTS.items():
        for post in posts:
            if (key, post.id) in placed and not post.forwarded:
                holders.setdefault(str(post.media), []).append((key, post.id))

    def name(post: tuple[str, int]) -> list[str | int]:
        return [numbers[post[0]], post[1]]

    records: list[Json] = []
    for spec in COPIES:
        source, first_holder = holders[spec.parent][0], holders[spec.id][0]
        records.append(
            {
                "from": spec.parent,
                "to": spec.id,
                "from_post": name(source),
                "to_post": name(first_holder),
                "how": spec.kind,
            }
        )
        for again in holders[spec.id][1:]:
            records.append(
                {
                    "from": spec.id,
                    "to": spec.id,
                    "from_post": name(first_holder),
                    "to_post": name(again),
                    "how": "same bytes, uploaded anew",
                }
            )
    return records


def statement_records(root: Path) -> list[Json]:
    """Statements with character offsets of their spans; each span occurs once in its file."""
    texts = {name: (root / name).read_text(encoding="utf-8") for name in FILES}
    records = []
    for said in (*IN_STATEMENTS, *IN_ARTICLES):
        text = texts[said.file]
        if text.count(said.span) != 1:
            raise ValueError(f"{said.id}: span found {text.count(said.span)} times in {said.file}")
        start = text.index(said.span)
        records.append(
            {
                "id": said.id,
                "file": said.file,
                "speaker": said.speaker,
                "organisation": said.organisation,
                "capacity": said.capacity,
                "stance": said.stance,
                "aspects": list(said.aspects),
                "basis": said.basis,
                "verb": said.verb,
                "form": said.form,
                "span": said.span,
                "start_char": start,
                "end_char": start + len(said.span),
                "hedges": list(said.hedges),
                "origin": said.origin,
                "copies_wording_of": said.copies,
            }
        )
    return records


def build(root: Path, placed: Placed) -> Json:
    """The whole truth.

    Args:
        root: the input folder.
        placed: (channel key, message id) to path under ``root``.
    """
    _, phrase = sound.first_track(clips.FIRST_FRAMES / FPS)
    where = places_of(placed)
    return {
        "schema": SCHEMA,
        "synthetic": "Everything is invented and rendered; see README.md.",
        "place": {
            "name": place.PLACE_NAME,
            "name_is_invented": True,
            "latitude_deg": place.LATITUDE_DEG,
            "longitude_deg": place.LONGITUDE_DEG,
            "altitude_m": place.ALTITUDE_M,
            "local_utc_offset_h": place.LOCAL_UTC_OFFSET_H,
        },
        "conventions": {
            "enu_m": "metres east, north, up of the middle of the yard's level ground",
            "pixels": "x right, y down, whole numbers at pixel centres",
            "shadows": "hard-edged, of a point sun at the apparent position, on level ground",
        },
        "camera": camera_record(CAMERA_YARD),
        "poles": [pole_record(pole) for pole in POLES],
        "walls": [solid_record(box) for box in (*WALLS, STORE)],
        "moments": moments(),
        "earliest_post": {"channel_id": CHANNELS[0].peer, "id": 3},
        "clips": clip_records(root, placed),
        "negatives": negative_records(root, placed),
        "stills": [
            {"id": name, "clip": clip, "t_s": round(frame / FPS, 5), "frame": frame}
            | {"files": [file_record(root, path) for path in where[name]]}
            for name, (clip, frame) in clips.STILLS.items()
        ],
        "spread": spread_records(placed),
        "exports": [
            {
                "result": f"telegram/{export.folder}/result.json",
                "utc_offset_h": export.utc_offset_h,
                "has_date_unixtime": not export.old,
            }
            for export in EXPORTS
        ],
        "posts": post_records(placed),
        "albums": [
            {"channel_id": channel.peer, "ids": list(ids)}
            for key, ids in ALBUMS
            for channel in CHANNELS
            if channel.key == key
        ],
        "audio": {
            "clip": "first",
            "phrase": {
                "text": phrase.text,
                "start_s": phrase.start_s,
                "end_s": phrase.end_s,
                "language": "en",
                "voice": "espeak-ng, synthetic",
            },
            "impulses": [
                {"kind": event.kind, "at_s": event.at_s, "peak": event.peak}
                for event in sound.FIRST_IMPULSES
            ],
            "other_phrases": [
                {"text": sound.REQUEST, "files": [file_record(root, p) for p in where["request"]]}
            ],
            "tolerance_s": 0.05,
        },
        "documents": [file_record(root, name) for name in FILES],
        "statements": statement_records(root),
        "contradictions": [{"a": a, "b": b, "about": about} for a, b, about in CONTRADICTIONS],
        "origins": ORIGINS,
        "dependent_documents": [
            {"document": document, "rests_on": source, "how": how}
            for document, source, how in DEPENDENT_DOCUMENTS
        ],
    }


def write(path: Path, record: Json) -> None:
    """Write the truth file: one space indent, short number lists on one line."""
    text = json.dumps(record, indent=1, ensure_ascii=False)
    number_list = re.compile(r"\[\s+((?:-?[\d.e-]+,?\s+)+)\]")
    text = number_list.sub(lambda m: "[" + " ".join(m.group(1).split()) + "]", text)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")

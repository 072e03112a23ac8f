"""Writes exports as Telegram Desktop does (result.json and media folders).

Facts about the format (field names and order, file naming, placeholders, when fields came) were
read from the public source of Telegram Desktop's JSON export; no code or text was taken.
"""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import cv2

from . import media
from .posts import CHANNELS, POSTS, Channel, Export, Post, TextPart

NOT_INCLUDED = "(File not included. Change data exporting settings to download.)"
ABOUT = "Synthetic example of the Muniment project: invented account, channels and posts."
THUMB_SIZE = (320, 180)

Json = dict[str, Any]
_BY_KEY = {channel.key: channel for channel in CHANNELS}


class Writer:
    """Writes one export and remembers where every post's file went.

    Args:
        export: which channels, in which zone, old or new.
        made: folder with the built clips, stills and voice messages.
        target: folder that will hold the export's folder.
    """

    def __init__(self, export: Export, made: Path, target: Path) -> None:
        self.export, self.made = export, made
        self.folder = target / export.folder
        self.placed: dict[tuple[str, int], str] = {}
        self._saved: dict[str, str] = {}
        self._counts: dict[tuple[str, str], int] = {}
        self._facts: dict[str, tuple[int, int, int]] = {}

    def write(self) -> dict[tuple[str, int], str]:
        """Write the folder; returns (channel, message id) to path inside the export."""
        self.folder.mkdir(parents=True, exist_ok=True)
        single = len(self.export.channels) == 1
        chats = []
        for number, key in enumerate(self.export.channels, start=1):
            digits = len(str(len(self.export.channels) - 1))
            prefix = "" if single else f"chats/chat_{number:0{digits}d}/"
            chats.append(self._chat(_BY_KEY[key], prefix))
        whole = chats[0] if single else self._account(chats)
        text = json.dumps(whole, indent=1, ensure_ascii=False)
        (self.folder / "result.json").write_text(text + "\n", encoding="utf-8")
        return self.placed

    @staticmethod
    def _account(chats: list[Json]) -> Json:
        return {
            "about": ABOUT,
            "personal_information": {
                "user_id": 998000000001,
                "first_name": "Example",
                "last_name": "Collector",
                "phone_number": "",
                "bio": ABOUT,
            },
            "chats": {"about": ABOUT, "list": chats},
            "left_chats": {"about": ABOUT, "list": []},
        }

    def _chat(self, channel: Channel, prefix: str) -> Json:
        return {
            "name": channel.name,
            "type": "public_channel",
            "id": channel.number,
            "messages": [self._message(channel, post, prefix) for post in POSTS[channel.key]],
        }

    def _local(self, when: datetime) -> datetime:
        return when + timedelta(hours=self.export.utc_offset_h)

    def _dates(self, record: Json, name: str, when: datetime) -> None:
        record[name] = self._local(when).strftime("%Y-%m-%dT%H:%M:%S")
        if not self.export.old:
            record[f"{name}_unixtime"] = str(int(when.timestamp()))

    def _message(self, channel: Channel, post: Post, prefix: str) -> Json:
        record: Json = {"id": post.id, "type": "service" if post.action else "message"}
        self._dates(record, "date", post.utc)
        if post.edited:
            self._dates(record, "edited", post.edited)
        who = "actor" if post.action else "from"
        record[who], record[f"{who}_id"] = channel.name, channel.peer
        if post.action:
            record["action"] = post.action
            if post.action == "create_channel":
                record["title"] = channel.name
            else:
                record["message_id"] = post.pinned
        if post.forwarded:
            record["forwarded_from"] = _BY_KEY[post.forwarded[0]].name
        if post.reply_to:
            record["reply_to_message_id"] = post.reply_to
        if post.media:
            record |= self._media(channel, post, prefix)
        record["text"] = flat_text(post.text)
        if not self.export.old:
            record["text_entities"] = [entity(part) for part in post.text]
            if post.reactions:
                record["reactions"] = [
                    {"type": "emoji", "count": count, "emoji": sign}
                    for sign, count in post.reactions
                ]
        return record

    def _numbered(self, channel: Channel, kind: str, post: Post, ending: str) -> str:
        count = self._counts.get((channel.key, kind), 0) + 1
        self._counts[channel.key, kind] = count
        return f"{kind}_{count}@{self._local(post.utc):%d-%m-%Y_%H-%M-%S}{ending}"

    def _media(self, channel: Channel, post: Post, prefix: str) -> Json:
        name = str(post.media)
        if name.startswith("still"):
            return self._photo(channel, post, prefix)
        if name == "request":
            return self._voice(channel, post, prefix)
        source = self.made / f"{name}.mp4"
        width, height, seconds = self._measure(source)
        path = thumb = NOT_INCLUDED
        first_bytes = f"{post.forwarded or (channel.key, post.id)}"
        if not post.missing and first_bytes in self._saved:
            path = self._saved[first_bytes]
            thumb = path + "_thumb.jpg"
        elif not post.missing:
            label = post.file_name or self._numbered(channel, "video", post, ".mp4")
            path = f"{prefix}video_files/{label}"
            thumb = path + "_thumb.jpg"
            self._copy(source, path)
            self._thumb(source, thumb)
            self._saved[first_bytes] = path
        if not post.missing:
            self.placed[channel.key, post.id] = path
        record: Json = {"file": path}
        if not self.export.old:
            if post.file_name:
                record["file_name"] = post.file_name
            record["file_size"] = source.stat().st_size
        record["thumbnail"] = thumb
        if not self.export.old and not post.missing:
            record["thumbnail_file_size"] = (self.folder / thumb).stat().st_size
        return record | {
            "media_type": "video_file",
            "mime_type": "video/mp4",
            "duration_seconds": seconds,
            "width": width,
            "height": height,
        }

    def _photo(self, channel: Channel, post: Post, prefix: str) -> Json:
        source = self.made / f"{post.media}.jpg"
        path = f"{prefix}photos/{self._numbered(channel, 'photo', post, '.jpg')}"
        self._copy(source, path)
        self.placed[channel.key, post.id] = path
        picture = cv2.imread(str(source))
        assert picture is not None, source
        height, width = picture.shape[:2]
        record: Json = {"photo": path}
        if not self.export.old:
            record["photo_file_size"] = source.stat().st_size
        return record | {"width": width, "height": height}

    def _voice(self, channel: Channel, post: Post, prefix: str) -> Json:
        source = self.made / f"{post.media}.ogg"
        path = f"{prefix}voice_messages/{self._numbered(channel, 'audio', post, '.ogg')}"
        self._copy(source, path)
        self.placed[channel.key, post.id] = path
        heard = media.read_clip(source)
        assert heard.sound is not None
        record: Json = {"file": path}
        if not self.export.old:
            record["file_size"] = source.stat().st_size
        return record | {
            "media_type": "voice_message",
            "mime_type": "audio/ogg",
            "duration_seconds": int(len(heard.sound) / heard.rate_hz),
        }

    def _measure(self, source: Path) -> tuple[int, int, int]:
        """Width, height and whole seconds (rounded down) of a clip."""
        if source.name not in self._facts:
            clip = media.read_clip(source)
            height, width = clip.frames[0].shape[:2]
            step = clip.times_s[1] - clip.times_s[0]
            self._facts[source.name] = (width, height, int(clip.times_s[-1] + step + 1e-6))
        return self._facts[source.name]

    def _copy(self, source: Path, path: str) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)

    def _thumb(self, source: Path, path: str) -> None:
        picture = media.read_clip(source).frames[0]
        small = cv2.resize(picture, THUMB_SIZE, interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(self.folder / path), small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 55])


def entity(part: TextPart) -> Json:
    """One text part as an object."""
    if isinstance(part, str):
        return {"type": "plain", "text": part}
    record: Json = {"type": part[0], "text": part[1]}
    if len(part) == 3:
        record["href"] = part[2]
    return record


def flat_text(parts: tuple[TextPart, ...]) -> str | list[str | Json]:
    """The "text" field: a string when there is only plain text, else a list."""
    if not parts:
        return ""
    if len(parts) == 1 and isinstance(parts[0], str):
        return parts[0]
    return [part if isinstance(part, str) else entity(part) for part in parts]

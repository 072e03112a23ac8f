"""Telegram Desktop exports made up byte for byte, of any size; used by tests and benchmarks.

All people, channels and texts are invented. The layout (indentation, order of members) is that of
Telegram Desktop 5.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_WORDS = ["convoy", "market", "bridge", "witness", "smoke", "north", "street", "river", "видео"]
_WORDS += ["колонна", "мост", "рынок", "площадь", "شارع", "جسر", "سوق", "🚨", "🔥"]
_PLACEHOLDER = "(File not included. Change data exporting settings to download.)"


def message(number: int, chance: random.Random) -> dict[str, Any]:
    """One made-up message with id `number`."""
    when = 1_770_000_000 + number * 40
    made: dict[str, Any] = {
        "id": number,
        "type": "message",
        "date": f"2026-02-{2 + number % 26:02d}T{number % 24:02d}:40:00",
        "date_unixtime": str(when),
        "from": "Invented Channel",
        "from_id": "channel1000000001",
    }
    if number % 11 == 0:
        made["edited"] = made["date"]
        made["edited_unixtime"] = str(when + 60)
    if number % 7 == 0:
        made["forwarded_from"] = "Another Invented Channel"
    if number % 5 == 0:
        made["reply_to_message_id"] = max(1, number - 3)
    if number % 3 == 0:
        made["file"] = _PLACEHOLDER if number % 2 else f"video_files/video_{number}.mp4"
        made["file_name"] = f"video_{number}.mp4"
        made["file_size"] = 1000 + number
        made["media_type"] = "video_file"
        made["mime_type"] = "video/mp4"
        made["duration_seconds"] = 12
        made["width"] = 1280
        made["height"] = 720
    words = " ".join(chance.choices(_WORDS, k=chance.randint(3, 40)))
    plain: list[dict[str, str]] = [{"type": "plain", "text": words}]
    if number % 4 == 0:
        made["text"] = [words, {"type": "hashtag", "text": "#invented"}, ""]
        plain = [*plain, {"type": "hashtag", "text": "#invented"}]
    else:
        made["text"] = words
    made["text_entities"] = plain
    if number % 6 == 0:
        made["reactions"] = [{"type": "emoji", "count": number % 90, "emoji": "🔥"}]
    return made


def pieces(size_bytes: int, seed: int = 1) -> Iterator[bytes]:
    """One chat's export of at least `size_bytes`, piece by piece."""
    chance = random.Random(seed)
    head = '{\n "name": "Invented Channel",\n "type": "public_channel",\n "id": 1000000001,\n'
    written = 0
    yield (head + ' "messages": [').encode()
    number = 0
    while written < size_bytes:
        number += 1
        body = json.dumps(message(number, chance), ensure_ascii=False, indent=1)
        piece = ("," if number > 1 else "") + "\n  " + body.replace("\n", "\n  ")
        data = piece.encode()
        written += len(data)
        yield data
    yield b"\n ]\n}"


def write(path: Path, size_bytes: int, seed: int = 1) -> int:
    """Write such an export to `path`; its size in bytes."""
    with path.open("wb") as file:
        for piece in pieces(size_bytes, seed):
            file.write(piece)
        return file.tell()


if __name__ == "__main__":
    print(write(Path(sys.argv[1]), int(float(sys.argv[2]) * 1_000_000)))

"""Raw pixels from a worker as a picture file. The host only ever encodes: it decodes no picture."""

from __future__ import annotations

from io import BytesIO
from typing import Final

from muniment.model.examine import Blob

JPEG_QUALITY: Final = 88


def stored_form(blob: Blob) -> tuple[bytes, str]:
    """A blob as it is kept: its bytes and their media type (raw pixels become a JPEG)."""
    if blob.form == "bytes":
        return blob.data, blob.media_type
    from PIL import Image

    picture = Image.frombytes("RGB", (blob.width_px, blob.height_px), blob.data)
    out = BytesIO()
    picture.save(out, "JPEG", quality=JPEG_QUALITY)
    return out.getvalue(), "image/jpeg"

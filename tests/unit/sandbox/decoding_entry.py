"""Each library that reads strangers' files, at work inside the sandbox: one function a library."""

from __future__ import annotations

import ctypes
import io
import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

_LOADED: dict[str, Any] = {}
#: library -> what must be imported while files can still be opened
NEEDED = {
    "av": ("av", "av.video.reformatter", "av.subtitles.codeccontext", "av.subtitles.stream"),
    "numpy": ("numpy", "numpy.fft", "numpy.linalg"),
    "scipy": ("scipy.fft", "scipy.signal", "scipy.ndimage"),
    "pillow": ("PIL.Image", "PIL.JpegImagePlugin", "PIL.PngImagePlugin"),
    "selectolax": ("selectolax.lexbor",),
    "pypdf": ("pypdf", "pypdf.filters"),
    "pymediainfo": ("pymediainfo",),
    "lxml": ("lxml.etree", "zipfile", "encodings.cp437"),
}


def preload() -> None:
    """Imports what is installed; PyAV, Pillow and numpy bind parts of themselves when first used."""
    for modules in NEEDED.values():
        for name in modules:
            try:
                _LOADED[name] = import_module(name)
            except ImportError:
                break
    if "PIL.Image" in _LOADED:
        _LOADED["PIL.Image"].preinit()
    if "pymediainfo" in _LOADED:
        _LOADED["libmediainfo"] = ctypes.CDLL(_mediainfo())


def _mediainfo() -> str:
    return str(Path(_LOADED["pymediainfo"].__file__).with_name("libmediainfo.so.0"))


def run(request: bytes, fd: int, emit: Callable[[bytes], None]) -> None:
    """The request names the library; the answer is something only real work can give."""
    emit(str(globals()[f"with_{request.decode()}"](fd)).encode())


def _file(fd: int) -> BinaryIO:
    return io.BytesIO(os.pread(fd, 64 << 20, 0))


def with_av(fd: int) -> tuple[int, int]:
    av = _LOADED["av"]
    options = {"fd": str(fd), "protocol_whitelist": "fd"}
    with av.open("fd:", options=options) as container:
        stream = container.streams.video[0]
        stream.thread_type, stream.thread_count = "NONE", 1
        pictures = [
            frame.to_ndarray(width=64, height=64, format="gray")
            for frame in container.decode(stream)
        ]
    return len(pictures), int(max(one.max() for one in pictures) > 0)


def with_numpy(fd: int) -> float:
    numpy = _LOADED["numpy"]
    square = numpy.arange(250_000, dtype=float).reshape(500, 500) + numpy.eye(500)
    assert (square @ square).shape == (500, 500)
    numpy.linalg.inv(numpy.eye(200) * 2)
    return round(float(abs(numpy.fft.rfft(numpy.ones(1 << 16)))[0]))


def with_scipy(fd: int) -> float:
    numpy = _LOADED["numpy"]
    picture = _LOADED["scipy.fft"].dctn(numpy.ones((64, 64)), norm="ortho")
    _LOADED["scipy.ndimage"].gaussian_filter(picture, 2)
    _LOADED["scipy.signal"].spectrogram(numpy.ones(8000))
    return round(float(picture[0, 0]))


def with_pillow(fd: int) -> tuple[int, int]:
    with _LOADED["PIL.Image"].open(_file(fd)) as picture:
        size: tuple[int, int] = picture.convert("L").resize((32, 32)).size
    return size


def with_selectolax(fd: int) -> bool:
    tree = _LOADED["selectolax.lexbor"].LexborHTMLParser(_file(fd).read())
    return len(tree.body.text()) > 100


def with_pypdf(fd: int) -> int:
    return len(_LOADED["pypdf"].PdfReader(_file(fd)).pages)


def with_pymediainfo(fd: int) -> str:
    found = _LOADED["pymediainfo"].MediaInfo.parse(_file(fd), library_file=_mediainfo())
    return ",".join(track.track_type for track in found.tracks)


def with_lxml(fd: int) -> str:
    with _LOADED["zipfile"].ZipFile(_file(fd)) as archive:
        tree = _LOADED["lxml.etree"].fromstring(archive.read("word/document.xml"))
    return str("".join(tree.itertext()))

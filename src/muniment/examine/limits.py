"""What is let in: the closed lists of containers and codecs, and how much of anything is decoded.

The lists hold what phones, messengers, browsers, cameras, screen recorders and stills use; the
decoding library knows several hundred more, each a parser that hostile bytes could reach.
Nothing here imports it, so that the host can read the limits.
"""

from __future__ import annotations

from typing import Final

#: Demuxers by libavformat's names. No playlist, no network, no device, no text format.
FORMATS: Final = (
    *("mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "avi", "flv", "asf", "ogg"),
    *("mpegts", "mpeg", "mpegvideo", "m4v", "h264", "hevc", "mp3", "aac", "wav", "flac"),
    *("amr", "amrnb", "amrwb", "aiff", "caf"),
    *("gif", "apng", "jpeg_pipe", "png_pipe", "webp", "webp_pipe", "bmp_pipe", "tiff_pipe"),
)

#: Demuxers whose files are one picture.
STILL_FORMATS: Final = frozenset({"jpeg_pipe", "png_pipe", "webp_pipe", "bmp_pipe", "tiff_pipe"})

#: Types of stills that are decoded; of any other a line says that it is not.
STILLS: Final = frozenset(
    f"image/{one}"
    for one in ("jpeg", "png", "apng", "gif", "webp", "bmp", "tiff", "heic", "heif", "avif")
)
STILLS_TOLD: Final = "only JPEG, PNG, GIF, WebP, BMP, TIFF, HEIC and AVIF are"

#: Decoders of pictures by libavcodec's names.
VIDEO_CODECS: Final = (
    *("h264", "hevc", "vp8", "vp9", "av1", "libdav1d", "mpeg4", "mpeg2video", "mpeg1video"),
    *("h263", "h263p", "h263i", "mjpeg", "flv", "vp6", "vp6f", "theora", "prores"),
    *("msmpeg4v1", "msmpeg4v2", "msmpeg4", "wmv1", "wmv2", "wmv3", "vc1"),
    *("png", "apng", "gif", "bmp", "tiff", "webp", "webp_anim", "libwebp", "libwebp_anim"),
)

#: Decoders of sound by libavcodec's names.
AUDIO_CODECS: Final = (
    *("aac", "aac_latm", "mp3float", "mp3", "mp2float", "mp2", "ac3", "eac3", "opus", "libopus"),
    *("vorbis", "flac", "alac", "amrnb", "amrwb", "libopencore_amrnb", "libopencore_amrwb"),
    *("pcm_u8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_f32le"),
    *("pcm_alaw", "pcm_mulaw", "adpcm_ima_wav", "adpcm_ms", "adpcm_ima_qt", "gsm_ms"),
    *("wmav1", "wmav2", "wmapro", "speex", "nellymoser"),
)

CODECS: Final = (*VIDEO_CODECS, *AUDIO_CODECS)

#: Streams of all kinds in one container.
MAX_STREAMS: Final = 64
#: Longest side of any picture, in pixels.
MAX_SIDE_PX: Final = 16_384
#: Pixels of a still: a phone's 108 megapixels and somewhat more.
MAX_STILL_PIXELS: Final = 1 << 27
#: Pixels of a frame of video: 8K.
MAX_VIDEO_PIXELS: Final = 8192 * 4352

#: Longest time span between a clip's first frame and any later one: past it times mean nothing.
MAX_SPAN_S: Final = 100 * 3600
#: Share of pictures whose time may step back before the times are called unusable.
MAX_BACKWARD_SHARE: Final = 0.1

#: CPU seconds for one object: this much, and so much for every megabyte of it.
BASE_CPU_S: Final = 300.0
CPU_S_PER_MB: Final = 2.0

#: A still picture that is held on (variable frame rate) is repeated on the grid this long.
MAX_HOLD_S: Final = 10

#: Key pictures: as many as this, spread evenly, their long side at most so many pixels.
KEY_PICTURES: Final = 24
KEY_SIDE_PX: Final = 640

#: Longest duration written into facts, in milliseconds: headers claim anything.
MAX_TOLD_MS: Final = 1 << 40

#: What one examiner may write into its facts, as JSON bytes.
MAX_FACTS_BYTES: Final = 200_000
#: Text kept of one document, in UTF-8 bytes.
MAX_TEXT_BYTES: Final = 5_000_000

#: Pictures that fail to decode, against those that do, from which the object counts as damaged.
MOST_UNDECODED_SHARE: Final = 0.1

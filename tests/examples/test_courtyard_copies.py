"""The committed clips do what the truth file says of them, measured on decoded pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

np = pytest.importorskip("numpy", reason="numpy is needed to compare pictures")
cv2 = pytest.importorskip("cv2", reason="opencv-python-headless is needed to compare pictures")
pytest.importorskip("av", reason="PyAV is needed to decode clips")
pytest.importorskip("pvlib", reason="pvlib (dev extra) gives the courtyard's sun")

from examples.courtyard.render import clips, media  # noqa: E402

Json = dict[str, Any]
COPIES = [spec.id for spec in clips.COPIES]


def record_of(truth: Json, name: str) -> Json:
    return next(c for c in (*truth["clips"], *truth["negatives"]) if c["id"] == name)


@pytest.fixture(scope="module")
def decoded(truth: Json, root: Path) -> Any:
    """Decode a clip once, keep its pictures grey."""
    kept: dict[str, tuple[Any, media.Clip]] = {}

    def get(name: str) -> tuple[Any, media.Clip]:
        if name not in kept:
            clip = media.read_clip(root / record_of(truth, name)["files"][0]["file"])
            grey = np.stack([cv2.cvtColor(f, cv2.COLOR_RGB2GRAY) for f in clip.frames])
            clip.frames[1:] = []
            kept[name] = grey, clip
        return kept[name]

    return get


def correlation(a: Any, b: Any, mask: Any) -> float:
    """Pearson correlation of two pictures where the mask holds."""
    return float(np.corrcoef(a[mask].astype(float), b[mask].astype(float))[0, 1])


def turned_back(picture: Any, record: Json) -> tuple[Any, Any]:
    """A copy's picture in the first publication's pixels, and where it is valid."""
    matrix = np.array(record["matrix_from_first_px"])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    back = cv2.warpPerspective(picture, matrix, (640, 360), flags=flags)
    mask = np.zeros((640 * 360, 2))
    gx, gy = np.meshgrid(np.arange(640.0), np.arange(360.0))
    seen = matrix @ np.stack([gx.ravel(), gy.ravel(), np.ones(gx.size)])
    mask = (seen[:2] / seen[2]).T
    w, h = record["size_px"]
    inside = (mask[:, 0] > 1) & (mask[:, 1] > 1) & (mask[:, 0] < w - 2) & (mask[:, 1] < h - 2)
    return back, inside.reshape(360, 640)


@pytest.mark.parametrize("name", COPIES)
def test_copy_matches_the_first_publication_under_its_transform(
    truth: Json, decoded: Any, name: str
) -> None:
    record = record_of(truth, name)
    source, _ = decoded("first")
    grey, clip = decoded(name)
    assert grey.shape[1:] == (record["size_px"][1], record["size_px"][0])
    (segment,) = record["segments"]
    length = segment["copy_end_s"] - segment["copy_start_s"]
    assert length == pytest.approx(segment["source_end_s"] - segment["source_start_s"], abs=1e-4)
    least = 0.85 if record["may_be_missed_for_now"] else 0.93
    for share in (0.04, 0.35, 0.66, 0.95):
        t_s = segment["copy_start_s"] + share * length
        k = int(np.floor(t_s * record["frames_per_s"] + 1e-6))
        shown_s = segment["source_start_s"] + clip.times_s[k] - segment["copy_start_s"]
        right = min(max(int(np.floor(shown_s * 15 + 1e-6)), 0), len(source) - 1)
        back, mask = turned_back(grey[k], record)
        if name.startswith("caption"):
            mask[300:350] = False
        match = correlation(back, source[right], mask)
        assert match > least, f"at {t_s:.2f} s: {match:.3f}"
        for other in (right - 9, right + 9):
            if 0 <= other < len(source):
                assert match > correlation(back, source[other], mask) + 0.003


def test_mirror_and_overlay_are_really_there(truth: Json, decoded: Any) -> None:
    source, _ = decoded("first")
    mirrored, _ = decoded("mirror")
    everywhere = np.ones((360, 640), bool)
    assert correlation(mirrored[60], source[60], everywhere) < 0.6
    assert record_of(truth, "mirror")["mirrored"]
    captioned, _ = decoded("caption")
    assert np.abs(captioned[60].astype(int) - source[60])[304:346, 40:600].mean() > 30
    barred, _ = decoded("letterbox")
    assert barred[60][:58].max() < 30 and barred[60][-58:].max() < 30


def test_the_montage_shows_something_else_around_its_part(truth: Json, decoded: Any) -> None:
    record = record_of(truth, "montage")
    source, _ = decoded("first")
    grey, clip = decoded("montage")
    (segment,) = record["segments"]
    everywhere = np.ones((360, 640), bool)
    for t_s in (1.0, segment["copy_start_s"] - 0.2, segment["copy_end_s"] + 0.2):
        k = int(t_s * 15)
        assert max(correlation(grey[k], source[j], everywhere) for j in range(0, 210, 15)) < 0.6
    assert segment["source_start_s"] % 1 > 0.01 and segment["copy_start_s"] % 1 > 0.01
    assert len(clip.times_s) / 15 > segment["copy_end_s"] + 2


def test_the_other_moment_looks_alike_but_moves_differently(decoded: Any) -> None:
    first, _ = decoded("first")
    later, _ = decoded("later")
    everywhere = np.ones((360, 640), bool)
    alike = correlation(first[40], later[40], everywhere)
    assert 0.55 < alike < 0.97
    market, _ = decoded("market")
    assert correlation(first[40], market[40], everywhere) < 0.5


def test_sound_of_the_first_publication(truth: Json, decoded: Any) -> None:
    _, clip = decoded("first")
    rate, level = clip.rate_hz, np.abs(clip.sound)
    slack = truth["audio"]["tolerance_s"]
    step = rate // 200
    loud = level[: len(level) // step * step].reshape(-1, step).max(axis=1)
    for event in truth["audio"]["impulses"]:
        at = round(event["at_s"] * 200)
        near = loud[at - 40 : at + 40]
        onset = (at - 40 + int(np.argmax(near > 0.5 * event["peak"]))) / 200
        assert onset == pytest.approx(event["at_s"], abs=slack)
        assert loud[at - 30 : at - 12].max() < 0.2
    phrase = truth["audio"]["phrase"]
    voiced = np.flatnonzero(loud[: round(5.5 * 200)] > 0.06) / 200
    assert voiced.min() == pytest.approx(phrase["start_s"], abs=0.12)
    assert voiced.max() == pytest.approx(phrase["end_s"], abs=0.12)


@pytest.mark.parametrize("name", COPIES)
def test_sound_of_copies(truth: Json, decoded: Any, name: str) -> None:
    record = record_of(truth, name)
    _, first = decoded("first")
    _, clip = decoded(name)
    if record["sound"] == "none":
        assert clip.sound is None
        return
    (segment,) = record["segments"]
    rate = clip.rate_hz
    begin, end = (round(segment[f"source_{e}_s"] * rate) for e in ("start", "end"))
    piece = first.sound[begin:end]
    lead = round(segment["copy_start_s"] * rate)
    heard = clip.sound[lead : lead + len(piece)]
    piece = piece[: len(heard)]
    size = 1 << (2 * len(piece) - 1).bit_length()
    cross = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(piece, size)), size)
    lag = int(np.argmax(np.abs(cross)))
    lag = lag - size if lag > size // 2 else lag
    strength = np.abs(cross).max() / np.sqrt((heard**2).sum() * (piece**2).sum())
    assert abs(lag / rate) < 0.06
    assert strength > (0.5 if record["sound"] == "room" else 0.85)


def test_container_times_are_as_stated(truth: Json, root: Path) -> None:
    values = []
    for record in (*truth["clips"], *truth["negatives"]):
        stated = record["container_creation_time"]
        assert media.created(root / record["files"][0]["file"]) == stated["value"]
        values.append(stated)
    assert sum(v["value"] is None for v in values) >= 5
    assert sum(v["meaning"].startswith("right") for v in values) == 1
    assert sum(v["meaning"].startswith("wrong") for v in values) == 1


def test_voice_message_decodes(truth: Json, root: Path) -> None:
    (other,) = truth["audio"]["other_phrases"]
    clip = media.read_clip(root / other["files"][0]["file"])
    assert clip.sound is not None and not clip.frames
    assert 2.5 < len(clip.sound) / clip.rate_hz < 5.0


def test_stills_are_pictures_of_their_clips(truth: Json, root: Path, decoded: Any) -> None:
    everywhere = np.ones((360, 640), bool)
    for still in truth["stills"]:
        picture = cv2.imread(str(root / still["files"][0]["file"]), cv2.IMREAD_GRAYSCALE)
        grey, _ = decoded(still["clip"])
        assert correlation(picture, grey[still["frame"]], everywhere) > 0.98


def test_a_short_clip_goes_through_encoder_and_back(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(30, 220, 128, dtype=np.uint8)[None, :, None], (72, 1, 3))
    pictures = [np.roll(ramp, 4 * k, axis=1) for k in range(12)]
    tone = 0.4 * np.sin(2 * np.pi * 440 * np.arange(32000) / 32000)
    media.write_clip(tmp_path / "t.mp4", pictures, 12, tone, 20, clips.place.FILMED_UTC)
    back = media.read_clip(tmp_path / "t.mp4")
    assert len(back.frames) == 12 and back.times_s[1] == pytest.approx(1 / 12, abs=1e-3)
    assert np.abs(back.frames[5].astype(int) - pictures[5]).mean() < 6
    assert back.sound is not None
    assert back.sound[8000:24000].std() == pytest.approx(0.4 / 2**0.5, abs=0.05)
    assert media.created(tmp_path / "t.mp4") == "2021-09-13T07:42:10.000000Z"


def test_matrix_chain_of_a_copy_of_a_copy() -> None:
    matrix, line = clips.chain("small")
    assert line == ["first", "reencode"]
    corner = matrix @ np.array([639.5, 359.5, 1.0])
    assert (corner[:2] / corner[2]).tolist() == pytest.approx([425.5, 239.5])

"""The render script, tested by what its pictures show."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

np = pytest.importorskip("numpy", reason="numpy is needed to render the courtyard")
cv2 = pytest.importorskip("cv2", reason="opencv-python-headless is needed to render the courtyard")
pytest.importorskip("pvlib", reason="pvlib (dev extra) gives the courtyard's sun")
pytest.importorskip("av", reason="PyAV is needed to encode and decode clips")

from examples.courtyard.render import frames, media, place, sound  # noqa: E402
from examples.courtyard.render.clips import LENGTHS, SCENES, SEEDS  # noqa: E402
from examples.courtyard.render.geometry import Camera  # noqa: E402
from examples.courtyard.render.people import extent  # noqa: E402
from examples.courtyard.render.scene import FPS, POLES, shadow_tip_yard  # noqa: E402

Json = dict[str, Any]


@pytest.fixture(scope="module")
def stages() -> dict[str, frames.Stage]:
    """Both moments at picture scale, one ray a pixel."""
    return {name: frames.Stage(SCENES[name], 1.0, 1) for name in ("first", "later")}


def sway_of(name: str) -> frames.Sway:
    return frames.make_sway(LENGTHS[name], SCENES[name].sway_deg, SEEDS[name])


def measured_shadow(
    picture: Any, camera: Json, frame: Json, foot: list[float]
) -> tuple[float, float]:
    """Azimuth (degrees) and length (metres) of a pole's shadow, from dark pixels only.

    Ground points about the pole's foot are looked up in the picture with the truth file's camera
    (own projection here, not the renderer's). The shadow is the thin dark line from the foot.
    """
    h, t, r = (math.radians(frame[k]) for k in ("heading_deg", "tilt_deg", "roll_deg"))
    ahead = np.array([math.sin(h) * math.cos(t), math.cos(h) * math.cos(t), math.sin(t)])
    right0 = np.array([math.cos(h), -math.sin(h), 0.0])
    down0 = -np.cross(right0, ahead)
    right = math.cos(r) * right0 + math.sin(r) * down0
    down = math.cos(r) * down0 - math.sin(r) * right0
    eye = np.array(camera["position_enu_m"])
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)

    def look(east: Any, north: Any) -> Any:
        rel = np.stack([east - eye[0], north - eye[1], np.full_like(east, -eye[2])], -1)
        z = rel @ ahead
        x = camera["principal_point_px"][0] + camera["focal_px"] * (rel @ right) / z
        y = camera["principal_point_px"][1] + camera["focal_px"] * (rel @ down) / z
        flat = cv2.remap(grey, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR)
        return np.where((x > 1) & (y > 1) & (x < 638) & (y < 358), flat, np.nan)

    azimuth = np.arange(0.0, 360.0, 0.25)
    reach = np.arange(0.3, 11.0, 0.04)
    a = np.radians(azimuth)[:, None]
    east, north = foot[0] + np.sin(a) * reach, foot[1] + np.cos(a) * reach
    beside = 0.5 * (
        look(east + 0.3 * np.cos(a), north - 0.3 * np.sin(a))
        + look(east - 0.3 * np.cos(a), north + 0.3 * np.sin(a))
    )
    darker = np.nan_to_num(beside - look(east, north), nan=0.0)
    away = math.degrees(math.atan2(foot[0] - eye[0], foot[1] - eye[1]))
    pole_itself = np.abs((azimuth - away + 180) % 360 - 180) < 9
    near = (reach > 0.6) & (reach < 2.2)
    score = darker[:, near].mean(axis=1)
    score[pole_itself] = -np.inf
    best = int(score.argmax())
    window = slice(max(best - 8, 0), best + 9)
    far = (reach > 1.0) & (reach < 2.4)
    weight = np.clip(darker[window][:, far].mean(axis=1), 0, None) ** 2
    found = float((azimuth[window] * weight).sum() / weight.sum())
    row = round(found / 0.25) % len(azimuth)
    line = np.convolve(darker[row - 1 : row + 2].max(axis=0), np.ones(5) / 5, mode="same")
    dark = line > 0.5 * np.median(line[near])
    end, gap = 0, 0
    for k in range(len(dark)):
        end, gap = (k, 0) if dark[k] else (end, gap + 1)
        if gap > 12:
            break
    return found, float(reach[end])


def check_sun(azimuth: float, length: float, height: float, name: str) -> None:
    """Compare a measured shadow with pvlib's sun."""
    sun = place.sun_at(SCENES[name].when_utc)
    turned = (azimuth - sun.shadow_azimuth_deg + 180) % 360 - 180
    assert abs(turned) < 1.5, f"shadow points {turned:.2f} degrees off"
    assert length == pytest.approx(height * sun.shadow_length_per_metre, rel=0.05, abs=0.15)


@pytest.mark.parametrize("name", ["first", "later"])
@pytest.mark.parametrize("pole", [0, 1, 2])
def test_shadows_in_rendered_pixels_follow_the_sun(
    stages: dict[str, frames.Stage], truth: Json, name: str, pole: int
) -> None:
    moment = next(m for m in truth["moments"] if m["clip"] == name)
    stage = stages[name]
    camera = sway_of(name).camera(stage.scene.camera, 0)
    picture = stage.view(stage.compose(0.0, figures=()), camera)
    record = truth["poles"][pole]
    azimuth, length = measured_shadow(
        picture, truth["camera"], moment["frames"][0], record["base_enu_m"]
    )
    check_sun(azimuth, length, record["height_m"], name)


@pytest.mark.parametrize("name", ["first", "later"])
def test_shadows_in_the_committed_clips_follow_the_sun(truth: Json, root: Path, name: str) -> None:
    moment = next(m for m in truth["moments"] if m["clip"] == name)
    record = next(c for c in (*truth["clips"], *truth["negatives"]) if c["id"] == name)
    pictures = media.read_clip(root / record["files"][0]["file"]).frames
    found = dict.fromkeys((pole["name"] for pole in truth["poles"]), 0)
    for frame in moment["frames"]:
        for pole in truth["poles"]:
            azimuth, length = measured_shadow(
                pictures[frame["frame"]], truth["camera"], frame, pole["base_enu_m"]
            )
            try:
                check_sun(azimuth, length, pole["height_m"], name)
            except AssertionError:
                continue
            found[pole["name"]] += 1
    assert all(count >= 2 for count in found.values()), f"people hide some shadows: {found}"
    assert sum(found.values()) >= 10


def test_pvlib_agrees_with_a_short_independent_formula() -> None:
    """Low-precision almanac formulas (about 0.01 degree), written out here."""
    for name in ("first", "later"):
        when = SCENES[name].when_utc
        days = when.timestamp() / 86400 + 2440587.5 - 2451545.0
        mean = math.radians((357.529 + 0.98560028 * days) % 360)
        longitude = math.radians(
            (280.459 + 0.98564736 * days + 1.915 * math.sin(mean) + 0.020 * math.sin(2 * mean))
            % 360
        )
        tilt = math.radians(23.439 - 0.00000036 * days)
        right = math.atan2(math.cos(tilt) * math.sin(longitude), math.cos(longitude))
        declination = math.asin(math.sin(tilt) * math.sin(longitude))
        sidereal = (18.697374558 + 24.06570982441908 * days) % 24 * 15 + place.LONGITUDE_DEG
        hour = math.radians(sidereal) - right
        lat = math.radians(place.LATITUDE_DEG)
        height = math.asin(
            math.sin(lat) * math.sin(declination)
            + math.cos(lat) * math.cos(declination) * math.cos(hour)
        )
        azimuth = math.atan2(
            -math.sin(hour) * math.cos(declination),
            math.sin(declination) * math.cos(lat)
            - math.cos(declination) * math.sin(lat) * math.cos(hour),
        )
        sun = place.sun_at(when)
        assert math.degrees(height) == pytest.approx(sun.true_elevation_deg, abs=0.05)
        assert math.degrees(azimuth) % 360 == pytest.approx(sun.azimuth_deg, abs=0.05)


def test_truth_points_are_where_the_renderer_puts_them(truth: Json) -> None:
    for moment in truth["moments"]:
        scene = SCENES[moment["clip"]]
        for frame in moment["frames"]:
            camera = sway_of(moment["clip"]).camera(scene.camera, frame["frame"])
            for pole, seen in zip(POLES, frame["poles"], strict=True):
                tip = camera.project(shadow_tip_yard(pole, scene.sun_yard()))[:2]
                assert seen["shadow_tip_px"] == pytest.approx(tip.tolist(), abs=0.02)
                assert 0 <= tip[0] < scene.camera.width and 0 <= tip[1] < scene.camera.height


@pytest.mark.parametrize("name", sorted(SCENES))
def test_people_are_large_enough_and_move_in_every_frame(name: str) -> None:
    scene = SCENES[name]
    count = LENGTHS.get(name, 64)
    in_view = 0
    for figure in scene.figures:
        before = None
        for k in range(count):
            parts = figure.parts(k / FPS)
            seen = scene.camera.project(extent(parts))
            (x0, y0), (x1, y1) = seen[:, :2].min(axis=0), seen[:, :2].max(axis=0)
            if (seen[:, 2] > 0.5).all() and x1 > 0 and x0 < scene.camera.width:
                in_view += 1
                assert y1 - y0 >= 0.05 * scene.camera.height, f"{figure.name} frame {k}"
            spot, _, _ = figure.place(k / FPS)
            if before is not None:
                assert np.hypot(*(spot - before)) > 0.015, f"{figure.name} stands in frame {k}"
            before = spot
    assert in_view > count // 2


def test_figures_change_pixels_between_neighbouring_frames(
    stages: dict[str, frames.Stage],
) -> None:
    for name, stage in stages.items():
        for k in (0, 37, 101):
            now, after = stage.compose(k / FPS), stage.compose((k + 1) / FPS)
            changed = np.abs(now.astype(int) - after).max(axis=2) > 12
            for figure in stage.scene.figures:
                seen = stage.canvas.project(extent(figure.parts(k / FPS)))[:, :2].astype(int)
                (x0, y0), (x1, y1) = np.maximum(seen.min(axis=0), 0), seen.max(axis=0)
                if x0 < stage.canvas.width and x1 > 0:
                    assert changed[y0:y1, x0:x1].sum() >= 6, f"{name} {figure.name} frame {k}"


def test_people_cast_shadows(stages: dict[str, frames.Stage]) -> None:
    stage = stages["first"]
    walker = stage.scene.figures[3]
    empty, peopled = stage.compose(5.0, figures=()), stage.compose(5.0, figures=(walker,))
    spot, _, _ = walker.place(5.0)
    middle = np.array([*spot, 1.15]) - stage.sun / stage.sun[2] * 1.15
    x, y, _ = np.round(stage.canvas.project(middle)).astype(int)
    around = (slice(y - 2, y + 3), slice(x - 2, x + 3))
    assert peopled[around].mean() < 0.75 * empty[around].mean()


def test_the_other_moment_has_visibly_moved_shadows(stages: dict[str, frames.Stage]) -> None:
    first, later = stages["first"], stages["later"]
    moved = np.abs(first.lit.astype(int) - later.lit).max(axis=2) > 25
    assert moved.mean() > 0.03
    for pole in POLES:
        tips = [s.scene.camera.project(shadow_tip_yard(pole, s.sun))[:2] for s in (first, later)]
        assert np.hypot(*(tips[0] - tips[1])) > 40
    assert first.scene.camera == later.scene.camera


def test_the_camera_moves_a_little_and_smoothly() -> None:
    for name in ("first", "later"):
        turns = sway_of(name).turns
        assert 0.5 < np.ptp(turns[:, 0]) < 3.0
        assert np.abs(np.diff(turns, axis=0)).max() < 0.25


def test_a_turned_view_equals_the_projection(stages: dict[str, frames.Stage]) -> None:
    stage = stages["first"]
    camera: Camera = sway_of("first").camera(stage.scene.camera, 90)
    dots = np.zeros((stage.canvas.height, stage.canvas.width, 3), np.uint8)
    foot = np.array([POLES[0].u, POLES[0].v, 0.0])
    x, y, _ = stage.canvas.project(foot)
    cv2.circle(dots, (round(float(x)), round(float(y))), 3, (255, 255, 255), -1)
    rows, columns = np.nonzero(stage.view(dots, camera)[..., 0] > 100)
    expected = camera.project(foot)
    assert columns.mean() == pytest.approx(expected[0], abs=0.8)
    assert rows.mean() == pytest.approx(expected[1], abs=0.8)


def test_same_seed_same_frames(stages: dict[str, frames.Stage]) -> None:
    stage, sway = stages["first"], sway_of("first")
    (one,) = frames.render(stage, sway, 11, only=range(5, 6))
    two = list(frames.render(stage, sway, 11, only=range(4, 6)))[1]
    (other,) = frames.render(stage, sway, 12, only=range(5, 6))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)
    again = frames.make_sway(40, (1.0, 0.7, 0.5), 3).turns
    assert np.array_equal(again, frames.make_sway(40, (1.0, 0.7, 0.5), 3).turns)
    assert not np.array_equal(again, frames.make_sway(40, (1.0, 0.7, 0.5), 4).turns)


def test_impulses_start_at_once_and_die_away() -> None:
    for kind in ("knock", "door"):
        burst = np.abs(sound.impulse(kind, 5))
        third = len(burst) // 3
        assert burst[:third].max() == 1.0
        assert burst[: third // 2].mean() > 4 * burst[-third:].mean()
    track, phrase = sound.first_track(14.0)
    assert np.array_equal(track, sound.first_track(14.0)[0])
    assert phrase.text == sound.PHRASE and 1.0 < phrase.end_s - phrase.start_s < 4.0


def test_without_espeak_speaking_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(FileNotFoundError, match="espeak-ng"):
        sound.speak("phrase")

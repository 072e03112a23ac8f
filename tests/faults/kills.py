"""kill -9: at random moments, and at every call that changes a case."""

from __future__ import annotations

import json
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from muniment.case import looking
from muniment.store.layout import CaseFolder
from tests.faults import tracing, world
from tests.faults.world import MUNIMENT, PERSON, Score, World


def opened(here: World) -> Path:
    """A case that is opened and sealed, and holds nothing yet: a template."""
    case = here.path / "opened"
    if not case.exists():
        told = ["--by", PERSON, "--why", "a test of faults", "--json"]
        done = here.run([str(MUNIMENT), "init", "--case", str(case), *told])
        if done.code:
            raise RuntimeError(f"init ended {done.code}: {done.err}")
    return case


def random_kills(here: World, kills: int, seed: int = 1) -> Score:
    """Kill `build` at random moments, every other time from nothing; each is finished after."""
    score, rng = Score("kill -9 at random moments"), random.Random(seed)
    templates: list[Path | None] = [opened(here), None]
    start = time.monotonic()
    whole = here.path / "whole"
    if here.build(world.copy(None, whole)).code:
        raise RuntimeError("the build without a fault failed")
    lasts_s = time.monotonic() - start
    score.faults += world.faults_of_whole(here, whole)
    late = 0
    while score.tried < kills and late < 2 * kills:
        case = world.copy(templates[score.tried % 2], here.path / "case")
        process = here.start(here.command(case))
        time.sleep(rng.uniform(0, lasts_s))
        process.kill()
        done = world.ended(process)
        if done.code == 0:
            late += 1
        else:
            _judge(here, score, case, done.acknowledged, f"kill {score.tried}")
    score.notes.append(f"a whole run lasts {lasts_s:.2f} s; {late} more came after its end")
    return score


def _judge(here: World, score: Score, case: Path, promised: int, where: str) -> None:
    found = world.faults_after(case, promised) if case.exists() else []
    before = world.lines(case) if case.exists() else []
    score.add(where, found + world.finish(here, case, before, promised))


@dataclass(frozen=True)
class Scene:
    """A command to kill, and what must hold when it was and `build` ran again."""

    name: str
    template: Path | None
    command: Callable[[Path], list[str]]
    judge: Callable[[World, Score, Path, int, str], None] = _judge


def scenes(here: World) -> list[Scene]:
    """Building from nothing, into an opened case, over a torn tail; and erasing."""
    return [
        Scene("from nothing", None, here.command),
        Scene("opened case", opened(here), here.command),
        Scene("torn tail", torn(here), here.command),
        Scene("erase", whole(here), lambda case: erase(case), _judge_erased),
    ]


def whole(here: World) -> Path:
    """A finished case: a template."""
    case = here.path / "template"
    if not case.exists() and here.build(case).code:
        raise RuntimeError("the build without a fault failed")
    return case


def torn(here: World) -> Path:
    """A case whose run was killed amid a commit: private lines without entries, half a line."""
    case = here.path / "torn"
    if not case.exists():
        world.copy(opened(here), case)
        trace = here.path / "trace"
        tracing.traced(here, here.command(world.copy(opened(here), here.path / "case")), trace)
        found = tracing.points(trace, here.path / "case")
        syncs = [
            one for one in found if one.name == "fdatasync" and "log/private" in str(one.paths())
        ]
        tracing.injected(here, here.command(case), f"fdatasync:signal=KILL:when={syncs[-2].number}")
        with (case / "log/entries/000000.jsonl").open("ab") as out:
            out.write(b'{"_sd":{"acquisition":"')
    return case


def erase(case: Path) -> list[str]:
    """The command that erases the first item of a case."""
    items = [one for one in looking.read(CaseFolder(case), 0) if one.kind == "item.acquired"]
    told = ["--by", PERSON, "--why", "a test", "--out-of-reach", "nobody", "--yes", "--json"]
    return [str(MUNIMENT), "erase", items[0].id, "--case", str(case), *told]


def _judge_erased(here: World, score: Score, case: Path, promised: int, where: str) -> None:
    found = world.faults_after(case, promised)
    before = [public for public, _ in world.lines(case)]
    again = here.build(case)
    notices = json.loads(again.out)["notices"] if again.out else ["nothing on stdout"]
    told = [one for one in notices if "erased" not in one and "work/recovered" not in one]
    if again.code not in (0, 3) or told:
        found.append(f"the next build ended {again.code}: {notices} {again.said()[-3:]}")
    found += _still_there(case)
    if [public for public, _ in world.lines(case)][:promised] != before[:promised]:
        found.append("acknowledged entries changed")
    code, why = world.verify_code(case)
    if code:
        found.append(f"verify of the finished case says {code}: {why}")
    score.add(where, found)


def _still_there(case: Path) -> list[str]:
    """What an erasure in the log names and the case still holds."""
    found = []
    for shown in looking.read(CaseFolder(case), 0):
        if shown.kind == "object.erased":
            left = [one for one in shown.values["objects"] if CaseFolder(case).object(one).exists()]
            found += [f"{len(left)} erased objects still there"] if left else []
    return found


def at_every_call(here: World, scene: Scene, most: int) -> Score:
    """Kill a scene's command at its calls, at most `most` of each name."""
    score = Score(f"kill -9 at every call that changes the case: {scene.name}")
    case, trace = here.path / "case", here.path / "trace"
    world.copy(scene.template, case)
    done = tracing.traced(here, scene.command(case), trace)
    if done.code:
        raise RuntimeError(f"the command without a fault ended {done.code}: {done.said()[-3:]}")
    found, missed = tracing.points(trace, case), 0
    for call in tracing.thinned(found, most, case):
        world.copy(scene.template, case)
        kill = f"{call.name}:signal=KILL:when={call.number}"
        done = tracing.injected(here, scene.command(case), kill)
        where = f"{call.name} {call.number} {call.place(case)[:60]}"
        if done.code == 0:
            missed += 1  # the run seals by the clock too, so it makes a call more or less
            continue
        if done.code != -signal.SIGKILL:
            score.add(where, [f"the call never came; the run ended {done.code}"])
            continue
        scene.judge(here, score, case, done.acknowledged, where)
    names = sorted({call.name for call in found})
    counted = ", ".join(f"{sum(c.name == name for c in found)} {name}" for name in names)
    score.notes.append(f"calls of a whole run: {counted}; {missed} never came when meant to kill")
    return score

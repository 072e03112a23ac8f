"""Power losses judged: every state must verify, open for writing, keep its promises, and finish."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from muniment.case import building
from muniment.case.collecting import Request
from muniment.case.progress import Silent
from muniment.custody.keyring import KeyFolder
from muniment.errors import MunimentError
from muniment.model.entries import Role
from muniment.store.layout import CaseFolder
from tests.faults import kills, power, tracing, world
from tests.faults.world import PASSPHRASE, PERSON, Score, World


class Known:
    """Gives the one passphrase: `case.signing.Secrets`."""

    def passphrase(self, role: Role, name: str, *, is_new: bool) -> str:
        """See `case.signing.Secrets`."""
        return PASSPHRASE


def build_here(here: World, case: Path) -> str:
    """`muniment build` in this process (a second a state saved); what went wrong, or ""."""
    requests = [Request(source, PERSON, "a test of faults") for source in here.sources]
    try:
        building.run(
            CaseFolder(case),
            requests,
            by=PERSON,
            why="a test of faults",
            title=None,
            keys=KeyFolder(here.path / "keys"),
            secrets=Known(),
            progress=Silent(),
            make=True,
            with_report=False,
        )
    except MunimentError as error:
        return f"the next build ended {error.exit_code}: {error}"
    return ""


@dataclass(frozen=True)
class Recorded:
    """Traces of runs on one case, the case before them, and the log as it was in the end."""

    name: str
    start: Path | None
    traces: list[Path]
    top: Path
    truth: list[tuple[bytes, bytes]]


def record(here: World, name: str, start: Path | None, *kills_at: str) -> Recorded:
    """Record a whole run; with `kills_at`, runs killed there (strace's inject) before it."""
    case = world.copy(start, here.path / f"recorded-{name.replace(' ', '-')}")
    traces = []
    for number, inject in enumerate([*kills_at, ""]):
        trace = here.path / f"{case.name}.{number}"
        done = tracing.traced(here, here.command(case), trace, *([inject] if inject else []))
        if not inject and done.code not in (0, 3):
            raise RuntimeError(f"the recorded run ended {done.code}: {done.said()[-3:]}")
        traces.append(trace)
    return Recorded(name, start, traces, case, world.lines(case))


def recordings(here: World) -> list[Recorded]:
    """From nothing; into an opened case; over a torn tail; after a kill between write and sync."""
    opened = kills.opened(here)
    found = [
        record(here, "from nothing", None),
        record(here, "opened case", opened),
        record(here, "torn tail", kills.torn(here)),
    ]
    synced = [one for one in tracing.points(found[1].traces[0], found[1].top) if "sync" in one.name]
    step = max(1, len(synced) // 6)
    for call in synced[::step]:
        inject = f"{call.name}:signal=KILL:when={call.number}"
        name = f"after a kill at {call.name} {call.number}"
        found.append(record(here, name, opened, inject))
    return found


def losses(here: World, count: int) -> list[Score]:
    """About `count` states in all, judged one by one."""
    found = recordings(here)
    return [_judged(here, one, max(1, count // len(found))) for one in found]


def _judged(here: World, one: Recorded, count: int) -> Score:
    score, case = Score(f"power loss, {one.name}"), here.path / "lost"
    moods: Counter[str] = Counter()
    for state in power.states(one.traces, one.top, count, case, one.start, here.path / "keys"):
        moods[state.mood] += 1
        score.add(f"call {state.at} ({state.mood})", _faults(here, case, one, state.promised))
    score.notes.append(", ".join(f"{number} {mood}" for mood, number in sorted(moods.items())))
    return score


def _faults(here: World, case: Path, one: Recorded, promised: int) -> list[str]:
    found = world.faults_after(case, promised)
    problem = build_here(here, case)
    if problem:
        return [*found, problem]
    if world.lines(case)[:promised] != one.truth[:promised]:
        found.append(f"the first {promised} lines are not those acknowledged")
    return found + world.faults_of_whole(here, case)

"""The local engine: a few confined processes side by side, each worth one key.

A worker that crashes, hangs or eats memory costs its own key and nothing else: whatever became of
it goes to `Step.store` like any other ending. What is done is not known here: the caller passes
only keys the log has no entry for, so a killed run goes on where it was.
"""

from __future__ import annotations

import os
import selectors
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from typing import Final

from muniment.engine.interface import Key, Step, Stored
from muniment.errors import InputError, IntegrityError
from muniment.sandbox.host import Running, Zygote

#: How long the supervisor sleeps at most before it looks at the clock again.
_TICK_S: Final = 0.25
#: So often a key is tried whose worker ends for no reason of its own.
MOST_TRIES: Final = 3


def processes() -> int:
    """How many workers run at once: the processors this process may use."""
    return max(1, len(os.sched_getaffinity(0)))


def map(
    step: Step[Key, Stored],
    keys: Iterable[Key],
    zygote: Zygote,
    *,
    at_once: int | None = None,
) -> Iterator[Stored]:
    """Do the step for every key in confined workers; yields what was stored, as it comes.

    Leaving the loop early (an error, Ctrl-C) kills the workers that still run; their keys are not
    done and come again in the next run.

    Args:
        at_once: number of workers [default: `processes()`].
    Raises:
        StorageError: if a result cannot be kept.
        SandboxError: if no worker can be started any more.
    """
    waiting, most = deque(keys), at_once or processes()
    running: dict[Running, Key] = {}
    lost: Counter[int] = Counter()
    with selectors.DefaultSelector() as selector:
        try:
            while waiting or running:
                while waiting and len(running) < most:
                    key = waiting.popleft()
                    try:
                        started = _start(step, key, zygote)
                    except (InputError, IntegrityError) as error:
                        yield step.refused(key, error)
                        continue
                    running[started] = key
                    selector.register(started, selectors.EVENT_READ, started)
                for worker in _ended(selector, running):
                    key = running.pop(worker)
                    selector.unregister(worker)
                    ended = worker.finish()
                    from_outside = ended.outcome in ("lost", "killed")
                    lost[id(key)] += from_outside
                    if from_outside and lost[id(key)] < MOST_TRIES:
                        # Its zygote died or it was killed, which may be another's fault: try again.
                        waiting.appendleft(key)
                        continue
                    yield step.store(key, ended)
        finally:
            for worker in running:
                worker.kill()
                worker.finish()


def _start(step: Step[Key, Stored], key: Key, zygote: Zygote) -> Running:
    with step.open(key) as (fd, request):
        return zygote.spawn(request, fd, step.limits(key))


def _ended(selector: selectors.BaseSelector, running: dict[Running, Key]) -> list[Running]:
    """Those that ended, after reading what came and killing what is over its time."""
    if not running:
        return []
    now_s = time.monotonic()
    wait_s = min(_TICK_S, *(max(0.0, one.deadline_s - now_s) for one in running))
    ready = {entry.data for entry, _ in selector.select(wait_s)}
    return [worker for worker in running if worker.advance(is_ready=worker in ready)]

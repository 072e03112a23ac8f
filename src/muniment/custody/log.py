"""Writing the log: scan, recover, append, commit, seal.

Commit order: objects (renamed, folders synced), private lines, entry lines, then the checkpoint that
covers them, each durable before the next; only then is a batch acknowledged. The checkpoint is the
commit: whatever stands beyond it at the next opening, torn or whole, is moved aside and logged, so
that nobody without a key can have an entry sealed. Anything wrong below it stops the writer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from muniment.custody import checkpoint as checkpoints
from muniment.custody import entry as entries
from muniment.custody.checkpoint import Checkpoint
from muniment.custody.keys import PublicKey, SigningKey
from muniment.custody.memory import Memory, not_remembered
from muniment.custody.root import Root
from muniment.custody.rules import Erasure
from muniment.custody.scan import LogState
from muniment.errors import MunimentError, SignatureError, StorageError
from muniment.model import canonical
from muniment.model.entries import KINDS, Role
from muniment.model.times import now_utc, parse_utc
from muniment.store import disk
from muniment.store.layout import CaseFolder
from muniment.store.objects import ObjectStore
from muniment.store.segments import Segments

#: A batch is committed when it reaches any of these; syncs cost more than entries.
BATCH_ENTRIES: Final = 2048
BATCH_BYTES: Final = 64 * 1024 * 1024
BATCH_SECONDS: Final = 1.0


class LogWriter:
    """The one sequencer of a case's log. Made by `custody.opening.open_writer`, under the lock.

    Args:
        state: what the scan found; entries go on from there.
        agent: the unlocked agent key; authors machine entries and signs checkpoints.
        memory: where this machine remembers the last checkpoint, outside the case.
        on_commit: called with the tree size after each batch is durable (the acknowledgement).
    """

    def __init__(
        self,
        folder: CaseFolder,
        root: Root,
        state: LogState,
        agent: SigningKey,
        *,
        memory: Memory | None = None,
        on_commit: Callable[[int], None] | None = None,
        clock: Callable[[], str] = now_utc,
    ) -> None:
        self.folder = folder
        self.root = root
        self.agent = agent
        self.objects = ObjectStore(folder)
        self.objects.clear_incoming()
        self._state = state
        self._private = Segments(folder.private)
        self._public = Segments(folder.entries)
        #: what the opening moved to work/recovered/: {file, bytes, sha256} each
        self.moved_aside: list[dict[str, Any]] = []
        #: how many whole entries were among it
        self.moved_entries = 0
        self._pending: list[entries.Built] = []
        self._durable = state.frontier.size
        #: a line for the reader when this machine cannot remember the checkpoint beside its keys
        self.unremembered = ""
        self._memory = memory
        self._on_commit = on_commit
        self._clock = clock
        self._failed: MunimentError | None = None
        self._is_busy = False
        self._last_commit = time.monotonic()

    @property
    def size(self) -> int:
        """Number of entries, committed or pending."""
        return self._state.frontier.size

    @property
    def last_at_utc(self) -> str | None:
        """Time of the last entry."""
        return self._state.last_at

    @property
    def agents(self) -> Mapping[str, PublicKey]:
        """Certified agent keys by id."""
        return self._state.agents

    @property
    def is_stopped(self) -> bool:
        """Whether a step was refused or cut short; nothing more can be written then."""
        return self._failed is not None or self._is_busy

    @property
    def erasures(self) -> tuple[Erasure, ...]:
        """Every erasure of the log, whether carried out or not."""
        return tuple(self._state.erasures)

    @property
    def erased_objects(self) -> frozenset[str]:
        """Objects that an erasure names and no later entry: they must be gone."""
        return frozenset(self._state.erased_objects)

    def clock_set_back_s(self) -> str | None:
        """Seconds the clock stands behind the last entry (decimal string), None when it does not."""
        if self._state.last_at is None:
            return None
        behind = parse_utc(self._state.last_at) - parse_utc(self._clock())
        return f"{behind.total_seconds():.3f}" if behind.total_seconds() > 0 else None

    @property
    def memory(self) -> Memory | None:
        """Where this machine remembers what it left in the case."""
        return self._memory

    def append(
        self, kind: str, values: Mapping[str, Any], *, person: SigningKey | None = None
    ) -> str:
        """Add an entry to the batch; its leaf hash (hex). Durable only after `commit`.

        Args:
            values: the kind's private fields; a value over 16 kB is kept as an object.
            person: signs the entry; without it the agent is the author.
        Raises:
            MalformedError: if the fields are not the kind's or a value is outside the profile.
            SignatureError: if that key may not author this kind.
            StorageError: if the disk refuses, now or in an earlier batch.
        """
        author = person or self.agent
        self._check_author(kind, author.public)
        stored = {name: self._stored(value) for name, value in values.items()}
        encoded = {name: data for name, (data, _) in stored.items()}
        author_id, at = author.public.id, self._clock()
        built = entries.build(
            case=self.root.case,
            kind=kind,
            author=author_id,
            at=at,
            prev=self._state.last_leaf.get(author_id),
            values=encoded,
            signer=person,
        )
        # Ctrl-C may come between any two steps: half an entry must never be sealed.
        self._is_busy = True
        self._pending.append(built)
        kept = {name: value for name, (_, value) in stored.items()}
        self._state.note(kind, author_id, at, built.leaf, kept)
        self._is_busy = False
        if self._batch_is_full():
            self.commit()
        return built.leaf.hex()

    def _check_author(self, kind: str, key: PublicKey) -> None:
        in_root = self.root.person(key.id)
        if key.role not in KINDS[kind].roles:
            raise SignatureError(f"a {key.role} key may not sign {kind}", subject=key.name)
        if key.role is Role.PERSON and (in_root is None or kind not in in_root.signs):
            remedy = "Use the person key that root.json names."
            if in_root is not None:
                remedy = "Its root is older than this kind and never changes: build the case anew."
            raise SignatureError(
                f"this key may not sign {kind} in this case", subject=key.name, remedy=remedy
            )
        if key.role is Role.AGENT and key.id not in self._state.agents:
            raise SignatureError(
                "this machine's agent key is not certified in this case",
                subject=key.name,
                remedy="A person of the root certifies it: run once with the person's passphrase.",
            )

    def _stored(self, value: Any) -> tuple[bytes, Any]:
        """The bytes a value is stored in, and the value these bytes hold."""
        data = entries.encode_value(value)
        # A value that looks like a stand-in for an object is itself kept as one, so that no text
        # from a source can name an object.
        is_stand_in = type(value) is dict and entries.OBJECT_KEY in value
        if len(data) <= entries.MAX_VALUE_BYTES and not is_stand_in:
            return data, value
        digest = self.objects.add_bytes(data)
        stand_in = {entries.OBJECT_KEY: digest, entries.BYTES_KEY: len(data)}
        return canonical.encode(stand_in), stand_in

    def _batch_is_full(self) -> bool:
        return (
            len(self._pending) >= BATCH_ENTRIES
            or self.objects.pending_bytes >= BATCH_BYTES
            or time.monotonic() - self._last_commit >= BATCH_SECONDS
        )

    def commit(self) -> Checkpoint:
        """Make the batch durable, sign the tree head over it, and acknowledge it.

        Without a new entry and with a checkpoint by this agent nothing is written.

        Returns:
            the checkpoint that covers all entries.
        Raises:
            StorageError: if the disk refuses. The writer then stays stopped: after a failed sync
                nobody knows what reached the disk, so only a new opening may look.
        """
        if self._failed:
            raise self._failed
        last = self._state.checkpoint
        if not self._pending and last is not None:
            return last
        self._is_busy = True
        try:
            self.objects.commit()
            self._private.append(self._durable, [built.private for built in self._pending])
            self._public.append(self._durable, [built.public for built in self._pending])
            head = self._seal()
        except StorageError as error:
            self._failed = error
            raise
        self._durable += len(self._pending)
        self._pending.clear()
        self._is_busy = False
        if self._on_commit:
            self._on_commit(self._durable)
        self._last_commit = time.monotonic()
        return head

    def _seal(self) -> Checkpoint:
        head = checkpoints.sign(
            checkpoints.origin_of(self.root.case),
            self._state.frontier.size,
            self._state.frontier.root(),
            self.agent,
            max(0, int(time.time())),
        )
        self._keep_other_agents_checkpoint()
        disk.replace(self.folder.checkpoint, head.encode(), temp_folder=self.folder.work)
        if self._memory:
            try:
                self._memory.keep(head)
            except StorageError as error:
                # The batch is sealed. What is remembered beside the keys is a help, no condition.
                self.unremembered = not_remembered(error)
        self._state.checkpoint = head
        self._state.checkpoint_agent = self.agent.public.id
        return head

    def _keep_other_agents_checkpoint(self) -> None:
        """Another agent's last checkpoint stays: only it covers that agent's entries."""
        last = self._state.checkpoint
        if last is None or self._state.checkpoint_agent == self.agent.public.id:
            return
        path = self.folder.checkpoints / f"{last.size:012d}"
        if not path.exists():
            disk.replace(path, last.encode(), temp_folder=self.folder.work)


def as_value(record: Any) -> Any:
    """A record as the plain values an entry holds."""
    return msgspec.to_builtins(record)

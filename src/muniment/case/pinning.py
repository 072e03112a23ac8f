"""Naming the authorities that stamp a case, dropping one, and asking them all now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from muniment.case import authorities, projecting, reporting
from muniment.case.asking import all_at_once, check_url
from muniment.case.building import whole_set_aside, writing
from muniment.case.openssl import OpenSsl
from muniment.case.progress import Progress
from muniment.case.signing import Secrets, person_key
from muniment.case.stamping import Stamped, pinned, stamp
from muniment.case.told import NAME_CHARACTERS, told
from muniment.custody import token
from muniment.custody.keyring import KeyFolder
from muniment.errors import MunimentError, UsageError
from muniment.model.ids import short
from muniment.model.stamps import Got, Method
from muniment.model.vocabulary import bitcoin_blocks
from muniment.store.layout import CaseFolder

#: How long an authority may take when somebody waits for it.
PATIENT_S: Final = 30.0
_ALONE: Final = (
    "openssl is not on this machine: no second program has judged its tokens (not checked)"
)


class Added(msgspec.Struct, frozen=True):
    """An authority that was pinned, and what its probe showed."""

    id: str
    organisation: str
    url: str
    method: Method
    time_utc: str | None
    checked_with: dict[str, str | None]
    organisations: int
    notices: tuple[str, ...]


def add(
    folder: CaseFolder,
    url: str,
    *,
    pem: bytes | None,
    organisation: str,
    by: str,
    why: str,
    secrets: Secrets,
    progress: Progress,
) -> Added:
    """Pin an authority, after a probe: it is refused when what it sends does not verify.

    Args:
        pem: its certificate and those above it; None for an OpenTimestamps calendar.
    Raises:
        MalformedError: if the certificates are no chain of a time-stamping authority.
        InputError: if it cannot be reached.
        SignatureError: if what it sends does not verify, or the key may not sign this here.
    """
    url, organisation = check_url(url), told(organisation, "--organisation", NAME_CHARACTERS)
    method = Method.RFC3161 if pem is not None else Method.OPENTIMESTAMPS
    chain = token.read_chain(pem) if pem is not None else None
    cross, keys = OpenSsl(), KeyFolder()
    with_certificates, got = _probed(url, method, chain, cross)
    person = person_key(keys, secrets, by, create=False)
    values: dict[str, Any] = {
        "url": url,
        "organisation": organisation,
        "method": str(method),
        "pem": chain.pem() if chain else None,
        "fingerprints": list(chain.fingerprints()) if chain else [],
        "probe": {
            "time_utc": got.time_utc,
            "with_certificates": with_certificates,
            "checked_with": got.checked_with,
        },
        "dropped": False,
        "by": person.public.name,
        "why": told(why, "--why"),
    }
    with _writing(folder, by, why, keys, secrets, progress) as log:
        index = projecting.catch_up(folder)
        try:
            known = pinned(index)
        finally:
            index.close()
        before = next((one.leaf for one in known if one.url == url), None)
        leaf = log.append("authority.pinned", values | {"supersedes": before}, person=person)
        aside = whole_set_aside(log)
    alone = method is Method.RFC3161 and got.checked_with.get("openssl") is None
    others = {one.organisation for one in known if one.leaf != before}
    return Added(
        short("entry", leaf),
        organisation,
        url,
        method,
        got.time_utc,
        got.checked_with,
        len(others | {organisation}),
        (*aside, _ALONE) if alone else aside,
    )


def _probed(
    url: str, method: Method, chain: token.Chain | None, cross: OpenSsl
) -> tuple[bool, Got]:
    """See `authorities.probe`; given up when it takes too long in all."""
    tasks = {url: lambda: authorities.probe(url, method, chain, cross, PATIENT_S)}
    probed = all_at_once(tasks, deadline_s=2 * PATIENT_S + 1)[url]
    if isinstance(probed, MunimentError):
        raise probed
    return probed


def drop(
    folder: CaseFolder,
    name: str,
    *,
    by: str,
    why: str,
    secrets: Secrets,
    progress: Progress,
) -> str:
    """Ask an authority no more; what it stamped still holds. Its name is returned.

    Args:
        name: its address, or its id as `stamp list` gives it.
    Raises:
        UsageError: if none is meant.
    """
    keys = KeyFolder()
    person = person_key(keys, secrets, by, create=False)
    with _writing(folder, by, why, keys, secrets, progress) as log:
        index = projecting.catch_up(folder)
        try:
            digits = name.removeprefix("entry:")
            is_id = name != digits and len(digits) >= 4
            found = [
                one
                for one in pinned(index)
                if one.url == name or (is_id and one.leaf.startswith(digits))
            ]
        finally:
            index.close()
        if len(found) != 1:
            raise UsageError(
                "is none of the authorities asked here",
                subject=name[:80],
                remedy="`muniment stamp list` names them.",
            )
        (one,) = found
        values: dict[str, Any] = {
            "url": one.url,
            "organisation": one.organisation,
            "method": str(one.method),
            "pem": one.pem,
            "fingerprints": [],
            "probe": None,
            "dropped": True,
            "supersedes": one.leaf,
            "by": person.public.name,
            "why": told(why, "--why"),
        }
        log.append("authority.pinned", values, person=person)
    return one.told


def _writing(
    folder: CaseFolder,
    by: str,
    why: str,
    keys: KeyFolder,
    secrets: Secrets,
    progress: Progress,
) -> Any:
    return writing(
        folder,
        by=by,
        why=why,
        title=None,
        keys=keys,
        secrets=secrets,
        progress=progress,
        make=False,
    )


def run(
    folder: CaseFolder,
    *,
    headers: bytes | None,
    blocks: Mapping[int, bytes],
    secrets: Secrets,
    progress: Progress,
) -> Stamped:
    """Ask every authority now for what is unstamped, and calendars for what they owe.

    Args:
        headers: a run of Bitcoin headers for proofs that end in a block.
        blocks: hashes of blocks pinned by whoever runs this, besides those of the program.
    Raises:
        UsageError: if no authority is named.
    """
    keys = KeyFolder()
    with _writing(folder, "stamp run", "time stamps", keys, secrets, progress) as log:
        done = stamp(folder, log, PATIENT_S, headers=headers, blocks={**bitcoin_blocks(), **blocks})
        if done is None:
            raise UsageError(
                "no authority is named in this case",
                remedy="Name two with `muniment stamp add URL --certificate PEM --organisation NAME`.",
            )
        aside = whole_set_aside(log)
    if done.made and folder.report.exists():
        reporting.write(folder)
    return msgspec.structs.replace(done, notices=(*aside, *done.notices))

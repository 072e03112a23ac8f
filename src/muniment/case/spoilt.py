"""Which results of examining cannot be read any more: what `muniment examine --again` makes anew."""

from __future__ import annotations

from collections import defaultdict

from muniment.case import observed
from muniment.case.damage import Damage, called
from muniment.case.index import Index
from muniment.case.observed import Observed
from muniment.errors import MalformedError
from muniment.examine import forms, registry
from muniment.store.layout import CaseFolder
from muniment.trace import clip as clips


def damaged(folder: CaseFolder, index: Index) -> dict[str, set[str]]:
    """Object -> examiners of whose derived objects one is gone, changed or malformed."""
    damage, found = Damage(folder, index), defaultdict[str, set[str]](set)
    for one in observed.each(folder, index, damage=damage):
        is_ours = registry.versions().get(one.examiner) == one.version
        if is_ours and one.status != "failed" and not _is_sound(one, damage):
            found[one.object].add(one.examiner)
    return dict(found)


def _is_sound(one: Observed, damage: Damage) -> bool:
    if one.damaged:
        return False
    blobs: dict[str, bytes] = {}
    for kept in one.blobs:
        data = damage.read(one.object, called(one.examiner, kept.name), kept.object)
        if data is None:
            return False
        blobs[kept.name] = data
    try:
        forms.check_kept(one.examiner, one.facts, blobs)
        if one.examiner in clips.NEEDED:
            clips.clip(one.object, {one.examiner: (one.facts, blobs)})
    except MalformedError:
        return False
    return True

"""How many ways out each layer closes by itself: `python -m tests.escapes` prints the table.

Counted are the attempts whose control arm succeeds on this machine.
"""

from __future__ import annotations

from muniment.sandbox.confining import LAYERS
from muniment.sandbox.host import Zygote
from tests.escapes.arms import ENTRY, ROOT, confined_arm, control_arm, escaped, scene
from tests.escapes.attempts import ATTEMPTS
from tests.escapes.control import keep_to_itself

#: row -> the layers that are on
ROWS: dict[str, tuple[str, ...]] = {
    "none": (),
    "resource limits": ("rlimits",),
    "nobody, no capabilities, no_new_privs": ("privileges",),
    "Landlock, deny all": ("landlock",),
    "namespaces, empty root": ("namespaces", "privileges"),
    "seccomp": ("seccomp",),
    "all but seccomp": tuple(name for name in LAYERS if name != "seccomp"),
    "all": LAYERS,
}


def still_open(names: list[str], layers: tuple[str, ...]) -> list[str]:
    """The attempts that get through when only these layers are on."""
    without = [name for name in LAYERS if name not in layers]
    with (
        scene() as one,
        Zygote.start(ENTRY, confined=False, without=without, paths=[str(ROOT)]) as zygote,
    ):
        confined = confined_arm(one, zygote, names)
    return [name for name in names if escaped(confined[name])]


def main() -> None:
    """Prints the table in Markdown, and which ways stay open where few do."""
    keep_to_itself()
    with scene() as one:
        control = control_arm(one)
    names = [name for name, why in control.items() if not why]
    print(f"| layer alone | still open of {len(names)} |\n|---|---|")
    for row, layers in ROWS.items():
        found = still_open(names, layers)
        few = f": {', '.join(found)}" if 0 < len(found) <= 20 else ""
        print(f"| {row} | {len(found)}{few} |", flush=True)
    for name, why in control.items():
        if why:
            print(f"not counted: {name} ({ATTEMPTS[name][0]}): {why}")


if __name__ == "__main__":
    main()

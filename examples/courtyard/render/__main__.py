"""Command line: render the example again.

python -m examples.courtyard.render                 into examples/courtyard
python -m examples.courtyard.render --out DIR       into another folder
python -m examples.courtyard.render --made DIR      use clips already built in DIR
python -m examples.courtyard.render --speak         speak the phrases again (espeak-ng)
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from . import clips, sound, telegram, truth
from .posts import EXPORTS
from .statements import FILES

HOME = Path(__file__).resolve().parent.parent


def publish(made: Path, out: Path) -> None:
    """Write exports and truth from built clips; articles and statements are copied if needed."""
    root = out / "input"
    for name in FILES:
        target = root / name
        if target.resolve() != (HOME / "input" / name).resolve():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(HOME / "input" / name, target)
    shutil.rmtree(root / "telegram", ignore_errors=True)
    placed: dict[tuple[str, int], str] = {}
    for export in EXPORTS:
        written = telegram.Writer(export, made, root / "telegram").write()
        for post, path in written.items():
            placed[post] = f"telegram/{export.folder}/{path}"
    truth.write(out / "truth" / "truth.json", truth.build(root, placed))


def main() -> int:
    """Render clips (about five minutes on one core) and publish them."""
    parser = argparse.ArgumentParser(prog="examples.courtyard.render", description=__doc__)
    parser.add_argument("--out", type=Path, default=HOME, help="folder to write into")
    parser.add_argument("--made", type=Path, help="folder of clips; built there when empty")
    parser.add_argument("--speak", action="store_true", help="speak the phrases with espeak-ng")
    asked = parser.parse_args()
    if asked.speak:
        for name in sound.PHRASES:
            print("spoke", sound.speak(name))
    else:
        print("using the committed phrases in", sound.ASSETS)
    with tempfile.TemporaryDirectory() as scratch:
        made = asked.made or Path(scratch)
        if not any(made.glob("*.mp4")):
            made.mkdir(parents=True, exist_ok=True)
            begun = time.monotonic()
            for name in clips.build(made):
                print(f"{time.monotonic() - begun:6.1f} s  {name}", flush=True)
        publish(made, asked.out)
    print("wrote", asked.out / "input", "and", asked.out / "truth")
    return 0


if __name__ == "__main__":
    sys.exit(main())

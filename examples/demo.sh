#!/usr/bin/env bash
# Builds the example case into demo/case with throw-away keys, then verifies it with both pins.
# The passphrase is public: it protects nothing but this example.
set -eu
bin=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
export MUNIMENT_KEYS=demo/keys MUNIMENT_PASSPHRASE=courtyard
mkdir -p demo
echo "Building and verifying the example case, about half a minute ..."
status=0
"$bin/muniment" build examples/courtyard/input --case demo/case --by "A. Example" \
  --why "Example: was the store in the courtyard emptied, when, and by whom?" \
  --title "Courtyard (synthetic example)" --from "Synthetic material shipped with Muniment" \
  >demo/summary.txt 2>demo/notices.txt || status=$?
# 3 = partly done: the example holds things that cannot be kept, on purpose; they are in the report.
if [ "$status" != 0 ] && [ "$status" != 3 ]; then cat demo/notices.txt >&2; exit "$status"; fi
root=$(sed -n 's/^Root *//p' demo/summary.txt)
checkpoint=$(sed -n 's/^Checkpoint *//p' demo/summary.txt)
"$bin/muniment" verify demo/case --root "$root" --since "$checkpoint" >demo/verify.txt
sed '/keep both outside/d' demo/summary.txt
echo "Verified     $(grep -c '^pass ' demo/verify.txt) checks passed, $(grep -c '^FAIL ' demo/verify.txt || true) failed (demo/verify.txt says what that does not show)"

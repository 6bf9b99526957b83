#!/bin/bash
# npm packages -> data.npz (see prepare.py)
set -eo pipefail
here=$(cd "$(dirname "$0")" && pwd); out=$(realpath -m "${1:-$here/data.npz}"); t=$(mktemp -d); cd "$t"
npm pack --silent @lobehub/fluent-emoji-3d@1.1.0 emojibase-data@17.0.0 >/dev/null
for f in *.tgz; do mkdir "${f%.tgz}" && tar xzf "$f" -C "${f%.tgz}"; done
python3 "$here/prepare.py" --emoji lobehub-*/package/assets --words emojibase-*/package --out "$out"
rm -r "$t"

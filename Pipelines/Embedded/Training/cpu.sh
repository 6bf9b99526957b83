#!/bin/bash
# The CPU recipe (64 px, two hours and a quarter), at the lowest priority: bash cpu.sh. To resume, run it again.
set -eo pipefail
cd "$(dirname "$0")"; W=${W:-/tmp/emoji-train} DATA=${DATA:-data.npz}
export OMP_WAIT_POLICY=PASSIVE GOMP_SPINCOUNT=0 PYTHONUNBUFFERED=1      # otherwise two OpenMP threads are ten times slower than one
mkdir -p "$W"; [ -d "$W/tokenizer" ] || cp -r ../Model/tokenizer ../Model/tokenizer_2 "$W"/
py() { nice -n 19 python3 "$@"; }
py vae.py   --data "$DATA" --preset cpu --out "$W" --total 20 --batch 16 --lr 1.5e-3 --crop 32
py train.py --data "$DATA" --preset cpu --out "$W" --total 100 --batch 48 --share 2 --variants 20 --captions 6 --recolour 0 --lr 1.5e-3 --ema 0.997 --grid-minutes 15 --workers 2 --threads 1
py vae.py   --data "$DATA" --preset cpu --out "$W" --total 10 --batch 16 --lr 1e-3 --decoder
py export.py --src "$W"

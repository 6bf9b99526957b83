#!/bin/bash
# The GPU recipe, in steps of under 10 minutes:  bash h100.sh vae; bash h100.sh unet; bash h100.sh unet; bash h100.sh decoder; bash h100.sh export
# Every stage continues from $W, which must persist between steps; $OUT receives logs and sample images, and after `export` the model.
set -eo pipefail
cd "$(dirname "$0")"; W=${W:-/tmp/emoji-train} DATA=${DATA:-data.npz} TOTAL=${TOTAL:-16} OUT=${OUT:-$W/out}
export PYTHONUNBUFFERED=1 TORCHINDUCTOR_CACHE_DIR=$W/inductor
mkdir -p "$W" "$OUT"; [ -d "$W/tokenizer" ] || cp -r ../Model/tokenizer ../Model/tokenizer_2 "$W"/
case $1 in
    vae)     python3 vae.py   --data "$DATA" --preset h100 --out "$W" --total 6 ;;
    unet)    python3 train.py --data "$DATA" --preset h100 --out "$W" --total "$TOTAL" --minutes 8 --text-steps 1500 ${FLAGS:-} ;;
    decoder) python3 vae.py   --data "$DATA" --preset h100 --out "$W" --total 5 --decoder --batch 64 --lr 5e-4 ;;
    export)  python3 export.py --src "$W" --dst "$OUT/Model" && python3 sheet.py --model "$OUT/Model" --out "$OUT/sheet.png" ;;
esac 2>&1 | tee "$OUT/log_$1.txt"
cp "$W"/vae.png "$OUT"/ 2>/dev/null || true
cp "$(ls -t "$W"/grid_*.png | head -1)" "$OUT"/ 2>/dev/null || true

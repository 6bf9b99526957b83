#!/usr/bin/env bash
# Runs all tests and measurements for one device, from the bundle of `perf/run.sh bundle`; needs neither .NET nor a network.
#   on-gpu.sh DEVICE FOLDER [STEP…]      such as: on-gpu.sh cuda:0 results
# Each step writes FOLDER/STEP.txt and has a time limit; the last lines summarise the exit codes. ILGPUDIFFUSION_GOLDENS names the reference data of the step "goldens".
set -uo pipefail
[ $# -ge 2 ] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
device=$1 out=$2 app=$here/app
shift 2
mkdir -p "$out"
out=$(cd "$out" && pwd)
export ILGPUDIFFUSION_REQUIRE=${device%%:*} ILGPUDIFFUSION_CACHE=${ILGPUDIFFUSION_CACHE-$here/cache}
summary=()

step() { # name, time limit in seconds, command
    local name=$1 limit=$2 begun=$SECONDS status
    shift 2
    [ ${#wanted[@]} -eq 0 ] || [[ " ${wanted[*]} " == *" $name "* ]] || return 0
    echo "== $name"
    timeout "$limit" "$@" > "$out/$name.txt" 2>&1
    status=$?
    tail -n 3 "$out/$name.txt"
    summary+=("$(printf '%-12s exit %3d  %4d s' "$name" $status $((SECONDS - begun)))")
}

machine() {
    echo "commit $(cat "$here/COMMIT"), $(date -u +%F), device $device"
    nvidia-smi 2>&1 || true
    "$app/ilgd" devices
}

draw() { # the image of the small model in every type and on the CPU, twice each: the second time nothing is left to compile
    local dtype
    "$app/ilgd" generate "a red heart" --seed 42 --device cpu -o "$out/heart-cpu.png" || return
    for dtype in fp32 fp16 bf16; do
        for time in first second; do
            echo "-- $dtype, $time"
            "$app/ilgd" generate "a red heart" --seed 42 --device "$device" --dtype $dtype -o "$out/heart-$dtype.png" --json || return
        done
    done
    echo "-- fp16, recorded"
    "$app/ilgd" generate "a red heart" --seed 42 --device "$device" --dtype fp16 --compile reduce-overhead -o "$out/heart-recorded.png" --json
}

ops() { # every case of every op, and all other tests on a device
    "$app/ILGpuDiffusion.Compute.Tests" -noLogo -noColor $(classes Compute OpCaseGpuTests GpuVariantTests WideAccessTests GpuGemmTileTests PackedOnGpuTests DeviceFunctionTests KernelLoaderTests SeveralDevicesTests)
}

goldens() {
    [ -n "${ILGPUDIFFUSION_GOLDENS-}" ] || { echo "ILGPUDIFFUSION_GOLDENS names no reference data"; return 1; }
    "$app/ILGpuDiffusion.Pipelines.Tests" -noLogo -noColor $(classes Pipelines GpuGoldenTests Gpu16BitTests GpuImageTests GpuCancellationTests)
}

classes() { local room=$1 name; shift; for name in "$@"; do printf -- '-class ILGpuDiffusion.%s.Tests.%s ' "$room" "$name"; done; }

measure() { # the ops of models, in bfloat16, compared with PyTorch if it is installed
    local op
    for op in MatMul Conv2D Attention QuantizedMatMul GroupNorm LayerNorm GeGlu; do
        "$app/ILGpuDiffusion.Compute.Perf" $op --device "$device" --activations BFloat16 --rounds 5 --json "$out/$op.json"
    done
    "$app/ILGpuDiffusion.Compute.Perf" MatMul --shape 4096x4096-4096 --device "$device" --activations BFloat16 --json "$out/MatMul4096.json"
    python3 -c "import torch" 2> /dev/null && python3 "$here/torch_ops.py" "$out"/{MatMul,MatMul4096,Conv2D,Attention}.json
}

models() { # whole models with random weights, which are generated first
    local dtype
    for dtype in BFloat16 Float16 Float32; do
        "$app/ILGpuDiffusion.Pipelines.Perf" model sdxl-unet --pixels 1024 --batch 2 --runs 5 --device "$device" --dtype $dtype || return
    done
    "$app/ILGpuDiffusion.Pipelines.Perf" model sdxl-vae --pixels 1024 --runs 3 --device "$device" --dtype BFloat16
    "$app/ILGpuDiffusion.Pipelines.Perf" model sd15-unet --pixels 512 --batch 2 --runs 5 --device "$device" --dtype BFloat16
}

export -f machine draw ops goldens classes measure models
export here device out app
wanted=("$@")
step machine 60 bash -c machine
step draw 120 bash -c draw
step ops 300 bash -c ops
step goldens 240 bash -c goldens
step measure 240 bash -c measure
step models 300 bash -c models
printf '%s\n' "${summary[@]}" | tee "$out/summary.txt"

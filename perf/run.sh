#!/usr/bin/env bash
# One command for each measurement; see perf/README.md. Downloads and results are in artifacts/ and perf/results/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

usage="usage: perf/run.sh check | try | ladder | targets [OPTIONS] | targets-avx2 [OPTIONS] | tables [OPTIONS of ilgd tune] | quick | full | bundle
       perf/run.sh texts FOLDER | same-texts OLD NEW | same-texts --check FOLDER | same-bits OLD NEW [OPTIONS] | builds OLD NEW [OPTIONS]"
bin=artifacts/bin
build() { for project in "$@"; do dotnet build -c Release -v quiet -clp:NoSummary "$project"; done; }
run() { local name=$1; shift; dotnet "$bin/ILGpuDiffusion.$name/release/ILGpuDiffusion.$name.dll" "$@"; }
avx2() { # every engine without AVX-512, which many machines lack. ILGPUDIFFUSION_SDCPP_AVX2 names a stable-diffusion.cpp built for such machines
    ILGPUDIFFUSION_SDCPP=${ILGPUDIFFUSION_SDCPP_AVX2-} DOTNET_EnableAVX512=0 ATEN_CPU_CAPABILITY=avx2 MKL_ENABLE_INSTRUCTIONS=AVX2 ONEDNN_MAX_CPU_ISA=AVX2 "$@"
}

mode=${1:-}
[ $# -gt 0 ] && shift
case $mode in
check) # checks that libtorch computes the same
    build perf/Peers
    run Peers check ;;
try) # the table of targets in two minutes, with small models in place of large ones
    build perf/Peers Pipelines/Cli
    run Peers targets --reduced --again --to artifacts/perf-try "$@" ;;
targets) # the table of targets; resumes where it stopped
    build perf/Peers Pipelines/Cli
    run Peers targets "$@" ;;
ladder) # the rungs of diffusers' guide: the small model on the CPU and on an OpenCL device, then SDXL's sizes with random weights on the CPU (half an hour)
    build perf/Pipelines.Perf Pipelines/Cli
    sdxl=$(run Pipelines.Perf pipeline stable-diffusion-xl-base-1.0)
    to=${LADDER_TO:-perf/results/$(date +%F)-ladder}
    rungs() { # name, options
        local file=$to-$1; shift
        "$bin/ILGpuDiffusion.Cli/release/ilgd" bench --ladder --csv "$file.csv" --plot "$file.svg" "$@" > "$file.txt"
        cat "$file.txt"
    }
    rungs cpu --device cpu --steps 20 --runs 7 "$@"
    if "$bin/ILGpuDiffusion.Cli/release/ilgd" devices | grep -q '^opencl:0'; then rungs opencl --device opencl:0 --steps 6 --runs 3 "$@"; fi
    rungs sdxl-cpu --device cpu --model "$sdxl" --size 512x512 --steps 2 --runs 3 "$@" ;;
targets-avx2)
    build perf/Peers Pipelines/Cli
    avx2 run Peers targets "$@" ;;
quick) # a quick check after a change: a few ops and the small models
    build perf/Compute.Benchmarks perf/Pipelines.Perf
    run Compute.Benchmarks --quick --filter 1280-1280 "$@"
    for model in small-unet medium-unet; do run Pipelines.Perf model $model --pixels 256 --runs 20; done ;;
tables) # the tuning table that ships for this processor: what two independent searches have in common. With DOTNET_EnableAVX512=0, the table for processors without AVX-512
    build perf/Pipelines.Perf Pipelines/Cli
    found=$(mktemp -d)
    trap 'rm -rf "$found"' EXIT
    for i in 1 2; do
        for model in stable-diffusion-xl-base-1.0 stable-diffusion-v1-5; do
            ILGPUDIFFUSION_CACHE="$found/$i" "$bin/ILGpuDiffusion.Cli/release/ilgd" tune --same-bits --device cpu --weights bf16 --model "tests/Golden/real-configs/$model" --size 512x512 "$@"
        done
        ILGPUDIFFUSION_CACHE="$found/$i" "$bin/ILGpuDiffusion.Cli/release/ilgd" tune --same-bits --device cpu "$@"
    done
    architecture=$(grep -om1 '"architecture":"[^"]*"' "$found"/1/tuning/*.json | cut -d'"' -f4)
    mkdir -p Compute/Kernels/Tuning/Tables
    run Pipelines.Perf tuning-table "$found"/[12]/tuning/*.json --to "Compute/Kernels/Tuning/Tables/cpu-$architecture.json" ;;
bundle) # artifacts/bundle.tar.xz: tests, tool and measurements for a machine with a GPU and without .NET; run on-gpu.sh in it
    to=artifacts/bundle
    rm -rf "$to"
    for project in tests/Compute.Tests tests/Pipelines.Tests Pipelines/Cli perf/Compute.Perf perf/Pipelines.Perf; do
        dotnet publish "$project" -c Release -v quiet -clp:NoSummary -r linux-x64 --self-contained -p:DebugType=none -p:SatelliteResourceLanguages=en -o "$to/app"
    done
    # The programs expect these files at the same places as in a checkout.
    mkdir -p "$to/tests/Golden" "$to/perf/Measuring"
    cp ILGpuDiffusion.sln perf/on-gpu.sh perf/torch_ops.py "$to"
    cp -r tests/Golden/real-configs "$to/tests/Golden"
    cp -r perf/Measuring/Models "$to/perf/Measuring"
    git describe --always --dirty=+ --exclude '*' > "$to/COMMIT"
    tar -C artifacts -cJf artifacts/bundle.tar.xz bundle
    du -h artifacts/bundle.tar.xz ;;
texts) # writes the texts and launches of all GPU kernels, and the results of CPU kernels, to a folder
    folder=$(realpath -m "${1:?"$usage"}")
    [ -z "$(ls -A "$folder" 2> /dev/null)" ] || { echo "$folder is not empty; texts of two builds would mix in it." >&2; exit 2; }
    build tests/Compute.Tests
    ILGPUDIFFUSION_TEXTS=$folder dotnet test -c Release --no-build tests/Compute.Tests --filter "FullyQualifiedName~KernelTextDump|FullyQualifiedName~OpResultDump"
    for narrower in EnableAVX512 EnableAVX2; do # the same with narrower registers
        env "ILGPUDIFFUSION_TEXTS=$folder" "DOTNET_$narrower=0" dotnet test -c Release --no-build tests/Compute.Tests --filter "FullyQualifiedName~OpResultDump"
    done
    echo "$(find "$folder" -name '*.ptx' -o -name '*.cl' | wc -l) texts in $folder" ;;
same-texts) # compares two such folders; with --check, tests that planted mistakes are found
    build perf/Equivalence
    if [ "${1-}" = --check ]; then run Equivalence check-texts "${2:?"$usage"}"; else run Equivalence texts "$@"; fi ;;
same-bits) # compares images and latents of two built checkouts
    build perf/Equivalence
    run Equivalence bits "$@" ;;
builds) # compares whole models in two built checkouts, interleaved
    build perf/Pipelines.Perf
    run Pipelines.Perf builds "$@" ;;
full) # everything: all ops under BenchmarkDotNet, all models, then the table
    build perf/Compute.Benchmarks perf/Pipelines.Perf
    run Compute.Benchmarks "$@"
    for model in small-unet medium-unet sd15-unet sd15-vae sdxl-text sdxl-text-2 sdxl-vae sdxl-unet; do run Pipelines.Perf model $model --pixels 512 --runs 5; done
    "$0" targets ;;
*)
    echo "$usage" >&2
    exit 2 ;;
esac

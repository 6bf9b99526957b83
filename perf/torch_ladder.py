#!/usr/bin/env python3
"""The rungs of `ilgd bench --ladder` with PyTorch and diffusers, for machines that have them: the guide "Accelerate inference" as a table.

    pip install torch diffusers transformers accelerate torchao
    python perf/torch_ladder.py --model stabilityai/stable-diffusion-xl-base-1.0 --device cuda --size 1024 --steps 30 --csv torch.csv

Each rung loads its own pipeline and draws one image that is not counted, then the measured ones. Latency is the median of whole images,
PSNR and mean difference are to the first rung's image with the same seed. A rung that fails is reported, and the next one runs.
"""

import argparse
import csv
import math
import statistics
import time

import torch
from diffusers import DiffusionPipeline, DPMSolverMultistepScheduler
from diffusers.models.attention_processor import AttnProcessor, AttnProcessor2_0

PROMPT = "Astronaut in a jungle, cold color palette, muted colors, detailed, 8k"


# Sizes (in, out) of linear layers that the guide leaves in 16 bits.
NOT_QUANTISED = {
    (256, 128), (320, 640), (512, 256), (512, 512), (512, 1536), (640, 320), (640, 640), (640, 1280), (640, 1920), (640, 5120),
    (960, 320), (960, 640), (1280, 640), (1920, 640), (1920, 1280), (2048, 1280), (2048, 2560), (2560, 1280), (2816, 1280),
}


def gains_from_int8(module, _):
    """The guide's dynamic_quant_filter_fn; ours is `--quantize-filter guide`."""
    return (isinstance(module, torch.nn.Linear) and module.in_features > 16
            and (module.in_features, module.out_features) not in NOT_QUANTISED)


def load(arguments, dtype, sdpa=True, compile_mode=None, fuse=False, int8=False, scheduler=False):
    pipe = DiffusionPipeline.from_pretrained(arguments.model, torch_dtype=dtype).to(arguments.device)
    pipe.set_progress_bar_config(disable=True)
    processor = AttnProcessor2_0() if sdpa else AttnProcessor()
    pipe.unet.set_attn_processor(processor)
    pipe.vae.set_attn_processor(processor)
    if fuse:
        pipe.fuse_qkv_projections()
    if int8:
        from torchao.quantization import int8_dynamic_activation_int8_weight, quantize_

        quantize_(pipe.unet, int8_dynamic_activation_int8_weight(), filter_fn=gains_from_int8)
    if compile_mode:
        pipe.unet.to(memory_format=torch.channels_last)
        pipe.vae.to(memory_format=torch.channels_last)
        pipe.unet = torch.compile(pipe.unet, mode=compile_mode, fullgraph=True)
        pipe.vae.decode = torch.compile(pipe.vae.decode, mode=compile_mode, fullgraph=True)
    if scheduler:
        pipe.scheduler = DPMSolverMultistepScheduler.from_config(
            pipe.scheduler.config, algorithm_type="dpmsolver++", solver_order=2, use_karras_sigmas=True)
    return pipe


def rungs(half):
    """Name and settings of each rung, in the order of the guide."""
    return [
        ("float32", dict(dtype=torch.float32, sdpa=False)),
        ("16-bit", dict(dtype=half, sdpa=False)),
        ("attention", dict(dtype=half)),
        ("compiled", dict(dtype=half, compile_mode="default")),
        ("max-autotune", dict(dtype=half, compile_mode="max-autotune")),
        ("fused-qkv", dict(dtype=half, compile_mode="max-autotune", fuse=True)),
        ("int8", dict(dtype=half, compile_mode="max-autotune", fuse=True, int8=True)),
        ("fewer-steps", dict(dtype=half, compile_mode="max-autotune", fuse=True, int8=True, scheduler=True)),
    ]


def draw(pipe, arguments, steps):
    """One image as a tensor of 0 … 255, and its seconds."""
    if arguments.device == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    image = pipe(PROMPT, num_inference_steps=steps, height=arguments.size, width=arguments.size,
                 generator=torch.Generator().manual_seed(42), output_type="pt").images[0]
    if arguments.device == "cuda":
        torch.cuda.synchronize()
    return (image.float().cpu() * 255).round(), time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--half", choices=["bfloat16", "float16"], default="bfloat16")
    parser.add_argument("--rungs", help="only these, separated by commas")
    parser.add_argument("--csv")
    arguments = parser.parse_args()
    only = arguments.rungs.split(",") if arguments.rungs else None

    table, reference = [], None
    for name, settings in rungs(getattr(torch, arguments.half)):
        if only and name not in only:
            continue
        steps = max(1, arguments.steps * 2 // 3) if settings.get("scheduler") else arguments.steps
        try:
            if arguments.device == "cuda":
                torch.cuda.reset_peak_memory_stats()
            pipe = load(arguments, **settings)
            _, first = draw(pipe, arguments, steps)
            images, seconds = zip(*(draw(pipe, arguments, steps) for _ in range(arguments.runs)))
        except Exception as error:  # a rung that this machine lacks does not end the ladder
            print(f"{name}: {type(error).__name__}: {error}")
            continue
        reference = images[0] if reference is None else reference
        difference = (images[0] - reference).abs()
        square = (difference**2).mean().item()
        row = {
            "rung": name, "median_s": statistics.median(seconds), "best_s": min(seconds), "first_s": first, "steps": steps,
            "psnr": math.inf if square == 0 else 10 * math.log10(255**2 / square), "mean_difference": difference.mean().item(),
            "peak_gib": torch.cuda.max_memory_allocated() / 2**30 if arguments.device == "cuda" else float("nan"),
        }
        table.append(row)
        print("  ".join(f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in row.items()))
        del pipe
        if arguments.device == "cuda":
            torch.cuda.empty_cache()

    if arguments.csv and table:
        with open(arguments.csv, "w", newline="") as file:
            writer = csv.DictWriter(file, table[0].keys())
            writer.writeheader()
            writer.writerows(table)


if __name__ == "__main__":
    main()

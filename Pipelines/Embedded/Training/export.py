"""Trained parts -> diffusers folder with fp16 (or bf16) weights, plus defaults.json for the engine."""
import argparse, json, os, shutil
import torch
import configs
from models import load_safetensors, save_safetensors

ap = argparse.ArgumentParser(description=__doc__)
ap.add_argument("--src", default="model")
ap.add_argument("--dst", default="../Model")
ap.add_argument("--dtype", default="fp16", choices=["fp16", "bf16", "fp32"])
ap.add_argument("--scheduler", default="DPMSolverMultistepScheduler", choices=["DPMSolverMultistepScheduler", "EulerDiscreteScheduler"])
ap.add_argument("--steps", type=int, default=15)
ap.add_argument("--guidance", type=float, default=3.0)
a = ap.parse_args()
dt, name = {"fp16": (torch.float16, "float16"), "bf16": (torch.bfloat16, "bfloat16"), "fp32": (torch.float32, "float32")}[a.dtype]
info = json.load(open(a.src + "/train.json"))


def dump(o, *path):
    f = os.path.join(a.dst, *path)
    os.makedirs(os.path.dirname(f), exist_ok=True)
    open(f, "w", newline="\n").write(json.dumps(o, indent=2) + "\n")


for part in ("unet", "vae", "text_encoder", "text_encoder_2"):
    file = ("model" if part.startswith("text") else "diffusion_pytorch_model") + ".safetensors"
    cfg = json.load(open(f"{a.src}/{part}/config.json"))
    if part.startswith("text"):
        cfg["torch_dtype"] = name
    dump(cfg, part, "config.json")
    w = load_safetensors(f"{a.src}/{part}/{file}")
    biggest = max(v.abs().max().item() for v in w.values())
    assert biggest < 6e4 and all(v.isfinite().all() for v in w.values()), (part, biggest)
    save_safetensors({k: v.to(dt) for k, v in w.items()}, f"{a.dst}/{part}/{file}")
    print(f"{part:15s} {sum(v.numel() for v in w.values()) / 1e6:6.2f} M  max |w| {biggest:.2f}  {os.path.getsize(f'{a.dst}/{part}/{file}') / 1e6:.2f} MB")
for part in ("tokenizer", "tokenizer_2"):
    shutil.copytree(f"{a.src}/{part}", f"{a.dst}/{part}", dirs_exist_ok=True)
size = configs.PRESETS[info["preset"]]["size"]
dump(configs.scheduler(info["prediction"], a.scheduler), "scheduler", "scheduler_config.json")
dump(configs.model_index(a.scheduler), "model_index.json")
dump({"num_inference_steps": a.steps, "guidance_scale": a.guidance, "width": size, "height": size}, "defaults.json")
print(f"folder {sum(os.path.getsize(os.path.join(d, f)) for d, _, fs in os.walk(a.dst) for f in fs) / 1e6:.2f} MB")

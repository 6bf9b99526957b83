"""Compare models.py with the reference numbers of tiny-sdxl (proves names, shapes, arithmetic)."""
import argparse, json, os
import torch
import configs
from models import load_folder, load_safetensors
from sampling import run, tables
ap = argparse.ArgumentParser()
ap.add_argument("--goldens", required=True, help="folder with tiny-sdxl, tiny-sdxl-goldens and schedulers")
a = ap.parse_args()
torch.set_grad_enabled(False)
torch.set_num_threads(1)
m = load_folder(a.goldens + "/tiny-sdxl")
worst = {}


def compare(part, what, got, want, tol):
    e = (got.double() - want.double()).abs().max().item() / want.double().pow(2).mean().sqrt().item()
    worst[part] = max(worst.get(part, 0), e)
    print(f"{part:15s} {what:38s} max|err|/rms {e:.2e}  {'ok' if e < tol else 'FAIL'}")


for part in ("text_encoder", "text_encoder_2", "unet", "vae"):
    base = f"{a.goldens}/tiny-sdxl-goldens/{part}"
    T = load_safetensors(base + ".safetensors")
    for c in json.load(open(base + ".json"))["cases"]:
        i = lambda n: T[c["inputs"][n]["key"]]
        o = lambda n: T[c["outputs"][n]["key"]]
        if part.startswith("text"):
            pen, pooled, last = m[part](i("input_ids"))
            compare(part, c["id"] + " penultimate", pen, o("penultimate"), 2e-5)
            compare(part, c["id"] + " last", last, o("last_hidden_state"), 2e-5)
            compare(part, c["id"] + " pooled", pooled, o("pooled"), 2e-5)
        elif part == "unet":
            if set(c["inputs"]) != {"sample", "encoder_hidden_states", "timestep", "text_embeds", "time_ids"}:
                continue
            if any(k not in ("batch", "latent_height", "latent_width", "timestep") for k in c.get("params", {})):
                print(part, c["id"], c.get("params"))
            y = m[part](i("sample"), i("timestep").reshape(-1), i("encoder_hidden_states"), i("text_embeds"), i("time_ids"))
            if "sample" in c["outputs"]:
                compare(part, c["id"], y, o("sample"), 3e-4)
        elif c["id"].startswith("encode"):
            mean, logvar = m[part].encode(i("image"))
            compare(part, c["id"] + " mean", mean, o("mean"), 2e-4)
            compare(part, c["id"] + " logvar", logvar, o("logvar"), 2e-4)
        elif "decode" in c["id"] and not c["id"].startswith("tiled"):
            compare(part, c["id"], m[part].decode(i("latent")), o("image"), 2e-4)

# --- the schedulers of sampling.py against recorded traces
T, D = load_safetensors(a.goldens + "/schedulers/scheduler_traces.safetensors"), json.load(open(a.goldens + "/schedulers/scheduler_traces.json"))
for c in D["cases"]:
    name = c["class_name"]
    if name in ("EulerDiscreteScheduler", "DPMSolverMultistepScheduler") and c["variant"] == "sdxl_trailing":
        cfg = configs.scheduler("epsilon", name)
        start, outputs = T[c["inputs"]["start"]["key"]], iter(T[c["inputs"]["model_output"]["key"]])
        if name.startswith("Euler"):                          # the recorded start is already scaled
            start = start / tables(cfg, c["num_steps"])[1][0]
        _, trace = run(lambda x, t: next(outputs), start, cfg, c["num_steps"])
        compare("schedulers", c["id"], torch.stack(trace), T[c["outputs"]["prev_sample"]["key"]], 2e-5)
print("worst", {k: f"{v:.1e}" for k, v in worst.items()})

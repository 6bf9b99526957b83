"""Reference numbers for other engines: fp32 arithmetic on the exported (rounded) weights -> parity.safetensors, parity.json.

Tensors are NCHW float32, as in diffusers; the start latents are standard normal, before the scheduler's own scaling.
"""
import argparse, json, os
import torch
from models import save_safetensors
from sampling import Pipeline, run

ap = argparse.ArgumentParser(description=__doc__)
ap.add_argument("--model", default="../Model")
ap.add_argument("--out", default="../../../tests/Golden/embedded")
ap.add_argument("--prompt", default="a red heart")
ap.add_argument("--steps", type=int, default=20)
a = ap.parse_args()
torch.set_grad_enabled(False)
torch.set_num_threads(1)
p = Pipeline(a.model)
g = p.defaults["guidance_scale"]
prompts, out = [a.prompt, ""], {}                              # the second one is the negative prompt
ids1, ids2 = p.tokens(prompts)
h1, h2 = p.m["text_encoder"](ids1)[0], p.m["text_encoder_2"](ids2)[0]
ctx, pooled = p.encode(prompts)
out.update({"text/in/ids_1": ids1.int(), "text/in/ids_2": ids2.int(), "text/out/hidden_1": h1, "text/out/hidden_2": h2, "text/out/pooled": pooled})
noise, tid = p.noise([0]), p.time_ids(1)
t = 499
x = p.noise([1])
out.update({"unet/in/sample": x, "unet/in/timestep": torch.tensor([float(t)]), "unet/in/encoder_hidden_states": ctx[:1], "unet/in/text_embeds": pooled[:1],
            "unet/in/time_ids": tid, "unet/out/sample": p.m["unet"](x, torch.tensor([float(t)]), ctx[:1], pooled[:1], tid)})
call = lambda v, k: (lambda c, u: u + g * (c - u))(*p.m["unet"](torch.cat([v, v]), torch.full((2,), float(k)), ctx, pooled, torch.cat([tid, tid])).chunk(2))
z, trace = run(call, noise, p.cfg, a.steps)
out.update({"run/in/latents": noise, "run/out/latents_steps": torch.cat(trace), "run/out/latents_final": z, "run/out/image": p.decode(z)})
scaled = z / p.m["vae"].cfg["scaling_factor"]
image = p.m["vae"].decode(scaled)
mean, logvar = p.m["vae"].encode(image.clamp(-1, 1))
out.update({"vae/in/latent": scaled, "vae/out/image": image, "vae/in/picture": image.clamp(-1, 1), "vae/out/mean": mean, "vae/out/logvar": logvar})
os.makedirs(a.out, exist_ok=True)
save_safetensors(out, os.path.join(a.out, "parity.safetensors"))
about = dict(prompt=a.prompt, negative_prompt="", steps=a.steps, guidance_scale=g, width=p.size, height=p.size, scheduler=p.cfg["_class_name"],
             tensors={k: list(v.shape) for k, v in sorted(out.items())},
             notes=["ids, hidden states and pooled: row 0 is the prompt, row 1 the negative prompt",
                    "hidden_1, hidden_2: penultimate hidden states of the two text encoders; encoder_hidden_states joins them along channels",
                    "vae/in/latent is already divided by the scaling factor; vae/out/image is before clamping, in -1..1",
                    "run/in/latents is standard normal; run/out/latents_steps has the latents after every step; run/out/image is in 0..1"])
json.dump(about, open(os.path.join(a.out, "parity.json"), "w"), indent=2)
print(f"{sum(os.path.getsize(os.path.join(a.out, f)) for f in os.listdir(a.out)) / 1e3:.0f} kB,", about["scheduler"], "guidance", g)

"""A contact sheet of prompts.txt from an exported folder, and how many images are nearest to their own emoji.

Retrieval: nearest neighbour in pixel space (white background) among all trained images, for generated images and, as
an upper bound, for the VAE's reconstructions.
"""
import argparse, json, os, time
import torch
from PIL import Image
import configs
from data import Emoji
from sampling import Pipeline, u8
from train import grid

here = os.path.dirname(os.path.abspath(__file__))
ap = argparse.ArgumentParser(description=__doc__)
ap.add_argument("--model", default=os.path.join(here, "../Model"))
ap.add_argument("--prompts", default=os.path.join(here, "prompts.txt"))
ap.add_argument("--out", default="sheet.png")
ap.add_argument("--scheduler", default="", help="scheduler instead of the folder's")
ap.add_argument("--steps", type=int, default=0)
ap.add_argument("--guidance", type=float, default=None)
ap.add_argument("--seed", type=int, default=0)
ap.add_argument("--retrieval", type=int, default=0, help="number of labels")
ap.add_argument("--data", default="data.npz")
ap.add_argument("--min-weight", type=float, default=3, help="smallest weight in subjects.txt of trained images")
ap.add_argument("--threads", type=int, default=2)
a = ap.parse_args()
torch.set_num_threads(a.threads)
torch.set_grad_enabled(False)
p = Pipeline(a.model)
cfg = configs.scheduler(p.cfg["prediction_type"], a.scheduler) if a.scheduler else None
draw = lambda prompts, seed: p.draw(prompts, p.noise([seed] * len(prompts)), a.steps, a.guidance, cfg=cfg)[1]
if a.retrieval:
    emoji = Emoji(a.data, p.size, a.min_weight)
    which = emoji.known.nonzero()[:, 0]
    x = torch.cat([emoji.image(which[k:k + 64], torch.full((len(which[k:k + 64]), 3), 255.0)) for k in range(0, len(which), 64)])
    some = torch.randperm(len(which), generator=torch.Generator().manual_seed(0))[:a.retrieval]
    vae = p.m["vae"]
    rec = torch.cat([vae.decode(vae.encode(q)[0]) for q in x[some].split(16)])
    gen = torch.cat([draw([emoji.items[which[i]]["label"] for i in k], a.seed) for k in some.split(32)]) * 2 - 1
    for name, y in (("VAE reconstructions", rec), ("generated", gen)):
        d = torch.cdist(y.flatten(1), x.flatten(1))
        rank = (d < d.gather(1, some[:, None])).sum(1)
        print(f"{name}: the right image is the nearest for {(rank == 0).float().mean() * 100:.1f} %, among the five nearest {(rank < 5).float().mean() * 100:.1f} % of {len(some)} labels ({len(which)} candidates)")
    print("wrong:", "; ".join(f"{emoji.items[which[i]]['label']} -> {emoji.items[which[d[k].argmin()]]['label']}" for k, i in enumerate(some) if rank[k] > 0))
else:
    prompts = [l.strip() for l in open(a.prompts) if l.strip()]
    start = time.time()
    pics = torch.cat([draw(prompts[k:k + 16], a.seed) for k in range(0, len(prompts), 16)])
    grid(u8(pics), a.out, zoom=2 if p.size < 128 else 1)
    print(f"{len(prompts)} images in {time.time() - start:.1f} s")

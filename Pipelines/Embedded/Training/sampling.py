"""Sampling from an exported folder, with the two supported schedulers, step by step as in diffusers 0.32.2."""
import json, os
import numpy as np
import torch
from models import load_folder
from tokenizer import EOT, Tokenizer


def tables(cfg, steps):
    """-> timesteps [n] and sigmas [n + 1] for trailing spacing and a last sigma of zero"""
    assert cfg["beta_schedule"] == "scaled_linear" and cfg["timestep_spacing"] == "trailing" and cfg["final_sigmas_type"] == "zero"
    n = cfg["num_train_timesteps"]
    betas = torch.linspace(cfg["beta_start"] ** 0.5, cfg["beta_end"] ** 0.5, n, dtype=torch.float32) ** 2
    ab = torch.cumprod(1.0 - betas, 0)
    t = np.round(np.arange(n, 0, -n / steps))[:steps] - 1
    sigmas = np.interp(t, np.arange(n), np.array(((1 - ab) / ab) ** 0.5))
    return t, torch.from_numpy(np.concatenate([sigmas, [0.0]]).astype(np.float32))


def run(call, noise, cfg, steps):
    """call(model_input, timestep) -> model output; noise: standard normal -> (final latents, list of latents after each step)"""
    t, sig = tables(cfg, steps)
    euler, v = cfg["_class_name"] == "EulerDiscreteScheduler", cfg["prediction_type"] == "v_prediction"
    x, before, trace = noise * sig[0] if euler else noise, None, []
    for k in range(steps):
        s, n = sig[k], sig[k + 1]
        if euler:
            o = call(x / (s * s + 1).sqrt(), t[k])
            x0 = o * (-s / (s * s + 1).sqrt()) + x / (s * s + 1) if v else x - s * o
            x = x + (x - x0) / s * (n - s)
        else:                                                 # DPMSolverMultistepScheduler: dpmsolver++, midpoint, order 2
            al = lambda q: 1 / (q * q + 1).sqrt()
            lam = lambda q: torch.log(al(q)) - torch.log(q * al(q))
            o = call(x, t[k])
            x0 = al(s) * x - s * al(s) * o if v else (x - s * al(s) * o) / al(s)
            h = lam(n) - lam(s)
            y = (n * al(n)) / (s * al(s)) * x - al(n) * (torch.exp(-h) - 1.0) * x0
            if before is not None and k < steps - 1:          # the first and the last step are of order 1
                r = (lam(s) - lam(sig[k - 1])) / h
                y = y - 0.5 * al(n) * (torch.exp(-h) - 1.0) * (x0 - before) / r
            x, before = y, x0
        trace.append(x)
    return x, trace


class Pipeline:
    """the exported folder in fp32 arithmetic"""
    def __init__(self, folder):
        self.m, self.cfg = load_folder(folder), json.load(open(os.path.join(folder, "scheduler/scheduler_config.json")))
        path = os.path.join(folder, "defaults.json")
        self.defaults = json.load(open(path)) if os.path.exists(path) else {}
        self.tok, self.tok2 = Tokenizer(folder + "/tokenizer"), Tokenizer(folder + "/tokenizer_2")
        self.f = self.m["unet"].cfg["sample_size"]
        self.size = self.f << (len(self.m["vae"].cfg["block_out_channels"]) - 1)

    def tokens(self, prompts):
        return [torch.from_numpy(t.encode(prompts, pad)) for t, pad in ((self.tok, EOT), (self.tok2, "!"))]

    def encode(self, prompts):
        """-> context [n,77,c], pooled [n,p]"""
        a, b = self.tokens(prompts)
        h2, pooled, _ = self.m["text_encoder_2"](b)
        return torch.cat([self.m["text_encoder"](a)[0], h2], -1), pooled

    def time_ids(self, n):
        return torch.tensor([[self.size, self.size, 0, 0, self.size, self.size]] * n).float()

    def noise(self, seeds):
        return torch.cat([torch.randn(1, 4, self.f, self.f, generator=torch.Generator().manual_seed(s)) for s in seeds])

    @torch.no_grad()
    def draw(self, prompts, noise, steps=None, guidance=None, negative=None, cfg=None):
        """-> final latents, images [n,3,h,w] in 0..1; negative None: zeroed embeddings, else a prompt"""
        steps, g = steps or self.defaults["num_inference_steps"], self.defaults["guidance_scale"] if guidance is None else guidance
        ctx, pooled = self.encode(prompts)
        nctx, npooled = (ctx * 0, pooled * 0) if negative is None else self.encode([negative] * len(prompts))
        ctx, pooled, ids = torch.cat([nctx, ctx]), torch.cat([npooled, pooled]), self.time_ids(2 * len(prompts))

        def call(x, t):
            u, c = self.m["unet"](torch.cat([x, x]), torch.full((len(ids),), float(t)), ctx, pooled, ids).chunk(2)
            return u + g * (c - u)
        z, _ = run(call, noise, cfg or self.cfg, steps)
        return z, self.decode(z)

    @torch.no_grad()
    def decode(self, z):
        vae = self.m["vae"]
        return (torch.cat([vae.decode(q / vae.cfg["scaling_factor"]) for q in z.split(16)]) / 2 + 0.5).clamp(0, 1)


def u8(pics):
    return (pics * 255).round().byte().permute(0, 2, 3, 1).numpy()

"""Train the AutoencoderKL and write OUT/vae: stage 1 (whole VAE), stage 2 (--decoder: only the decoder, on fixed latents).

Stage 1 ends by folding mean and spread of the latents into the two 1x1 convolutions, so that SDXL's own scaling factor
gives unit spread. Stage 2 does not change the latents, so it may run before or after the UNet's training.
The length is wall-clock time; running the same command again resumes from OUT/vae_resume.pt (or OUT/decoder_resume.pt).
"""
import argparse, json, math, os, time
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
import configs
from data import BACKGROUNDS, Emoji
from models import VAE, count, load_safetensors, save_safetensors

SCALING = 0.13025                                            # SDXL's scaling factor


def ssim(x, y):
    """mean structural similarity of images in -1..1"""
    f = lambda v: F.avg_pool2d(v, 7, 1)
    mx, my = f(x), f(y)
    vx, vy, c = f(x * x) - mx * mx, f(y * y) - my * my, f(x * y) - mx * my
    return (((2 * mx * my + 4e-4) * (2 * c + 3.6e-3)) / ((mx * mx + my * my + 4e-4) * (vx + vy + 3.6e-3))).mean()


def image_loss(x, y):
    """L1 and gradients on four scales (the coarse ones are for colours) + SSIM -> loss, L1"""
    total, d = 0.15 * (1 - ssim(x, y)), x - y
    first = d.abs().mean()
    for k in range(4):
        total = total + d.abs().mean() * (1 if k == 0 else 0.5)
        if k < 3:
            total = total + 0.5 * ((d[..., 1:] - d[..., :-1]).abs().mean() + (d[..., 1:, :] - d[..., :-1, :]).abs().mean())
        d = F.avg_pool2d(d, 2)
    return total, first


def psnr(x, y):
    return -10 * torch.log10(((x - y.clamp(-1, 1)) ** 2).mean((1, 2, 3)) / 4)


@torch.no_grad()
def fold(vae, emoji, weight, pal, n, dev):
    """zero mean and unit spread per channel, exactly: the convolutions around the latents are 1x1"""
    idx = emoji.train[torch.multinomial(weight, n, True)]
    rgb = torch.where(torch.rand(n, 1) < 0.5, torch.full((n, 3), 255.0), pal.cpu()[torch.randint(len(pal), (n,))]).to(dev)
    z = torch.cat([vae.encode(emoji.image(i, c))[0] for i, c in zip(idx.split(32), rgb.split(32))]).float()
    mu, sd = z.mean((0, 2, 3)), z.std((0, 2, 3))
    k, q, pq, c = 1 / (SCALING * sd), vae.quant_conv, vae.post_quant_conv, len(mu)
    q.bias[:c] = (q.bias[:c] - mu) * k
    q.weight[:c] *= k[:, None, None, None]
    q.bias[c:] += 2 * k.log()                                # log variance of the scaled latents
    pq.bias += pq.weight[:, :, 0, 0] @ mu
    pq.weight /= k[None, :, None, None]


@torch.no_grad()
def report(vae, emoji, pal, path, say):
    """PSNR on held-out images (white) and on known ones (colours); a sheet: images above reconstructions"""
    known = emoji.known.nonzero()[:, 0]
    x = torch.cat([emoji.image(emoji.val[:48], torch.full((48, 3), 255.0, device=pal.device)),
                   emoji.image(known[:: max(1, len(known) // 48)][:48], pal[torch.arange(48) % len(pal)])])
    m = torch.cat([vae.encode(v)[0] for v in x.split(16)])
    y, noisy = (torch.cat([vae.decode(v) for v in q.split(16)]) for q in (m, m + 0.1 / SCALING * torch.randn_like(m)))
    say(f"PSNR: held out on white {psnr(x[:48], y[:48]).mean():.2f}, known on colours {psnr(x[48:], y[48:]).mean():.2f} "
        f"(with latent noise 0.1: {psnr(x[48:], noisy[48:]).mean():.2f}); SSIM {ssim(x, y):.4f}; latent std {[round(v, 3) for v in (m * SCALING).std((0, 2, 3)).tolist()]}")
    sel, s = list(range(0, 8)) + list(range(48, 64)), x.shape[-1]
    u8 = lambda v: ((v[sel] + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()
    sheet = np.stack([u8(x), u8(y)]).reshape(2, 3, 8, s, s, 3).transpose(1, 0, 3, 2, 4, 5).reshape(6 * s, 8 * s, 3)
    Image.fromarray(sheet).save(path)


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--data", default="data.npz")
    ap.add_argument("--preset", default="h100", choices=configs.PRESETS)
    ap.add_argument("--out", default="model")
    ap.add_argument("--decoder", action="store_true", help="stage 2")
    ap.add_argument("--total", type=float, default=5, help="minutes of all runs together")
    ap.add_argument("--minutes", type=float, default=0, help="maximum minutes of this run")
    ap.add_argument("--batch", type=int, default=64)
    ap.add_argument("--lr", type=float, default=1e-3)
    ap.add_argument("--kl", type=float, default=3e-4, help="weight of the mean KL term")
    ap.add_argument("--noise", type=float, default=0.05, help="stage 2: noise on the unit-spread latents")
    ap.add_argument("--min-weight", type=float, default=0, help="smallest weight of known images; default: the preset's")
    ap.add_argument("--crop", type=int, default=0, help="stage 1: train on random crops of this size (saves time on a CPU)")
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--no-compile", action="store_true")
    a = ap.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(a.threads)
    cuda = torch.cuda.is_available()
    dev = "cuda" if cuda else "cpu"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.benchmark = True
    p = configs.PRESETS[a.preset]
    emoji = Emoji(a.data, p["size"], a.min_weight or p["min_weight"])
    emoji.rgba = emoji.rgba.to(dev)
    pal = torch.tensor(list(BACKGROUNDS.values())[:p["backgrounds"]], dtype=torch.float32, device=dev)
    weight = emoji.weight[emoji.train] * torch.where(emoji.known[emoji.train], 6.0, 0.0 if a.decoder and p["known"] else 1.0)
    vae = VAE(configs.vae(p, SCALING))
    folder = os.path.join(a.out, "vae")
    weights = os.path.join(folder, "diffusion_pytorch_model.safetensors")
    if a.decoder:
        vae.load_state_dict(load_safetensors(weights))
    else:
        for m in vae.modules():                              # residual branches start at zero, which speeds up the start of training
            if hasattr(m, "conv2"):
                torch.nn.init.zeros_(m.conv2.weight)
    vae = vae.to(dev).to(memory_format=torch.channels_last)
    log = open(os.path.join(a.out, "vae.log"), "a")

    def say(s):
        print(s, flush=True); print(s, file=log, flush=True)

    say(f"VAE {count(vae) / 1e6:.2f} M parameters, {int((weight > 0).sum())} images, {dev}, {'decoder' if a.decoder else 'whole'}")
    trained = list(vae.decoder.parameters()) + list(vae.post_quant_conv.parameters()) if a.decoder else list(vae.parameters())
    for q in vae.parameters():
        q.requires_grad_(False)
    for q in trained:
        q.requires_grad_(True)
    opt = torch.optim.AdamW(trained, lr=a.lr, betas=(0.9, 0.99), weight_decay=1e-4)
    ema = {k: v.detach().clone() for k, v in vae.state_dict().items()}
    step, elapsed = 0, 0.0
    resume = os.path.join(a.out, "decoder_resume.pt" if a.decoder else "vae_resume.pt")
    if os.path.exists(resume):
        s = torch.load(resume, map_location=dev)
        vae.load_state_dict(s["model"]); opt.load_state_dict(s["opt"]); ema, step, elapsed = s["ema"], s["step"], s["elapsed"]
        say(f"resumed at step {step} after {elapsed:.0f}s")
        if elapsed >= a.total * 60 and os.path.exists(weights):
            return say("already finished")

    def one_pass(x):
        with torch.no_grad() if a.decoder else torch.enable_grad():
            mean, logvar = vae.encode(x)
        spread = a.noise / SCALING if a.decoder else torch.exp(0.5 * logvar.float()).to(mean.dtype)
        return vae.decode(mean + spread * torch.randn_like(mean)), mean, logvar

    run = one_pass
    if cuda and hasattr(torch, "compile") and not a.no_compile:
        from torch import _dynamo
        _dynamo.config.suppress_errors = True                 # a failing compiler falls back to eager
        run = torch.compile(one_pass, dynamic=False)

    def batch(n):
        i = emoji.train[torch.multinomial(weight, n, True)].to(dev)
        rgb = torch.where(torch.rand(n, 1, device=dev) < 0.4, torch.full((n, 3), 255.0, device=dev),
                          torch.where(torch.rand(n, 1, device=dev) < 0.7, pal[torch.randint(len(pal), (n,), device=dev)], torch.rand(n, 3, device=dev) * 255))
        x = emoji.image(i, rgb)
        if not a.decoder and torch.rand(()) < 0.5:
            x = x.flip(3)
        if a.crop and not a.decoder:
            r, c = (int(torch.randint(p["size"] - a.crop + 1, ())) for _ in "rc")
            x = x[:, :, r:r + a.crop, c:c + a.crop]
        return x.contiguous(memory_format=torch.channels_last)

    def save():
        torch.save(dict(model=vae.state_dict(), opt=opt.state_dict(), ema=ema, step=step, elapsed=elapsed), resume + ".tmp")
        os.replace(resume + ".tmp", resume)

    last, first, begin, next_save = time.time(), step, elapsed, elapsed + 120
    limit = min(a.total * 60, elapsed + a.minutes * 60 if a.minutes else math.inf)
    while elapsed < limit:
        now = time.time(); elapsed += min(now - last, 30); last = now       # time in which the machine was suspended does not count
        lr = a.lr * min(1, (step + 1) / 200) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1, elapsed / (a.total * 60)))))
        for g in opt.param_groups:
            g["lr"] = lr
        x = batch(a.batch)
        with torch.autocast(dev, torch.bfloat16, enabled=cuda):
            y, mean, logvar = run(x)
        loss, l1 = image_loss(y.float(), x.float())
        kl = 0.5 * (mean.float() ** 2 + logvar.float().exp() - 1 - logvar.float()).mean()
        opt.zero_grad(set_to_none=True)
        (loss if a.decoder else loss + a.kl * kl).backward()
        norm = torch.nn.utils.clip_grad_norm_(trained, 1.0)
        opt.step()
        step += 1
        if step % 4 == 0:
            d = min(0.99, step / (step + 160))
            with torch.no_grad():
                for k, v in vae.state_dict().items():
                    ema[k].lerp_(v, 1 - d)
        if step % (100 if cuda else 50) == 0:
            say(f"{step} {elapsed:.0f}s loss {loss.item():.4f} l1 {l1.item():.4f} kl {kl.item():.2f} norm {norm.item():.2f} lr {lr:.1e} "
                f"{(step - first) * a.batch / (elapsed - begin + 1e-9):.1f} samples/s")
        if elapsed > next_save:
            next_save = elapsed + 120
            save()
    save()
    vae.load_state_dict(ema)
    vae.eval()
    if not a.decoder:
        fold(vae, emoji, weight, pal, 2048 if cuda else 256, dev)
        if os.path.exists(os.path.join(a.out, "cache.pt")):
            os.remove(os.path.join(a.out, "cache.pt"))      # latents of another VAE
    report(vae, emoji, pal, os.path.join(a.out, "vae.png"), say)
    os.makedirs(folder, exist_ok=True)
    json.dump(configs.vae(p, SCALING), open(os.path.join(folder, "config.json"), "w"), indent=2)
    save_safetensors({k: v.float() for k, v in vae.state_dict().items()}, weights)


if __name__ == "__main__":
    main()

"""Train the UNet and both text encoders together on frozen VAE latents (v-prediction).

The text encoders are first trained for a minute to distinguish images; this task keeps a small weight until the end.
The length is wall-clock time (--total minutes over all runs), so the cosine learning rate always ends at zero, however
fast the machine is. Running the same command again resumes from OUT/train_resume.pt.
"""
import argparse, json, math, os, random, time
import numpy as np
import torch
from PIL import Image
import configs
from data import Emoji, background, caption, compose, recolour
from models import VAE, CLIPText, UNet, count, load_safetensors, save_safetensors
from tokenizer import EOT, Tokenizer

PROMPTS = ["a red heart", "smiling cat", "pizza", "a green apple on a blue background", "star", "rocket", "a dog", "fire",
           "a blue heart", "a smiling face with sunglasses", "a yellow banana on a purple background", "a tree", "sun", "a crescent moon", "car", "house",
           "a red flower", "an octopus on a yellow background", "ghost", "a robot", "birthday cake", "a red heart on a black background", "penguin", "a purple apple"]
PARTS = {"unet": "diffusion_pytorch_model", "text_encoder": "model", "text_encoder_2": "model"}


class Net(torch.nn.Module):
    """the two text encoders and the UNet as one trainable module"""
    def __init__(self, p):
        super().__init__()
        self.text_encoder, self.text_encoder_2 = CLIPText(configs.clip(p, 0), False), CLIPText(configs.clip(p, 1), True)
        self.unet = UNet(configs.unet(p))
        for name, m in self.unet.named_modules():                    # residual branches start at zero
            if name.endswith(("conv2", "proj_out", "conv_out")):
                torch.nn.init.zeros_(m.weight); torch.nn.init.zeros_(m.bias)
        for t in (self.text_encoder, self.text_encoder_2):           # embeddings of words differ from the start
            torch.nn.init.normal_(t.text_model.embeddings.token_embedding.weight, std=0.3)
            torch.nn.init.normal_(t.text_model.embeddings.position_embedding.weight, std=0.1)

    def encode(self, ids1, ids2):
        a = self.text_encoder(ids1, need_pooled=False)[0]            # SDXL never uses the last layer of encoder 1
        b, pooled, _ = self.text_encoder_2(ids2)
        ctx = torch.cat([a, b], -1)
        return ctx, pooled

    def forward(self, x, t, ids1, ids2, keep, time_ids):
        """there may be fewer captions than images: caption k belongs to images k, k + n, k + 2n, ..."""
        ctx, pooled = self.encode(ids1, ids2)
        r = len(x) // len(ctx)
        return self.unet(x, t, (ctx * keep[:, None, None]).repeat(r, 1, 1), (pooled * keep[:, None]).repeat(r, 1), time_ids), pooled


class Heads(torch.nn.Module):
    """auxiliary heads that predict the image and its coarse latents from the pooled text; without them the words are learnt slowly"""
    def __init__(self, p, images):
        super().__init__()
        self.f = p["size"] >> len(p["vae"])
        self.which, self.coarse = torch.nn.Linear(p["proj"], images), torch.nn.Linear(p["proj"], 4 * self.f * self.f)

    def forward(self, pooled, i, x0):
        want = torch.nn.functional.adaptive_avg_pool2d(x0, self.f).flatten(1)
        return torch.nn.functional.cross_entropy(self.which(pooled), i) + ((self.coarse(pooled) - want) ** 2).mean()


def alphas():
    """cumulative product of the scaled-linear schedule"""
    s = configs.SCHEDULE
    return torch.cumprod(1 - torch.linspace(s["beta_start"] ** 0.5, s["beta_end"] ** 0.5, s["num_train_timesteps"], dtype=torch.float64) ** 2, 0)


@torch.no_grad()
def sample(net, vae, tok, prompts, p, steps=20, cfg=4.0, seed=0, dev="cpu"):
    """DDIM (eta 0, trailing spacing) with classifier-free guidance -> u8 images"""
    f = p["size"] >> (len(p["vae"]) - 1)
    ids = [torch.from_numpy(tok.encode(prompts, pad)).to(dev) for pad in (EOT, "!")]
    ctx, pooled = net.encode(*ids)
    ctx, pooled = torch.cat([torch.zeros_like(ctx), ctx]), torch.cat([torch.zeros_like(pooled), pooled])
    tid = torch.tensor([[p["size"], p["size"], 0, 0, p["size"], p["size"]]], device=dev).repeat(2 * len(prompts), 1)
    ab = alphas().float().to(dev)
    x = torch.cat([torch.randn(1, 4, f, f, generator=torch.Generator().manual_seed(seed + i)) for i in range(len(prompts))]).to(dev)
    ts = [int(round(1000 - i * 1000 / steps)) - 1 for i in range(steps)]
    for t, n in zip(ts, ts[1:] + [-1]):
        a, b = ab[t], ab[n] if n >= 0 else torch.tensor(1.0, device=dev)
        u, c = net.unet(torch.cat([x, x]), torch.full((2 * len(x),), t, device=dev), ctx, pooled, tid).float().chunk(2)
        v = u + cfg * (c - u)
        x0, eps = a.sqrt() * x - (1 - a).sqrt() * v, a.sqrt() * v + (1 - a).sqrt() * x
        x = b.sqrt() * x0 + (1 - b).sqrt() * eps
    y = torch.cat([vae.decode(v / vae.cfg["scaling_factor"]) for v in x.split(16)])
    return ((y.float() + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()


def grid(pics, path, cols=8, zoom=1):
    pics = np.concatenate([pics, np.full((-len(pics) % cols, *pics.shape[1:]), 255, np.uint8)])
    n, s = len(pics) // cols, pics.shape[1]
    im = Image.fromarray(pics.reshape(n, cols, s, s, 3).transpose(0, 2, 1, 3, 4).reshape(n * s, cols * s, 3))
    im.resize((im.width * zoom, im.height * zoom), Image.LANCZOS).save(path)


@torch.no_grad()
def build_cache(emoji, which, vae, tok, p, a, dev, amp, seed, variants, test=False):
    """-> latents [n,V,4,f,f] (unit spread), token ids [n,V,M,77] (padded with <|endoftext|>)"""
    rng, lat, ids = random.Random(seed), [], []
    for v in range(variants):
        rgb, texts, rgba = [], [], []
        for i in which.tolist():
            name, c, said = background(rng, i, plain=0 if test else 1 if v == 0 else 0.6, count=p["backgrounds"], test=test)
            colour, pic = recolour(emoji, i, rng) if v and rng.random() < a.recolour else (None, emoji.rgba[i])
            rgb.append(c); rgba.append(pic)
            texts += [caption(emoji.subject(i, rng, colour), name, said, rng) for _ in range(a.captions)]
        z = []
        for q, c in zip(torch.stack(rgba).split(128), torch.tensor(rgb, dtype=torch.float32).split(128)):
            x = compose(q.to(dev), c.to(dev))
            with torch.autocast(dev, torch.bfloat16, enabled=amp):
                z.append((vae.encode(x)[0].float() * vae.cfg["scaling_factor"]).to(torch.bfloat16 if amp else torch.float32))
        lat.append(torch.cat(z))
        ids.append(torch.from_numpy(tok.encode(texts, EOT).astype(np.int16)).view(len(which), a.captions, -1))
    return torch.stack(lat, 1), torch.stack(ids, 1).to(dev)


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--data", default="data.npz")
    ap.add_argument("--preset", default="h100", choices=configs.PRESETS)
    ap.add_argument("--out", default="model", help="folder with vae/, tokenizer/, tokenizer_2/; the rest is written to it")
    ap.add_argument("--total", type=float, default=12, help="minutes of all runs together")
    ap.add_argument("--minutes", type=float, default=0, help="maximum minutes of this run")
    ap.add_argument("--batch", type=int, default=512)
    ap.add_argument("--share", type=int, default=1, help="images (with different noise) per caption in a batch")
    ap.add_argument("--lr", type=float, default=8e-4)
    ap.add_argument("--variants", type=int, default=16, help="backgrounds/recolourings per image")
    ap.add_argument("--captions", type=int, default=4, help="captions per variant")
    ap.add_argument("--recolour", type=float, default=0.2)
    ap.add_argument("--min-weight", type=float, default=0, help="smallest weight of known images; default: the preset's")
    ap.add_argument("--aux", type=float, default=0.05, help="weight of the text heads' loss")
    ap.add_argument("--text-steps", type=int, default=200, help="steps of only the text encoders, before the UNet's first step (or now, with --text-now)")
    ap.add_argument("--text-now", action="store_true")
    ap.add_argument("--ema", type=float, default=0.9995)
    ap.add_argument("--threads", type=int, default=2, help="threads of each worker")
    ap.add_argument("--workers", type=int, default=1, help="processes that share every batch (on a CPU, one thread each is faster than two threads)")
    ap.add_argument("--no-compile", action="store_true")
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--grid-minutes", type=float, default=3)
    a = ap.parse_args()
    if a.workers > 1:
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(20000 + os.getpid() % 20000), GLOO_SOCKET_IFNAME="lo")
        torch.multiprocessing.spawn(train, (a,), a.workers)
    else:
        train(0, a)


def train(rank, a):
    begin = time.time()
    if a.workers > 1:
        torch.distributed.init_process_group("gloo", rank=rank, world_size=a.workers)
    torch.manual_seed(a.seed); random.seed(a.seed)
    torch.set_num_threads(a.threads)
    cuda = torch.cuda.is_available()
    dev = "cuda" if cuda else "cpu"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.benchmark = True
    p = configs.PRESETS[a.preset]
    tok = Tokenizer(os.path.join(a.out, "tokenizer"))
    vae = VAE(json.load(open(os.path.join(a.out, "vae/config.json"))))
    vae.load_state_dict(load_safetensors(os.path.join(a.out, "vae/diffusion_pytorch_model.safetensors")))
    vae = vae.to(dev).eval()
    emoji = Emoji(a.data, p["size"], a.min_weight or p["min_weight"])
    which = emoji.train[emoji.known[emoji.train]] if p["known"] else emoji.train
    cache, key = os.path.join(a.out, "cache.pt"), [a.variants, a.captions, len(which), a.recolour, a.seed, len(tok.vocab)]
    c = torch.load(cache, map_location=dev) if os.path.exists(cache) else {}
    if c.get("key") != key and rank == 0:
        lat, ids = build_cache(emoji, which, vae, tok, p, a, dev, cuda, a.seed, a.variants)
        vlat, vids = build_cache(emoji, which[::max(1, len(which) // 96)], vae, tok, p, a, dev, cuda, 99, 1, test=True)
        c = dict(key=key, lat=lat, ids=ids, vlat=vlat, vids=vids)
        torch.save(c, cache)
    if a.workers > 1:
        torch.distributed.barrier()
        c = torch.load(cache)
    lat, ids, vlat, vids = c["lat"], c["ids"], c["vlat"], c["vids"]
    weight = emoji.weight[which].to(dev)
    net = Net(p).to(dev).to(memory_format=torch.channels_last)
    print(f"{len(which)} images, cache {tuple(lat.shape)}, mean {lat.float().mean():.3f} std {lat.float().std():.3f}, {time.time() - begin:.0f}s",
          {k: f"{count(getattr(net, k)) / 1e6:.2f} M" for k in PARTS}, flush=True)
    opt = torch.optim.AdamW(net.parameters(), lr=a.lr, betas=(0.9, 0.99), weight_decay=0.01, **({"fused": True} if cuda else {}))
    heads = Heads(p, len(which)).to(dev)
    opt_heads = torch.optim.AdamW(heads.parameters(), lr=2e-3)
    step, elapsed, ema = 0, 0.0, [q.detach().clone() for q in net.parameters()]
    resume = os.path.join(a.out, "train_resume.pt")
    if os.path.exists(resume):
        s = torch.load(resume, map_location=dev)
        net.load_state_dict(s["model"]); opt.load_state_dict(s["opt"])
        ema, step, elapsed = [e.to(dev) for e in s["ema"]], s["step"], s["elapsed"]
        if "heads" in s:
            heads.load_state_dict(s["heads"])
        print("resumed at step", step, "after", f"{elapsed:.0f}s", flush=True)
    run = net
    if cuda and hasattr(torch, "compile") and not a.no_compile:
        from torch import _dynamo
        _dynamo.config.suppress_errors = True                         # a failing compiler falls back to eager
        run = torch.compile(net, dynamic=False)
    ab, size = alphas().float().to(dev), p["size"]
    pad1, pad2, sot = tok.vocab[EOT], tok.vocab["!"], tok.vocab["<|startoftext|>"]
    empty = torch.full((77,), pad1, device=dev); empty[0] = sot
    log = open(os.path.join(a.out, "train.log"), "a")

    def say(s):
        if rank:
            return
        print(s, flush=True); print(s, file=log, flush=True)

    def pads2(ids1):
        """the same ids padded with '!' (0) after the first <|endoftext|>, as tokenizer_2 does"""
        eot = ids1 == pad1
        return torch.where(eot & (eot.cumsum(-1) > 1), torch.full_like(ids1, pad2), ids1)

    def loss_on(fn, x0, cap, t, noise, keep, tid):
        al = ab[t][:, None, None, None]
        xt = (al.sqrt() * x0 + (1 - al).sqrt() * noise).contiguous(memory_format=torch.channels_last)
        with torch.autocast(dev, torch.bfloat16, enabled=cuda):
            o, pooled = fn(xt, t, cap, pads2(cap), keep, tid)
        return ((o.float() - (al.sqrt() * noise - (1 - al).sqrt() * x0)) ** 2).mean((1, 2, 3)), pooled.float()

    def swap():
        """exchange weights and EMA weights"""
        with torch.no_grad():
            for q, e in zip(net.parameters(), ema):
                tmp = q.data.clone(); q.data.copy_(e); e.copy_(tmp)

    def save():
        torch.save(dict(model=net.state_dict(), heads=heads.state_dict(), opt=opt.state_dict(), ema=ema, step=step, elapsed=elapsed), resume + ".tmp")
        os.replace(resume + ".tmp", resume)

    def evaluate():
        """EMA weights: loss on held-out compositions, a sheet of images, and the folders that export.py reads"""
        swap()
        n, g = len(vlat), torch.Generator().manual_seed(1)
        t = (torch.arange(n) * 1000 // n).to(dev)
        noise = torch.randn(vlat[:, 0].shape, generator=g).to(dev)
        tid = torch.tensor([[size, size, 0, 0, size, size]], device=dev).repeat(n, 1)
        with torch.no_grad():
            l = torch.cat([loss_on(net, *v)[0] for v in zip(*(q.split(32) for q in (vlat[:, 0].float(), vids[:, 0, 0].long(), t, noise, torch.ones(n, device=dev), tid)))])
        say(f"  step {step} held-out loss {l.mean():.4f} (low noise {l[:n // 3].mean():.4f}, mid {l[n // 3:-n // 3].mean():.4f}, high {l[-n // 3:].mean():.4f})")
        grid(sample(net, vae, tok, PROMPTS, p, dev=dev), os.path.join(a.out, f"grid_{step:06d}.png"), zoom=2)
        for k, file in PARTS.items():
            d = os.path.join(a.out, k)
            os.makedirs(d, exist_ok=True)
            save_safetensors({n: v.float() for n, v in getattr(net, k).state_dict().items()}, f"{d}/{file}.safetensors")
            json.dump(configs.unet(p) if k == "unet" else configs.clip(p, k.endswith("2")), open(d + "/config.json", "w"), indent=2)
        json.dump(dict(prediction="v_prediction", step=step, minutes=round(elapsed / 60, 1), preset=a.preset, batch=a.batch, pictures=len(which)),
                  open(os.path.join(a.out, "train.json"), "w"))
        swap()

    torch.manual_seed(a.seed + 1000 * rank + step)
    def learn_words():
        """only the text encoders, with the heads"""
        texts = [q for k in ("text_encoder", "text_encoder_2") for q in getattr(net, k).parameters()]
        o = torch.optim.AdamW(texts + list(heads.parameters()), lr=1e-3, betas=(0.9, 0.99))
        for k in range(a.text_steps):
            for g in o.param_groups:
                g["lr"] = 4e-3 * min(1, (k + 1) / 20) * (1 - 0.9 * k / a.text_steps)
            n = 1024 if cuda else 128
            i, v = torch.multinomial(weight.sqrt(), n, True), torch.randint(lat.shape[1], (n,), device=dev)
            cap = ids[i, v, torch.randint(ids.shape[2], (n,), device=dev)].long()
            loss = heads(net.encode(cap, pads2(cap))[1], i, lat[i, v].float())
            o.zero_grad(set_to_none=True)
            loss.backward()
            o.step()
            if (k + 1) % 50 == 0:
                say(f"words {k + 1} loss {loss.item():.4f} {time.time() - begin:.0f}s")

    if a.text_steps and (step == 0 or a.text_now):
        if rank == 0:
            torch.set_num_threads(a.threads * a.workers)
            learn_words()
            torch.set_num_threads(a.threads)
            with torch.no_grad():                            # the averaged weights also get the new text encoders
                for (name, q), e in zip(net.named_parameters(), ema):
                    if name.startswith("text"):
                        e.copy_(q)
        if a.workers > 1:
            for q in list(net.parameters()) + list(heads.parameters()):
                torch.distributed.broadcast(q.data, 0)
    V, M, b = lat.shape[1], ids.shape[2], a.batch // a.workers
    nc = b // a.share
    last = t0 = time.time()
    steps0, run_loss, next_grid, next_save = step, [], elapsed + a.grid_minutes * 60, elapsed + 180
    limit = elapsed + a.minutes * 60 if a.minutes else math.inf
    while elapsed < min(limit, a.total * 60):
        lr = a.lr * min(1.0, (step + 1) / 200) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, elapsed / (a.total * 60)))))
        for g in opt.param_groups:
            g["lr"] = lr
        now = time.time(); elapsed += min(now - last, 30); last = now       # time in which the machine was suspended does not count
        i, v = torch.multinomial(weight, nc, True), torch.randint(V, (nc,), device=dev)
        x0, cap = lat[i, v].float().repeat(a.share, 1, 1, 1), ids[i, v, torch.randint(M, (nc,), device=dev)].long()
        u = torch.rand(nc, device=dev)
        cap = torch.where((u < 0.05)[:, None], empty, cap)                  # 5 % "" and 5 % zeroed conditioning
        keep = ((u < 0.05) | (u > 0.10)).float()
        t = ((torch.randperm(b, device=dev) + torch.rand(b, device=dev)) / b * 1000).long().clamp(max=999)   # stratified
        tid = torch.full((b, 6), float(size), device=dev); tid[:, 2:4] = 0
        odd = torch.rand(b, device=dev) < 0.1                                # do not depend on the size numbers
        tid[odd] = torch.cat([torch.randint(64, 1025, (b, 2), device=dev), torch.zeros(b, 2, device=dev), torch.randint(64, 1025, (b, 2), device=dev)], 1).float()[odd]
        loss, pooled = loss_on(run, x0, cap, t, torch.randn_like(x0), keep, tid)
        loss, said = loss.mean(), u >= 0.05
        hint = heads(pooled[said], i[said], x0[:nc][said])
        opt.zero_grad(set_to_none=True); opt_heads.zero_grad(set_to_none=True)
        (loss + a.aux * hint).backward()
        if a.workers > 1:                                    # mean gradient; the first worker's clock decides
            live = [q for m in (net, heads) for q in m.parameters() if q.grad is not None]
            flat = torch.cat([q.grad.flatten() for q in live] + [torch.tensor([0.0 if rank else elapsed])])
            torch.distributed.all_reduce(flat)
            elapsed = flat[-1].item()
            for q, g in zip(live, (flat[:-1] / a.workers).split([q.numel() for q in live])):
                q.grad.copy_(g.view_as(q.grad))
        norm = torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step(); opt_heads.step()
        step += 1
        if rank:
            continue
        with torch.no_grad():
            d = min(a.ema, (step + 1) / (step + 20))
            torch._foreach_mul_(ema, d)
            torch._foreach_add_(ema, [q.detach() for q in net.parameters()], alpha=1 - d)
        run_loss.append(loss.detach())
        if step % (100 if cuda else 25) == 0:
            l = torch.stack(run_loss).mean().item(); run_loss = []
            say(f"{step} {elapsed:.0f}s loss {l:.4f} hint {hint.item():.3f} norm {norm.item():.2f} lr {lr:.1e} {(step - steps0) * a.batch / (time.time() - t0):.0f} samples/s")
            if not math.isfinite(l):
                raise SystemExit("loss is not finite; the last checkpoint is intact")
        if elapsed > next_save:
            next_save = elapsed + 180; save()
        if elapsed > next_grid:
            next_grid = elapsed + a.grid_minutes * 60
            evaluate()
    if rank:
        return
    say(f"end of this run: {step} steps, {step * a.batch} samples = {step * a.batch / len(which):.0f} per image, {elapsed / 60:.1f} minutes")
    save(); evaluate()


if __name__ == "__main__":
    main()

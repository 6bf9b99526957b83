"""Reads data.npz: images on plain backgrounds, and their captions."""
import io, json, os, random
import numpy as np
import torch
from PIL import Image

BACKGROUNDS = {"white": (255, 255, 255), "black": (16, 16, 18), "gray": (150, 152, 156), "red": (224, 52, 48),
               "orange": (248, 146, 40), "yellow": (252, 218, 66), "green": (62, 176, 84), "blue": (44, 110, 230),
               "light blue": (160, 212, 250), "purple": (130, 70, 200), "pink": (250, 160, 196), "brown": (122, 78, 48),
               "light green": (178, 230, 170), "dark green": (20, 86, 50), "dark blue": (22, 36, 96), "teal": (24, 160, 160),
               "lavender": (208, 192, 244), "beige": (238, 222, 194)}
COLOURS = {"red": 0, "orange": 28, "yellow": 52, "green": 120, "blue": 220, "purple": 275, "pink": 325}   # hue in degrees
FORMS = ("{} on a {} background", "{} on a {} background", "{} on a {} background", "{} with a {} background", "{}, {} background", "{} on {}")
article = lambda s: s if s.startswith("the ") or (s.endswith("s") and not s.endswith("ss")) else ("an " if s[0] in "aeiou" else "a ") + s


def subjects(labels, path=os.path.join(os.path.dirname(os.path.abspath(__file__)), "subjects.txt")):
    """subjects.txt -> {label: (weight, names)}; labels: all existing labels (some contain ': ')"""
    out = {}
    for line in open(path, encoding="utf-8"):
        if line.strip() and line[0] != "#":
            weight, rest = line.strip().split(" ", 1)
            label = max((l for l in labels if rest == l or rest.startswith(l + ": ")), key=len)
            names = [n for n in rest[len(label) + 2:].split(", ") if n]
            out[label] = (float(weight), [label.replace(":", "")] + names)
    return out


def compose(rgba, rgb):
    """u8 [n,4,s,s] over plain colours [n,3] in 0..255 -> [n,3,s,s] in -1..1"""
    p = rgba.float() / 255
    return (p[:, :3] * p[:, 3:] + rgb[:, :, None, None].to(p) / 255 * (1 - p[:, 3:])) * 2 - 1


class Emoji:
    """The images at one size. train/val: indices; known: those in subjects.txt with at least min_weight;
    weight: relative frequency of an image in training."""
    def __init__(self, path, size=128, min_weight=1):
        d = np.load(path)
        self.items, off, blob = json.loads(bytes(d["items"])), d["off"], d["blob"]
        im = [Image.open(io.BytesIO(blob[a:b].tobytes())).convert("RGBA") for a, b in zip(off, off[1:])]
        if im[0].width != size:
            im = [i.convert("RGBa").resize((size, size), Image.BOX).convert("RGBA") for i in im]
        self.rgba = torch.from_numpy(np.stack([np.asarray(i) for i in im])).permute(0, 3, 1, 2).contiguous()  # u8
        known = subjects({t["label"] for t in self.items})
        for t in self.items:
            w, t["names"] = known.get(t["label"], (0, []))
            base, _, tone = t["label"].partition(": ")
            t["known"] = w >= min_weight
            t["weight"] = max(t["weight"], w)
            if t["tone"] and tone.endswith("skin tone") and known.get(base, (0, []))[0] >= min_weight:    # skin tones of a known person or hand
                t["known"], t["weight"] = True, 0.2 * known[base][0]
                t["names"] = [form.format(n, tone[:-10]) for n in known[base][1] for form in ("{0} with {1} skin", "{0} with {1} skin tone", "{1} skin {0}")]
        self.weight = torch.tensor([float(t["weight"]) for t in self.items])
        self.known = torch.tensor([t["known"] for t in self.items])
        val = torch.tensor([t["val"] for t in self.items])
        self.train, self.val = (~val).nonzero()[:, 0], val.nonzero()[:, 0]

    def image(self, idx, rgb):
        return compose(self.rgba[idx.to(self.rgba.device)], rgb)

    def subject(self, i, rng, colour=None):
        """a phrase for the image; with colour: for the image recoloured"""
        t = self.items[i]
        names = t["names"] or [t["label"].replace(":", "")]
        if colour:
            s = colour + " " + " ".join(x for x in rng.choice(names).split() if x not in COLOURS)
        elif not t["names"] or rng.random() < 0.08:
            return rng.choice(t["extra"] if t["extra"] and rng.random() < 0.12 else t["phrases"])
        else:
            s = rng.choice(names)
            if t["colors"] and t["colors"][0] not in s and "flag" not in s and rng.random() < 0.08:
                s = t["colors"][0] + " " + s
        r = rng.random()
        return s if r < 0.3 else article(s) if r < 0.88 else article(s) + " emoji" if r < 0.94 else "3d emoji of " + article(s)


def held_out(i, name):
    """compositions held out of training: one coloured background in sixteen of every image"""
    return name != "white" and (7 * i + list(BACKGROUNDS).index(name)) % 16 == 0


def background(rng, i, plain=0.6, count=len(BACKGROUNDS), test=False):
    """-> (name, rgb with a little jitter, in the caption?): captions mostly omit white; test: a held-out composition if there is one"""
    names = [b for b in list(BACKGROUNDS)[1:count] if held_out(i, b) == test]
    if not names or rng.random() < plain:
        return "white", (255, 255, 255), rng.random() < 0.15
    name = rng.choice(names)
    return name, tuple(min(255, max(0, c + rng.randint(-6, 6))) for c in BACKGROUNDS[name]), True


def caption(subject, name, said, rng):
    return rng.choice(FORMS).format(subject, name) if said else subject


def recolour(emoji, i, rng):
    """-> (colour word or None, u8 RGBA image [4,s,s] with its hues shifted to that colour)"""
    t, pic = emoji.items[i], emoji.rgba[i].cpu()
    if t.get("hue") is None:
        return None, pic
    colour = rng.choice([c for c in COLOURS if c not in t["colors"] and c not in t["label"]])
    hsv = np.asarray(Image.fromarray(pic[:3].permute(1, 2, 0).numpy()).convert("HSV")).copy()
    hsv[..., 0] += np.uint8(round((COLOURS[colour] - t["hue"]) * 255 / 360) % 256)          # wraps around
    rgb = np.asarray(Image.fromarray(hsv, "HSV").convert("RGB"))
    return colour, torch.cat([torch.from_numpy(rgb.copy()).permute(2, 0, 1), pic[3:]])

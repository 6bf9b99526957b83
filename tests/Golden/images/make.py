"""Makes the pictures of this folder and cases.json with Pillow and diffusers' VaeImageProcessor.

Made with Pillow 9.4.0 (libjpeg-turbo 2.1.5, libwebp 1.2.4), numpy 1.24.2 and image_processor.py of diffusers 0.32.2.
    python3 make.py FOLDER
"""
import json
import math
import os
import random
import struct
import sys

from diffusers.image_processor import VaeImageProcessor
from PIL import Image, ImageOps

folder = sys.argv[1]
processor = VaeImageProcessor(vae_scale_factor=8)
cases = []


def save(image, name):
    image.save(os.path.join(folder, name), optimize=True)


def result(image, operation, name, **arguments):
    save(image, name)
    cases.append({"operation": operation, "expected": name, **arguments})


def picture(width, height, seed):
    """Waves, an edge and noise, so that filters overshoot in both directions."""
    draw = random.Random(seed)
    pixels = []
    for y in range(height):
        for x in range(width):
            edge = 90 if (x // 7 + y // 5) % 2 else 0
            pixels.append(tuple(max(0, min(255, int(
                80 + edge + 60 * math.sin(x * 0.31 + channel) + 40 * math.cos(y * 0.23 - channel) + draw.randint(-20, 20))))
                for channel in range(3)))
    image = Image.new("RGB", (width, height))
    image.putdata(pixels)
    return image


def mask(width, height, left, top, right, bottom):
    """Grey inside a rectangle, brighter to the right, with a little colour."""
    image = Image.new("RGB", (width, height))
    for y in range(top, bottom):
        for x in range(left, right):
            level = 40 + 215 * (x - left + 1) // (right - left)
            image.putpixel((x, y), (level, min(255, level + 9), max(0, level - 20)))
    return image


source = picture(61, 43, 1)
save(source, "source.png")
for width, height in ((61, 20), (24, 43), (64, 48), (8, 8), (120, 90), (3, 100), (61, 43)):
    result(processor.resize(source, height, width), "resize", f"resize-{width}x{height}.png", mode="Default", width=width, height=height)
for mode in ("fill", "crop"):
    for width, height in ((48, 48), (64, 24), (33, 80), (61, 43), (57, 48)):
        image = processor.resize(source, height, width, resize_mode=mode)
        result(image, "resize", f"{mode}-{width}x{height}.png", mode=mode.title(), width=width, height=height)

masks = {"mask.png": mask(61, 43, 20, 9, 34, 30), "mask-corner.png": mask(61, 43, 52, 30, 61, 43), "mask-wide.png": mask(61, 43, 2, 20, 60, 24)}
for name, image in masks.items():
    save(image, name)
    gray = processor.convert_to_grayscale(image)
    result(gray, "luma", name.replace("mask", "luma"), mask=name)
    for width, height, padding in ((64, 64, 0), (64, 64, 5), (128, 32, 3), (24, 96, 32), (61, 43, 200)):
        region = processor.get_crop_region(image, width, height, padding)
        cases.append({"operation": "region", "mask": name, "width": width, "height": height, "padding": padding, "region": list(region)})
result(processor.convert_to_grayscale(source), "luma", "luma-source.png", mask="source.png")
for radius in (0, 0.3, 1, 2.5, 4, 33):
    result(processor.blur(masks["mask.png"], radius), "blur", f"blur-{radius}.png", radius=radius)

painted = picture(61, 43, 2)
save(painted, "painted.png")
result(processor.apply_overlay(masks["mask.png"], source, painted), "overlay", "overlay.png")
part = picture(40, 40, 3)
save(part, "part.png")
for name in ("mask.png", "mask-corner.png"):
    region = processor.get_crop_region(masks[name], 64, 64, 4)
    image = processor.apply_overlay(masks[name], source, part, region)
    result(image, "overlay", name.replace("mask", "overlay-part"), mask=name, region=list(region))

# Files of all modes and formats; expected is what diffusers' load_image gives.
small = picture(24, 17, 4)
alpha = small.convert("L").resize((24, 17))
with_alpha = small.copy()
with_alpha.putalpha(alpha)


def exif(orientation=None, comment=None):
    """A big-endian block, as piexif writes it."""
    head, data = [], b""
    if orientation:
        head.append(struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0))
    if comment is not None:
        after = 8 + 2 + 12 * (len(head) + 1) + 4
        head.append(struct.pack(">HHII", 0x8769, 4, 1, after))
        text = b"UNICODE\0" + comment.encode("utf_16_be")
        data = struct.pack(">H", 1) + struct.pack(">HHII", 0x9286, 7, len(text), after + 18) + struct.pack(">I", 0) + text
    return b"Exif\0\0" + b"MM\0*" + struct.pack(">IH", 8, len(head)) + b"".join(head) + struct.pack(">I", 0) + data


def file(image, name, tolerance=0, **options):
    image.save(os.path.join(folder, name), **options)
    loaded = ImageOps.exif_transpose(Image.open(os.path.join(folder, name))).convert("RGB")
    expected = "file-" + name.replace(".", "-") + ".png"
    save(loaded, expected)
    cases.append({"operation": "file", "file": name, "expected": expected, "tolerance": tolerance})


file(small.convert("L"), "grey.png")
file(small.convert("1"), "bits.png")
file(with_alpha.convert("LA"), "grey-alpha.png")
file(with_alpha, "alpha.png")
file(small.quantize(12), "palette.png")
file(small.quantize(12), "palette-transparent.png", transparency=3)
file(small, "turned.png", exif=exif(6))
file(small, "plain.jpg", tolerance=40, quality=92)
file(small, "full-chroma.jpg", tolerance=3, quality=92, subsampling=0)
file(small, "progressive.jpg", tolerance=3, quality=92, subsampling=0, progressive=True)
file(small.convert("L"), "grey.jpg", tolerance=2, quality=92)
file(small.convert("CMYK"), "cmyk.jpg", tolerance=4, quality=92, subsampling=0)
for orientation in range(1, 9):
    file(small, f"turned-{orientation}.jpg", tolerance=3, quality=92, subsampling=0, exif=exif(orientation))
file(small, "lossless.webp", lossless=True)
file(with_alpha, "lossless-alpha.webp", lossless=True, exact=True)
file(small, "lossy.webp", quality=90)
file(with_alpha, "lossy-alpha.webp", quality=90)
file(small, "turned.webp", lossless=True, exif=exif(8)[6:])

text = "a \u00df, \u00dc and \u65e5\u672c \U0001f680\nNegative prompt: \u00d8\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 1, Size: 24x17"
small.save(os.path.join(folder, "parameters.jpg"), quality=80, exif=exif(comment=text))
small.save(os.path.join(folder, "parameters.webp"), quality=80, exif=exif(comment=text)[6:])
cases.append({"operation": "text", "file": "parameters.jpg", "text": text})
cases.append({"operation": "text", "file": "parameters.webp", "text": text})
small.save(os.path.join(folder, "animated.webp"), save_all=True, append_images=[part.resize((24, 17))], duration=100)

with open(os.path.join(folder, "cases.json"), "w", encoding="utf-8") as out:
    out.write("[\n" + ",\n".join("  " + json.dumps(case) for case in cases) + "\n]\n")

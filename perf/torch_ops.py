"""Times the cases of ILGpuDiffusion.Compute.Perf with PyTorch on the same GPU: python3 torch_ops.py MatMul.json Conv2D.json Attention.json

Each file gets a table beside it (FILE.torch.md): milliseconds of both, and PyTorch's time over ours, above 1 where we are faster. bfloat16; operands repeat, as ours do.
"""

import json
import math
import re
import statistics
import sys

import torch
import torch.nn.functional as F

ROUNDS, SECONDS = 5, 0.02


def random(*shape):
    return torch.randn(shape, device="cuda", dtype=torch.bfloat16)


def gemm(rows, depth, columns):
    x, w, b = random(rows, depth), random(columns, depth), random(columns)
    return lambda: F.linear(x, w, b)


def convolution(inputs, outputs, height, width, kernel=3, stride=1):
    x = random(1, inputs, height, width).contiguous(memory_format=torch.channels_last)
    w, b = random(outputs, inputs, kernel, kernel).contiguous(memory_format=torch.channels_last), random(outputs)
    return lambda: F.conv2d(x, w, b, stride, (kernel - 1) // 2)


def attention(heads, depth, queries, keys):
    q, k, v = random(1, heads, queries, depth), random(1, heads, keys, depth), random(1, heads, keys, depth)
    return lambda: F.scaled_dot_product_attention(q, k, v)


FORMS = [
    (re.compile(r"(\d+)x(\d+)-(\d+)\b"), gemm),
    (re.compile(r"(\d+)-(\d+)@(\d+)x(\d+)(?:,k(\d+))?(?:,s(\d+))?"), convolution),
    (re.compile(r"(\d+)x(\d+)@(\d+)x(\d+)"), attention),
]


def work(case):
    for form, make in FORMS:
        if match := form.match(case):
            numbers = [int(n) if n else None for n in match.groups()]
            if make is convolution:
                numbers[4:] = [numbers[4] or 3, numbers[5] or 1]
            return make(*numbers)
    raise SystemExit(f"{case} has no counterpart in PyTorch here.")


def milliseconds(run):
    def time(repeats):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        for _ in range(repeats):
            run()
        end.record()
        end.synchronize()
        return begin.elapsed_time(end) / repeats

    time(3)
    repeats = max(1, math.ceil(SECONDS * 1e3 / max(time(1), 1e-3)))
    return statistics.median(time(repeats) for _ in range(ROUNDS))


def main():
    torch.backends.cudnn.benchmark = True
    for file in sys.argv[1:]:
        with open(file, encoding="utf-8") as source:
            result = json.load(source)
        best = {}
        for timing in result["timings"]:
            if timing["case"] not in best or timing["median_milliseconds"] < best[timing["case"]]["median_milliseconds"]:
                best[timing["case"]] = timing
        lines = [f"PyTorch {torch.__version__}, {torch.cuda.get_device_name()}, commit {result['machine']['commit']}", "",
                 "| case | variant | ours ms | PyTorch ms | ratio |", "| --- | --- | ---: | ---: | ---: |"]
        ratios = []
        with torch.inference_mode():
            for case, timing in best.items():
                theirs = milliseconds(work(case))
                ratios.append(theirs / timing["median_milliseconds"])
                lines.append(f"| {case} | {timing['variant']} | {timing['median_milliseconds']:.4f} | {theirs:.4f} | {ratios[-1]:.2f} |")
        lines.append(f"| geometric mean | | | | {statistics.geometric_mean(ratios):.2f} |")
        table = "\n".join(lines) + "\n"
        with open(file.removesuffix(".json") + ".torch.md", "w", encoding="utf-8") as target:
            target.write(table)
        print(table)


main()

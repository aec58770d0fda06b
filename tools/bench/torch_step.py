#!/usr/bin/env python3
"""Throughput of one training step in PyTorch: the peer that noisymix is measured against.

The same work as one step of `noisymix train`: forward, loss, backward, SGD with Nesterov momentum
and weight decay, on random images that are already on the device. Prints one JSON line.

  torch_step.py --arch preactresnet18 --scheme noisymix --batch 128 --device cpu --dtype f32
  torch_step.py --arch wrn28-2 --scheme plain --batch 512 --device cuda --dtype bf16 --channels-last --compile

views_per_s counts every image that goes through the network (noisymix and augmix: 3 views of each
base image), so it compares across schemes.
"""
import argparse
import json
import resource
import statistics
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


class PreActBlock(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(cin), nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn2, self.conv2 = nn.BatchNorm2d(cout), nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        project = stride != 1 or cin != cout
        self.shortcut = nn.Conv2d(cin, cout, 1, stride, bias=False) if project else None

    def forward(self, x):
        a = F.relu(self.bn1(x))
        skip = x if self.shortcut is None else self.shortcut(a)
        return self.conv2(F.relu(self.bn2(self.conv1(a)))) + skip


class WideBlock(nn.Module):
    def __init__(self, cin, cout, stride, dropout):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(cin), nn.Conv2d(cin, cout, 3, 1, 1)
        self.drop = nn.Dropout(dropout)
        self.bn2, self.conv2 = nn.BatchNorm2d(cout), nn.Conv2d(cout, cout, 3, stride, 1)
        project = stride != 1 or cin != cout
        self.shortcut = nn.Conv2d(cin, cout, 1, stride) if project else None

    def forward(self, x):
        y = self.drop(self.conv1(F.relu(self.bn1(x))))
        y = self.conv2(F.relu(self.bn2(y)))
        return y + (x if self.shortcut is None else self.shortcut(x))


class StagedNet(nn.Module):
    """stem -> stages (mixing may happen before the stem or after a stage) -> head."""

    def __init__(self, stem, stages, head, eligible):
        super().__init__()
        self.stem, self.stages, self.head, self.eligible = stem, nn.ModuleList(stages), head, eligible

    def forward(self, x, mix=None, at=None):
        if at == 0:
            x = mix(x)
        x = self.stem(x)
        for i, stage in enumerate(self.stages, 1):
            x = stage(x)
            if at == i:
                x = mix(x)
        return self.head(x)


def preact_resnet18(classes, width=1.0):
    w = [int(c * width) for c in (64, 128, 256, 512)]
    stages, cin = [], w[0]
    for i, c in enumerate(w):
        s = 1 if i == 0 else 2
        stages.append(nn.Sequential(PreActBlock(cin, c, s), PreActBlock(c, c, 1)))
        cin = c
    head = nn.Sequential(nn.AvgPool2d(4), nn.Flatten(), nn.Linear(w[3], classes))
    return StagedNet(nn.Conv2d(3, w[0], 3, 1, 1, bias=False), stages, head, eligible=4)


def wide_resnet28(classes, widen, dropout=0.0):
    n, cin, stages = 4, 16, []
    for i, c in enumerate((16 * widen, 32 * widen, 64 * widen)):
        blocks = []
        for b in range(n):
            blocks.append(WideBlock(cin, c, 2 if b == 0 and i > 0 else 1, dropout))
            cin = c
        stages.append(nn.Sequential(*blocks))
    head = nn.Sequential(nn.BatchNorm2d(cin), nn.ReLU(), nn.AvgPool2d(8), nn.Flatten(), nn.Linear(cin, classes))
    return StagedNet(nn.Conv2d(3, 16, 3, 1, 1), stages, head, eligible=4)


ARCHS = {
    "preactresnet18": lambda k: preact_resnet18(k),
    "preactwideresnet18": lambda k: preact_resnet18(k, 2.0),
    "wrn28-2": lambda k: wide_resnet28(k, 2),
    "wrn28-4": lambda k: wide_resnet28(k, 4, 0.1),
}


class NoisyFeatureMixer:
    """One lambda and one permutation for all views; noise grows with the view's index."""

    def __init__(self, views, alpha=1.0, add=0.5, mult=0.5, sparse=0.65):
        self.views, self.add, self.mult, self.sparse = views, add, mult, sparse
        self.lam, self.perm = float(np.random.beta(alpha, alpha)), None

    def __call__(self, x):
        mixed = []
        for i, v in enumerate(x.chunk(self.views), 1):
            if self.perm is None:
                self.perm = torch.randperm(v.shape[0], device=v.device)
            v = self.lam * v + (1 - self.lam) * v[self.perm]
            a = self.add * i * float(np.random.beta(2, 5)) * torch.randn_like(v)
            a = a * (torch.rand_like(v) >= self.sparse)
            m = self.mult * float(np.random.beta(2, 5)) * (2 * torch.rand_like(v) - 1)
            m = 1 + m * (torch.rand_like(v) >= self.sparse)
            mixed.append(m * v + a)
        return torch.cat(mixed)


def jsd(logits, views):
    p = [F.softmax(v.float(), dim=1) for v in logits.chunk(views)]
    mix = torch.clamp(sum(p) / views, 1e-7, 1).log()
    return sum(F.kl_div(mix, q, reduction="batchmean") for q in p) / views


# Input channels, output channels, size of the map, kernel, stride, how often: PreActResNet-18's convolutions.
LAYERS = [(3, 64, 32, 3, 1, 1), (64, 64, 32, 3, 1, 4), (64, 128, 32, 3, 2, 1), (128, 128, 16, 3, 1, 3),
          (128, 256, 16, 3, 2, 1), (256, 256, 8, 3, 1, 3), (256, 512, 8, 3, 2, 1), (512, 512, 4, 3, 1, 3),
          (64, 128, 32, 1, 2, 1), (128, 256, 16, 1, 2, 1), (256, 512, 8, 1, 2, 1)]


def convolution_seconds(images, dtype, memory_format, repeats):
    """Medians of forward plus both gradients (the first layer needs no input gradient), summed over the network."""
    total = 0.0
    for c, o, size, kernel, stride, count in LAYERS:
        x = torch.randn(images, c, size, size, dtype=dtype).to(memory_format=memory_format).requires_grad_(c != 3)
        w = torch.randn(o, c, kernel, kernel, dtype=dtype).to(memory_format=memory_format).requires_grad_()
        times = []
        for i in range(repeats + 1):
            start = time.perf_counter()
            y = F.conv2d(x, w, stride=stride, padding=kernel // 2)
            dy = y.detach()
            torch.autograd.grad(y, (x, w) if c != 3 else (w,), dy)
            times.append(time.perf_counter() - start)
        total += count * statistics.median(times[1:])
    return total


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--arch", default="preactresnet18", choices=ARCHS)
    ap.add_argument("--scheme", default="noisymix", choices=["plain", "augmix", "noisymix", "infer", "convolutions"])
    ap.add_argument("--batch", type=int, default=128)
    ap.add_argument("--steps", type=int, default=4)
    ap.add_argument("--warmup", type=int, default=1)
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--classes", type=int, default=10)
    ap.add_argument("--device", default="cpu")
    ap.add_argument("--dtype", default="f32", choices=["f32", "bf16", "tf32"])
    ap.add_argument("--channels-last", action="store_true")
    ap.add_argument("--compile", action="store_true")
    a = ap.parse_args()

    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    np.random.seed(0)
    if a.dtype == "tf32":
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    fmt = torch.channels_last if a.channels_last else torch.contiguous_format
    if a.scheme == "convolutions":
        seconds = convolution_seconds(a.batch, torch.bfloat16 if a.dtype == "bf16" else torch.float32, fmt, a.steps)
        print(json.dumps({"peer": "pytorch " + torch.__version__, "arch": "preactresnet18", "scheme": a.scheme,
                          "dtype": a.dtype, "batch": a.batch, "step_s": round(seconds, 5),
                          "views_per_s": round(a.batch / seconds, 1)}))
        return
    net = ARCHS[a.arch](a.classes).to(a.device).to(memory_format=fmt)
    eligible = net.eligible
    opt = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9, weight_decay=5e-4, nesterov=True)
    views = 3 if a.scheme in ("augmix", "noisymix") else 1
    x = torch.randn(a.batch * views, 3, 32, 32, device=a.device).to(memory_format=fmt)
    y = torch.randint(0, a.classes, (a.batch,), device=a.device)
    run = torch.compile(net) if a.compile else net
    kind = "cuda" if a.device.startswith("cuda") else "cpu"

    def sync():
        if kind == "cuda":
            torch.cuda.synchronize()

    def step(at):
        if a.scheme == "infer":
            net.eval()
            with torch.no_grad(), torch.autocast(kind, torch.bfloat16, enabled=a.dtype == "bf16"):
                run(x)
            return
        opt.zero_grad(set_to_none=True)
        mixer = NoisyFeatureMixer(views) if a.scheme == "noisymix" else None
        with torch.autocast(kind, torch.bfloat16, enabled=a.dtype == "bf16"):
            logits = run(x, mixer, at) if mixer else run(x)
        clean = logits.chunk(views)[0].float()
        loss = F.cross_entropy(clean, y)
        if mixer:
            loss = mixer.lam * loss + (1 - mixer.lam) * F.cross_entropy(clean, y[mixer.perm])
        if views > 1:
            loss = loss + 12 * jsd(logits, views)
        loss.backward()
        opt.step()

    for i in range(max(a.warmup, eligible if a.compile else 0)):
        step(i % eligible)
    times = []
    for i in range(a.steps):
        sync()
        t = time.perf_counter()
        step(i % eligible)
        sync()
        times.append(time.perf_counter() - t)
    med = statistics.median(times)
    peak = torch.cuda.max_memory_allocated() / 2**20 if kind == "cuda" else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({
        "peer": "pytorch " + torch.__version__, "arch": a.arch, "scheme": a.scheme, "device": a.device, "dtype": a.dtype,
        "batch": a.batch, "step_s": round(med, 5), "views_per_s": round(a.batch * views / med, 1),
        "base_images_per_s": round(a.batch / med, 1), "peak_mib": round(peak),
    }))


if __name__ == "__main__":
    main()

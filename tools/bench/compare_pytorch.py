#!/usr/bin/env python3
"""Speed and memory of noisymix on a CPU against PyTorch, in turns on the same machine: prints a Markdown table.

  tools/bench/compare_pytorch.py build/cpu-release/tools/noisymix
  tools/bench/compare_pytorch.py build/cpu-release/tools/noisymix --python /path/to/venv/bin/python --only wrn28-2

Each row runs PyTorch (in both memory layouts; the faster one counts) and noisymix after one another, every program in a
process of its own with one thread per core, and compares medians over the steps. "target" is the ratio that the project
wants to reach. Needs a Python with PyTorch and NumPy; `noisymix bench peak` says what the machine could do at best.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

TORCH = pathlib.Path(__file__).resolve().parent / "torch_step.py"
ARCHS = ["preactresnet18", "wrn28-2", "wrn28-4"]
TARGET = {"f32": 1.5, "bf16": 2.0}


def run(command):
    result = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{result.stderr.strip()}")
    return json.loads(result.stdout.strip().splitlines()[-1])


class Comparison:
    def __init__(self, options):
        self.options = options
        self.records = []

    def torch(self, **settings):
        base = [self.options.python, TORCH, "--threads", self.options.threads]
        for name, value in settings.items():
            base += [f"--{name}", value]
        runs = [run(base), run(base + ["--channels-last"])]
        best = max(runs, key=lambda r: r["views_per_s"])
        best["peak_mib"] = min(r.get("peak_mib", 0) for r in runs)
        return best

    def ours(self, verb, **settings):
        command = [self.options.noisymix, "bench", verb, "--json", "--threads", self.options.threads]
        for name, value in settings.items():
            command += [f"--{name}", value]
        return run(command)

    def row(self, what, theirs, mine, target, key="views_per_s", unit="views/s"):
        ratio = mine[key] / theirs[key]
        reached = ratio <= target if key == "peak_mib" else ratio >= target
        self.records.append({"what": what, "pytorch": theirs[key], "noisymix": mine[key], "ratio": ratio,
                             "target": target, "unit": unit})
        sign = "" if reached else " (missed)"
        print(f"| {what} | {theirs[key]:.0f} | {mine[key]:.0f} {unit} | {ratio:.2f} | {target}{sign} |", flush=True)

    def steps(self, arch, scheme, dtype):
        common = dict(arch=arch, scheme=scheme, dtype=dtype, batch=128, steps=self.options.steps, warmup=1)
        theirs = self.torch(**common)
        dropout = {"dropout": 0} if arch == "wrn28-2" else {}  # as the peer's network has it
        mine = self.ours("step", **common, **dropout)
        self.row(f"{arch} {scheme} step, {dtype}", theirs, mine, TARGET[dtype])
        if scheme == "noisymix":
            self.row(f"{arch} {scheme} peak memory, {dtype}", theirs, mine, 0.5, "peak_mib", "MiB")

    def convolutions(self, dtype):
        theirs = self.torch(scheme="convolutions", dtype=dtype, batch=384, steps=self.options.steps)
        mine = self.ours("conv", images=384, dtype=dtype, repeats=self.options.steps)
        self.row(f"convolutions alone, {dtype}", theirs, mine, {"f32": 0.95, "bf16": 1.3}[dtype])

    def inference(self, dtype):
        common = dict(arch="preactresnet18", scheme="infer", dtype=dtype, batch=128, steps=10, warmup=2)
        self.row(f"preactresnet18 inference, {dtype}", self.torch(**common), self.ours("step", **common),
                 {"f32": 1.6, "bf16": 2.0}[dtype])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("noisymix", help="the program")
    parser.add_argument("--python", default=sys.executable, help="a Python that has PyTorch")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--steps", type=int, default=5, help="timed steps; medians count")
    parser.add_argument("--dtypes", default="f32,bf16", help="comma-separated")
    parser.add_argument("--only", default="", help="rows whose name contains this")
    parser.add_argument("--json", metavar="FILE", help="write the records there as well")
    options = parser.parse_args()

    comparison = Comparison(options)
    peak = run([options.noisymix, "bench", "peak", "--json"])
    version = run([options.python, "-c", "import json, torch; print(json.dumps(torch.__version__))"])
    print(f"PyTorch {version}, {options.threads} threads, instruction set {peak['isa']}; limits here: "
          f"f32 {peak['f32_gflops']['all']:.0f} GFLOP/s, bf16 {peak['bf16_gflops']['all']:.0f} GFLOP/s, "
          f"copy {peak['copy_gbs']['all']:.0f} GB/s\n")
    print("| | PyTorch | noisymix | ratio | target |\n|---|---|---|---|---|", flush=True)
    for dtype in options.dtypes.split(","):
        for arch in ARCHS:
            for scheme in ("plain", "noisymix"):
                if options.only in f"{arch} {scheme} step, {dtype}":
                    comparison.steps(arch, scheme, dtype)
        if options.only in f"convolutions alone, {dtype}":
            comparison.convolutions(dtype)
        if options.only in f"preactresnet18 inference, {dtype}":
            comparison.inference(dtype)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"pytorch": version, "peak": peak, "rows": comparison.records},
                                                         indent=1) + "\n")


if __name__ == "__main__":
    main()

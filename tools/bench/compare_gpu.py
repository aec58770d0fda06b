#!/usr/bin/env python3
"""Speed and memory of noisymix on a GPU against PyTorch (channels last, torch.compile), in turns: prints a Markdown table.

  tools/bench/compare_gpu.py build/cuda-release/tools/noisymix
  tools/bench/compare_gpu.py noisymix --only wrn28-4 --minutes 8 --json table.json

Every program runs in a process of its own; medians over the steps count. Without PyTorch the table has noisymix alone. Rows
come in the order of their importance, so that --minutes cuts the least important ones. "target" is the ratio, or the number
of views a second, that the project wants to reach.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import time

TORCH = pathlib.Path(__file__).resolve().parent / "torch_step.py"
# architecture, scheme, dtype, batch, target ratio, target views/s
ROWS = [
    ("preactresnet18", "noisymix", "bf16", 1024, 1.5, 90000), ("preactresnet18", "noisymix", "bf16", 512, 1.5, 90000),
    ("wrn28-4", "noisymix", "bf16", 512, 1.5, None), ("wrn28-2", "noisymix", "bf16", 512, 1.5, None),
    ("preactresnet18", "plain", "bf16", 1024, 1.3, None), ("wrn28-4", "plain", "bf16", 512, 1.3, None),
    ("preactresnet18", "noisymix", "tf32", 512, None, None), ("preactresnet18", "noisymix", "f32", 256, None, None),
    ("wrn28-2", "plain", "bf16", 512, 1.3, None), ("preactresnet18", "infer", "bf16", 1024, None, None),
    ("preactresnet18", "noisymix", "bf16", 32, None, None),
]


def run(command, seconds):
    try:
        result = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return {"error": f"no answer after {seconds:.0f} s"}
    if result.returncode != 0:
        return {"error": (result.stderr.strip().splitlines() or ["failed"])[-1]}
    return json.loads(result.stdout.strip().splitlines()[-1])


def ours(options, arch, scheme, dtype, batch, left, more=()):
    command = [options.noisymix, "bench", "step", "--json", "--device", options.device, "--arch", arch, "--scheme", scheme,
               "--dtype", dtype, "--batch", batch, "--steps", options.steps, "--warmup", 10, *more]
    if arch == "wrn28-2":
        command += ["--dropout", 0]  # as the peer's network has it
    return run(command, left)


def cell(record, key="views_per_s"):
    return record["error"][:60] if "error" in record else f"{record[key]:.0f}"


def verdict(mine, theirs, ratio, views):
    if "error" in mine:
        return "", ""
    wanted = [f"{ratio} x" if ratio else "", f"{views} views/s" if views else ""]
    target = ", ".join(w for w in wanted if w)
    quotient = mine["views_per_s"] / theirs["views_per_s"] if theirs and "error" not in theirs else None
    missed = (ratio and quotient and quotient < ratio) or (views and mine["views_per_s"] < views)
    return f"{quotient:.2f}" if quotient else "", target + (" (missed)" if missed else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("noisymix", help="the program")
    parser.add_argument("--python", default=sys.executable, help="a Python that may have PyTorch")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--only", default="", help="rows whose name contains this")
    parser.add_argument("--json", metavar="FILE", help="write the records there as well")
    options = parser.parse_args()
    end = time.monotonic() + 60 * options.minutes
    torch = run([options.python, "-c", "import json, torch; print(json.dumps({'version': torch.__version__}))"], 120)
    version = torch.get("version")
    print(f"PyTorch {version or 'not installed'}, medians of {options.steps} steps\n")
    print("| step | PyTorch views/s | noisymix views/s | ratio | target | ms | peak MiB |\n|---|---|---|---|---|---|---|",
          flush=True)
    records = []
    for arch, scheme, dtype, batch, ratio, views in ROWS:
        name = f"{arch} {scheme}, {dtype}, batch {batch}"
        left = end - time.monotonic()
        if options.only not in name or left < 20:
            continue
        mine = ours(options, arch, scheme, dtype, batch, left)
        theirs = None
        if version:
            theirs = run([options.python, TORCH, "--device", "cuda", "--channels-last", "--compile", "--arch", arch,
                          "--scheme", scheme, "--dtype", dtype, "--batch", batch, "--steps", options.steps, "--warmup", 10],
                         max(20, end - time.monotonic()))
        quotient, target = verdict(mine, theirs, ratio, views)
        milliseconds = "" if "error" in mine else f"{1000 * mine['step_s']:.2f}"
        print(f"| {name} | {cell(theirs) if theirs else ''} | {cell(mine)} | {quotient} | {target} | {milliseconds} | "
              f"{'' if 'error' in mine else mine['peak_mib']} |", flush=True)
        records.append({"row": name, "noisymix": mine, "pytorch": theirs})
    for label, more in (("op by op", ["--eager"]), ("any algorithm", ["--any-algorithm"])):
        if end - time.monotonic() < 20 or options.only:
            continue
        mine = ours(options, "preactresnet18", "noisymix", "bf16", 512, end - time.monotonic(), more)
        print(f"| preactresnet18 noisymix, bf16, batch 512, {label} | | {cell(mine)} | | | "
              f"{'' if 'error' in mine else format(1000 * mine['step_s'], '.2f')} | |", flush=True)
        records.append({"row": label, "noisymix": mine})
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"pytorch": version, "rows": records}, indent=1) + "\n")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Seconds from the start of `noisymix train` until its first training step begins, and until it is done.

  tools/bench/first_step.py build/cpu-release/tools/noisymix cifar10-noisymix --set data.path=datasets --set train.precision=bf16

Watches the run's metrics.jsonl from outside, so that nothing the program could leave out is left out.
Prints one JSON line; the first run reads the data set from disk, later ones from the system's cache.
"""
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time


def first_step(program, arguments):
    with tempfile.TemporaryDirectory() as folder:
        run = pathlib.Path(folder) / "run"
        start = time.perf_counter()
        process = subprocess.Popen([program, "train", *arguments, "--out", run, "--set", "train.max_steps=1000"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            while process.poll() is None:
                metrics = run / "metrics.jsonl"
                lines = metrics.read_text().splitlines(keepends=True) if metrics.exists() else []
                steps = [line for line in lines if '"kind":"step"' in line and line.endswith("\n")]
                if steps:
                    done = time.perf_counter() - start
                    return done - json.loads(steps[0])["seconds"], done
                time.sleep(0.002)
            sys.exit(f"{program} ended before its first step: {process.stderr.read().decode().strip()}")
        finally:
            process.kill()
            process.wait()


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    times = [first_step(sys.argv[1], sys.argv[2:]) for _ in range(5)]
    begins, done = ([round(t, 3) for t in column] for column in zip(*times))
    print(json.dumps({"begins": begins, "begins_median": statistics.median(begins),
                      "done": done, "done_median": statistics.median(done)}))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Time of one 32 x 32 image through all nineteen corruptions: noisymix beside Python.

    compare_corruptions.py PROGRAM [--images 20] [--rounds 5] [--side 32]

PROGRAM is the noisymix binary. The peer is the package imagecorruptions (pip install imagecorruptions), a library form of
the benchmark's published generators with ImageNet's constants, on one thread; noisymix runs with the same constants and with
CIFAR's. Both take turns; the medians count.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import warnings

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np  # noqa: E402  (threads are set first)


def smooth_images(count, side):
    generator = np.random.default_rng(0)
    corners = generator.uniform(0, 255, (count, side // 4 + 2, side // 4 + 2, 3))
    place = np.arange(side) / 4
    low, part = place.astype(int), place % 1
    rows = corners[:, low] * (1 - part)[None, :, None, None] + corners[:, low + 1] * part[None, :, None, None]
    images = rows[:, :, low] * (1 - part)[None, None, :, None] + rows[:, :, low + 1] * part[None, None, :, None]
    return images.astype(np.uint8)


def peer_times(images):
    """Milliseconds per image and type, mean over severities; types that fail in the installed versions are left out."""
    from imagecorruptions import corrupt, corruptions, get_corruption_names
    smooth = corruptions.gaussian

    def gaussian(image, sigma, multichannel=False, **rest):  # newer versions of scikit-image renamed an argument
        return smooth(image, sigma=sigma, channel_axis=-1 if multichannel else None, **rest)

    corruptions.gaussian = gaussian
    try:
        import cv2
        cv2.setNumThreads(1)
    except ImportError:
        pass
    times = {}
    for name in get_corruption_names("all"):
        try:
            corrupt(images[0], corruption_name=name, severity=3)  # compiles and loads pictures
            start = time.perf_counter()
            for severity in range(1, 6):
                for image in images:
                    corrupt(image, corruption_name=name, severity=severity)
            times[name] = (time.perf_counter() - start) / (5 * len(images)) * 1e3
        except Exception as error:  # noqa: BLE001  (a peer's failure is reported, not ours to mend)
            print(f"peer: {name} fails: {type(error).__name__}: {error}", file=sys.stderr)
    corruptions.gaussian = smooth
    return times


def own_times(program, side, constants):
    out = subprocess.run([program, "bench", "corruptions", "--side", str(side), "--images", "100", "--constants", constants,
                          "--json"], check=True, capture_output=True, text=True).stdout
    return {name: value / 1e3 for name, value in json.loads(out)["microseconds"].items()}


def medians(rounds):
    return {name: statistics.median(r[name] for r in rounds) for name in rounds[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--side", type=int, default=32)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    images = smooth_images(options.images, options.side)
    peer, same, cifar = [], [], []
    for _ in range(options.rounds):
        peer.append(peer_times(images))
        same.append(own_times(options.program, options.side, "imagenet-c"))
        cifar.append(own_times(options.program, options.side, "cifar-c"))
    peer, same, cifar = medians(peer), medians(same), medians(cifar)
    print(f"{'ms per image':20} {'imagecorruptions':>17} {'noisymix':>10} {'ratio':>8} {'CIFAR constants':>16}")
    for name in same:
        ratio = f"{peer[name] / same[name]:8.0f}" if name in peer else "       -"
        shown = f"{peer[name]:17.3f}" if name in peer else "                -"
        print(f"{name:20} {shown} {same[name]:10.4f} {ratio} {cifar[name]:16.4f}")
    both = [name for name in same if name in peer]
    total, own = sum(peer[n] for n in both), sum(same[n] for n in both)
    print(f"{f'all {len(both)} of both':20} {total:17.3f} {own:10.4f} {total / own:8.0f} {sum(cifar[n] for n in both):16.4f}")
    print(f"{'all nineteen':20} {'':17} {sum(same.values()):10.4f} {'':8} {sum(cifar.values()):16.4f}")


if __name__ == "__main__":
    main()

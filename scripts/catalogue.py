#!/usr/bin/env python3
"""Rewrites torchvision's section of src/fetch/catalogue.yaml from an installed torchvision.

    python3 scripts/catalogue.py            # needs torch and torchvision
    python3 scripts/catalogue.py --check    # fails if the file is not up to date

URL, size, preprocessing and top-1 accuracy come from torchvision's weight enums, for every architecture of the
zoo that torchvision has. torchvision rounds sizes to a thousandth of a MiB.
"""

import pathlib
import sys

import torchvision
from torchvision.models import get_model_weights

ARCHITECTURES = [
    *(f"resnet{depth}" for depth in (18, 34, 50, 101, 152)),
    *("resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d", "wide_resnet50_2", "wide_resnet101_2"),
    *(f"vgg{depth}{norm}" for depth in (11, 13, 16, 19) for norm in ("", "_bn")),
    *(f"efficientnet_b{size}" for size in range(8)),
]
NAMES = ("IMAGENET1K_V1", "IMAGENET1K_V2")
MARK = "  # Below this line: torchvision's own files, written by scripts/catalogue.py.\n"


def entry(arch, weights):
    transforms = weights.transforms()
    (resize,), (crop,) = transforms.resize_size, transforms.crop_size
    file = weights.url.rsplit("/", 1)[1]
    prefix = file.removesuffix(".pth").rsplit("-", 1)[1]
    top1 = weights.meta["_metrics"]["ImageNet-1K"]["acc@1"]
    title = f"torchvision's {weights.name.removeprefix('IMAGENET1K_')} weights"
    return f"""
  - name: {weights.name}
    arch: {arch}
    title: {title}
    classes: imagenet-1000
    preprocess:
      resize: {resize}
      crop: {crop}
      interpolation: {transforms.interpolation.value}
      mean: {transforms.mean}
      std: {transforms.std}
    licence: BSD-3-Clause code; trained on ImageNet, whose terms (non-commercial research) may apply
    bytes: {round(weights.meta["_file_size"] * 2**20)}
    top1: {top1}
    sources: [{{url: "{weights.url}"}}]
    files: [{{path: {file}, sha256_prefix: "{prefix}"}}]
"""


def main():
    path = pathlib.Path(__file__).resolve().parent.parent / "src/fetch/catalogue.yaml"
    old = path.read_text()
    head, mark, _ = old.partition(MARK)
    if not mark:
        sys.exit(f"{path} has no line `{MARK.strip()}`")
    text = f"{head}{MARK}  # torchvision {torchvision.__version__.partition('+')[0]}\n"
    for arch in ARCHITECTURES:
        for weights in get_model_weights(arch):
            if weights.name in NAMES:
                text += entry(arch, weights)
    if "--check" in sys.argv[1:]:
        sys.exit(0 if text == old else f"{path} differs from this torchvision: run scripts/catalogue.py")
    path.write_text(text)


main()

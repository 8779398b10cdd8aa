"""Measures PyTorch, Captum and pytorch-grad-cam on the methods of `methods.rs`.

    python benches/peers.py                  # their seconds, as tab-separated values
    python benches/peers.py --ours FILE      # compared with convscope's: FILE is the output of `PEERS=1 cargo bench --bench methods`

`make bench-peers` runs both. METHODS, NETWORKS and THREADS select what is measured, as in `methods.rs`.

Both use the same weights (by the formula of src/network/random_weights.rs), image, class, layer, options
(options.json), batch size and threads. The networks require gradients for the image and not for parameters, as in
convscope, which makes pytorch-grad-cam faster. Its Score-CAM and Ablation-CAM use batches of convscope's size, and
Score-CAM only the channels that convscope uses. It upsamples its maps to the image, which takes almost no time.
Methods without a counterpart (`rise`) are left out.
"""

import argparse
import csv
import functools
import json
import os
import pathlib
import statistics
import sys
import time
import warnings

import numpy
import torch
import torchvision
from captum import attr
from PIL import Image
import pytorch_grad_cam as cams
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

# Without progress bars.
for module in (cams.score_cam, cams.ablation_cam):
    module.tqdm.tqdm = lambda steps, **_: steps
warnings.filterwarnings("ignore")

HERE = pathlib.Path(__file__).resolve().parent
IMAGE = HERE.parent / "tests" / "golden" / "input_224.png"
OPTIONS = json.loads((HERE / "options.json").read_text())
NETWORKS = ["resnet50", "vgg16", "efficientnet_b0"]
# Images of 224 × 224 in a batch (src/methods/batched.rs).
BATCH = 8
# As in methods.rs.
ROUNDS, MAX_SECONDS = 9, 8.0


def values(name, shape):
    """A parameter by its name, with exactly the values of src/network/random_weights.rs."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = (seed ^ byte) * 0x100000001B3 % 2**64
    count = int(numpy.prod(shape, dtype=numpy.int64))
    uniform = numpy.empty(count, numpy.float32)
    # In chunks: VGG's classifier has a hundred million values.
    for start in range(0, count, 1 << 22):
        end = min(start + (1 << 22), count)
        z = numpy.arange(start + 1, end + 1, dtype=numpy.uint64)
        z *= numpy.uint64(0x9E3779B97F4A7C15)
        z += numpy.uint64(seed)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        z ^= z >> numpy.uint64(31)
        uniform[start:end] = (z >> numpy.uint64(40)).astype(numpy.float32) / numpy.float32(2**24)
    one, two = numpy.float32(1), numpy.float32(2)
    if name.endswith("running_var"):
        drawn = numpy.float32(0.5) + uniform
    elif name.endswith(("running_mean", "bias")):
        drawn = (two * uniform - one) * numpy.float32(0.1)
    elif len(shape) > 1:
        fan_in = int(numpy.prod(shape[1:]))
        drawn = (two * uniform - one) * numpy.float32(numpy.sqrt(6 / fan_in))
    else:
        scale = numpy.float32(0.3 if name.endswith("bn3.weight") else 1)
        drawn = (numpy.float32(0.5) + uniform) * scale
    return torch.from_numpy(drawn.reshape(shape))


class Subject:
    """A network, the image, its predicted class, and the last convolution."""

    def __init__(self, name):
        with torch.device("meta"):
            self.model = getattr(torchvision.models, name)()
        self.model.to_empty(device="cpu").eval().requires_grad_(False)
        for key, tensor in self.model.state_dict().items():
            if not key.endswith("num_batches_tracked"):
                tensor.copy_(values(key, tuple(tensor.shape)))
        for part in self.model.modules():
            # An in-place operation would overwrite values that a method needs.
            if getattr(part, "inplace", False):
                part.inplace = False
            if isinstance(part, torch.nn.Conv2d):
                self.last = part
        self.relu = any(isinstance(part, torch.nn.ReLU) for part in self.model.modules())
        pixels = numpy.asarray(Image.open(IMAGE).convert("RGB"), numpy.float32) / 255
        mean = numpy.array([0.485, 0.456, 0.406], numpy.float32)
        std = numpy.array([0.229, 0.224, 0.225], numpy.float32)
        self.image = torch.from_numpy(((pixels - mean) / std).transpose(2, 0, 1)[None].copy())
        with torch.no_grad():
            logits = self.model(self.image)
        self.target = int(logits.argmax())
        self.logit = float(logits[0, self.target])


class FewerChannels(cams.ScoreCAM):
    """Score-CAM on the channels with the largest magnitudes only."""

    channels = OPTIONS["score_cam"]["channels"]
    batch_size = BATCH

    def get_cam_weights(self, image, layer, targets, activations, grads):
        largest = numpy.abs(activations[0]).max(axis=(1, 2))
        tried = numpy.argsort(-largest, kind="stable")[: self.channels]
        weights = numpy.zeros(activations.shape[:2], numpy.float32)
        some = activations[:, tried]
        weights[:, tried] = super().get_cam_weights(image, layer, targets, some, grads)
        return weights


def cam(kind, subject, **options):
    """A map of pytorch-grad-cam for the last convolution."""
    image = subject.image.clone()
    with kind(model=subject.model, target_layers=[subject.last], **options) as method:
        method.compute_input_gradient = method.uses_gradients
        return method(input_tensor=image, targets=[ClassifierOutputTarget(subject.target)])


def captum(make, subject, **options):
    image = subject.image.clone().requires_grad_()
    return make(subject).attribute(image, target=subject.target, **options)


def noisy(kind, subject):
    options = OPTIONS[kind]
    noise = 0.15 * float(subject.image.max() - subject.image.min())
    return captum(
        lambda subject: attr.NoiseTunnel(attr.Saliency(subject.model)),
        subject,
        nt_type=kind,
        nt_samples=options["samples"],
        nt_samples_batch_size=BATCH,
        stdevs=noise,
        abs=False,
    )


def integrated_gradients(subject):
    return captum(
        lambda subject: attr.IntegratedGradients(subject.model),
        subject,
        baselines=0,
        n_steps=OPTIONS["integrated_gradients"]["steps"],
        internal_batch_size=BATCH,
        return_convergence_delta=True,
    )


def occlusion(subject):
    window, stride = (OPTIONS["occlusion"][key] for key in ("window", "stride"))
    with torch.no_grad():
        return attr.Occlusion(subject.model).attribute(
            subject.image,
            target=subject.target,
            baselines=0,
            sliding_window_shapes=(3, window, window),
            strides=(3, stride, stride),
            perturbations_per_eval=BATCH,
        )


GUIDED = {"guided_backprop", "guided_grad_cam"}
METHODS = {
    "saliency": lambda subject: captum(lambda subject: attr.Saliency(subject.model), subject),
    "input_x_gradient": lambda subject: captum(lambda subject: attr.InputXGradient(subject.model), subject),
    "integrated_gradients": integrated_gradients,
    "smoothgrad": functools.partial(noisy, "smoothgrad"),
    "vargrad": functools.partial(noisy, "vargrad"),
    "occlusion": occlusion,
    "grad_cam": functools.partial(cam, cams.GradCAM),
    "guided_backprop": lambda subject: captum(lambda subject: attr.GuidedBackprop(subject.model), subject),
    "guided_grad_cam": lambda subject: captum(
        lambda subject: attr.GuidedGradCam(subject.model, subject.last), subject, interpolate_mode="bilinear"
    ),
    "grad_cam_plus_plus": functools.partial(cam, cams.GradCAMPlusPlus),
    "hires_cam": functools.partial(cam, cams.HiResCAM),
    "layer_cam": functools.partial(cam, cams.LayerCAM),
    "xgrad_cam": functools.partial(cam, cams.XGradCAM),
    "score_cam": functools.partial(cam, FewerChannels),
    "ablation_cam": functools.partial(cam, cams.AblationCAM, batch_size=BATCH),
    "eigen_cam": functools.partial(cam, cams.EigenCAM),
}


def seconds(method, subject):
    """The median of several rounds, without the first one (warm-up) if there is time for more."""
    spent = []
    while len(spent) <= ROUNDS and (len(spent) < 4 or sum(spent) < MAX_SECONDS):
        start = time.perf_counter()
        method(subject)
        spent.append(time.perf_counter() - start)
        if spent[0] > MAX_SECONDS:
            return spent[0]
    return statistics.median(spent[1:])


def list_variable(variable, default):
    items = os.environ.get(variable)
    return [item.strip() for item in items.split(",")] if items else list(default)


def read(path):
    """convscope's output: (method, network) to its row; other lines, such as cargo's, are ignored."""
    with open(path, newline="") as file:
        lines = [line for line in file if line.count("\t") == 5]
    return {(row["method"], row["network"]): row for row in csv.DictReader(lines, delimiter="\t")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ours", metavar="FILE", help="the output of `PEERS=1 cargo bench --bench methods`")
    ours = parser.parse_args().ours
    ours = read(ours) if ours else None
    if ours is not None and not ours:
        sys.exit("peers: the file of --ours has no measurement")
    if ours:
        threads = int(next(iter(ours.values()))["threads"])
        networks = list(dict.fromkeys(network for _, network in ours))
        methods = list(dict.fromkeys(method for method, _ in ours))
    else:
        threads = int(os.environ.get("THREADS", torch.get_num_threads()))
        networks, methods = list_variable("NETWORKS", NETWORKS), list_variable("METHODS", METHODS)
    torch.set_num_threads(threads)
    if ours:
        print(f"{threads} threads\n{'method':22} {'network':16} {'ours s':>9} {'theirs s':>9} {'ratio':>7}")
    else:
        print("method\tnetwork\tseconds\tthreads\tclass\tlogit")
    for network in networks:
        subject = Subject(network)
        for method in methods:
            row = ours.get((method, network)) if ours else None
            if ours and row is None or method in GUIDED and not subject.relu:
                continue
            if method not in METHODS:
                if ours:
                    print(f"{method:22} {network:16} {float(row['seconds']):9.3f} {'none':>9}", flush=True)
                continue
            if row and (int(row["class"]) != subject.target or abs(float(row["logit"]) / subject.logit - 1) > 1e-3):
                found = f"class {row['class']} with logit {row['logit']}"
                expected = f"class {subject.target} with logit {subject.logit}"
                sys.exit(f"peers: {network} must predict {expected} as in PyTorch, got {found}")
            theirs = seconds(METHODS[method], subject)
            if row:
                own = float(row["seconds"])
                print(f"{method:22} {network:16} {own:9.3f} {theirs:9.3f} {own / theirs:7.3f}", flush=True)
            else:
                print(method, network, theirs, threads, subject.target, subject.logit, sep="\t", flush=True)


if __name__ == "__main__":
    main()

"""The work of `methods.rs` done by PyTorch, Captum and pytorch-grad-cam, and how long it takes them.

    python benches/peers.py                  # their seconds, as tab-separated values
    python benches/peers.py --ours FILE      # beside ours: FILE is what `PEERS=1 cargo bench --bench methods` printed

`make bench-peers` does both. METHODS, NETWORKS and THREADS choose, as they do for ours.

The same weights (by the formula of src/network/random.rs), picture, class, layer, options (options.json), batch
size and threads. Their networks want no gradient for parameters and one for the picture, as ours do: that is
what spares pytorch-grad-cam the most. Its Score-CAM and its Ablation-CAM have batches of our size; Score-CAM is
given only the channels that ours tries. Its maps are enlarged to the picture and ours are not, which costs
next to nothing. What has no counterpart (`rise`) is passed over.
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

# Progress bars of theirs would cost time and lines.
for module in (cams.score_cam, cams.ablation_cam):
    module.tqdm.tqdm = lambda steps, **_: steps
warnings.filterwarnings("ignore")

HERE = pathlib.Path(__file__).resolve().parent
PICTURE = HERE.parent / "tests" / "golden" / "input_224.png"
OPTIONS = json.loads((HERE / "options.json").read_text())
NETWORKS = ["resnet50", "vgg16", "efficientnet_b0"]
# Pictures in a batch of 224 × 224 (src/methods/several.rs).
BATCH = 8
# As many turns as ours.
TURNS, SECONDS = 9, 8.0


def values(name, shape):
    """A parameter by its name, bit for bit what src/network/random.rs gives."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = (seed ^ byte) * 0x100000001B3 % 2**64
    count = int(numpy.prod(shape, dtype=numpy.int64))
    uniform = numpy.empty(count, numpy.float32)
    # In pieces: VGG's classifier has a hundred million numbers.
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


class Look:
    """A network, the picture, the class it takes it for, and its last convolution."""

    def __init__(self, name):
        with torch.device("meta"):
            self.model = getattr(torchvision.models, name)()
        self.model.to_empty(device="cpu").eval().requires_grad_(False)
        for key, tensor in self.model.state_dict().items():
            if not key.endswith("num_batches_tracked"):
                tensor.copy_(values(key, tuple(tensor.shape)))
        for part in self.model.modules():
            # Written over in place, a layer's values would be lost to whoever kept them.
            if getattr(part, "inplace", False):
                part.inplace = False
            if isinstance(part, torch.nn.Conv2d):
                self.last = part
        self.relu = any(isinstance(part, torch.nn.ReLU) for part in self.model.modules())
        pixels = numpy.asarray(Image.open(PICTURE).convert("RGB"), numpy.float32) / 255
        mean = numpy.array([0.485, 0.456, 0.406], numpy.float32)
        std = numpy.array([0.229, 0.224, 0.225], numpy.float32)
        self.picture = torch.from_numpy(((pixels - mean) / std).transpose(2, 0, 1)[None].copy())
        with torch.no_grad():
            logits = self.model(self.picture)
        self.target = int(logits.argmax())
        self.logit = float(logits[0, self.target])


class FewerChannels(cams.ScoreCAM):
    """Their Score-CAM on those channels alone whose magnitude is largest."""

    channels = OPTIONS["score_cam"]["channels"]
    batch_size = BATCH

    def get_cam_weights(self, picture, layer, targets, activations, grads):
        largest = numpy.abs(activations[0]).max(axis=(1, 2))
        tried = numpy.argsort(-largest, kind="stable")[: self.channels]
        weights = numpy.zeros(activations.shape[:2], numpy.float32)
        some = activations[:, tried]
        weights[:, tried] = super().get_cam_weights(picture, layer, targets, some, grads)
        return weights


def cam(kind, look, **options):
    """What one of pytorch-grad-cam's makes of the last convolution."""
    picture = look.picture.clone()
    with kind(model=look.model, target_layers=[look.last], **options) as one:
        one.compute_input_gradient = one.uses_gradients
        return one(input_tensor=picture, targets=[ClassifierOutputTarget(look.target)])


def captum(make, look, **options):
    picture = look.picture.clone().requires_grad_()
    return make(look).attribute(picture, target=look.target, **options)


def noisy(kind, look):
    options = OPTIONS[kind]
    noise = 0.15 * float(look.picture.max() - look.picture.min())
    return captum(
        lambda look: attr.NoiseTunnel(attr.Saliency(look.model)),
        look,
        nt_type=kind,
        nt_samples=options["samples"],
        nt_samples_batch_size=BATCH,
        stdevs=noise,
        abs=False,
    )


def integrated_gradients(look):
    return captum(
        lambda look: attr.IntegratedGradients(look.model),
        look,
        baselines=0,
        n_steps=OPTIONS["integrated_gradients"]["steps"],
        internal_batch_size=BATCH,
        return_convergence_delta=True,
    )


def occlusion(look):
    window, stride = (OPTIONS["occlusion"][key] for key in ("window", "stride"))
    with torch.no_grad():
        return attr.Occlusion(look.model).attribute(
            look.picture,
            target=look.target,
            baselines=0,
            sliding_window_shapes=(3, window, window),
            strides=(3, stride, stride),
            perturbations_per_eval=BATCH,
        )


GUIDED = {"guided_backprop", "guided_grad_cam"}
METHODS = {
    "saliency": lambda look: captum(lambda look: attr.Saliency(look.model), look),
    "input_x_gradient": lambda look: captum(lambda look: attr.InputXGradient(look.model), look),
    "integrated_gradients": integrated_gradients,
    "smoothgrad": functools.partial(noisy, "smoothgrad"),
    "vargrad": functools.partial(noisy, "vargrad"),
    "occlusion": occlusion,
    "grad_cam": functools.partial(cam, cams.GradCAM),
    "guided_backprop": lambda look: captum(lambda look: attr.GuidedBackprop(look.model), look),
    "guided_grad_cam": lambda look: captum(
        lambda look: attr.GuidedGradCam(look.model, look.last), look, interpolate_mode="bilinear"
    ),
    "grad_cam_plus_plus": functools.partial(cam, cams.GradCAMPlusPlus),
    "hires_cam": functools.partial(cam, cams.HiResCAM),
    "layer_cam": functools.partial(cam, cams.LayerCAM),
    "xgrad_cam": functools.partial(cam, cams.XGradCAM),
    "score_cam": functools.partial(cam, FewerChannels),
    "ablation_cam": functools.partial(cam, cams.AblationCAM, batch_size=BATCH),
    "eigen_cam": functools.partial(cam, cams.EigenCAM),
}


def seconds(method, look):
    """The median of several turns; the first one, which warms up, does not count if there is time for more."""
    spent = []
    while len(spent) <= TURNS and (len(spent) < 4 or sum(spent) < SECONDS):
        start = time.perf_counter()
        method(look)
        spent.append(time.perf_counter() - start)
        if spent[0] > SECONDS:
            return spent[0]
    return statistics.median(spent[1:])


def chosen(variable, default):
    words = os.environ.get(variable)
    return [word.strip() for word in words.split(",")] if words else list(default)


def read(path):
    """What ours printed: (method, network) to its line; other lines, such as cargo's, don't count."""
    with open(path, newline="") as file:
        lines = [line for line in file if line.count("\t") == 5]
    return {(row["method"], row["network"]): row for row in csv.DictReader(lines, delimiter="\t")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ours", metavar="FILE", help="what `PEERS=1 cargo bench --bench methods` printed")
    ours = parser.parse_args().ours
    ours = read(ours) if ours else None
    if ours is not None and not ours:
        sys.exit("peers: ours measured nothing")
    if ours:
        threads = int(next(iter(ours.values()))["threads"])
        networks = list(dict.fromkeys(network for _, network in ours))
        methods = list(dict.fromkeys(method for method, _ in ours))
    else:
        threads = int(os.environ.get("THREADS", torch.get_num_threads()))
        networks, methods = chosen("NETWORKS", NETWORKS), chosen("METHODS", METHODS)
    torch.set_num_threads(threads)
    if ours:
        print(f"{threads} threads\n{'method':22} {'network':16} {'ours s':>9} {'theirs s':>9} {'ratio':>7}")
    else:
        print("method\tnetwork\tseconds\tthreads\tclass\tlogit")
    for network in networks:
        look = Look(network)
        for method in methods:
            row = ours.get((method, network)) if ours else None
            if ours and row is None or method in GUIDED and not look.relu:
                continue
            if method not in METHODS:
                if ours:
                    print(f"{method:22} {network:16} {float(row['seconds']):9.3f} {'none':>9}", flush=True)
                continue
            if row and (int(row["class"]) != look.target or abs(float(row["logit"]) / look.logit - 1) > 1e-3):
                sys.exit(f"peers: {network} says {look.target} {look.logit} here, {row['class']} {row['logit']} there")
            theirs = seconds(METHODS[method], look)
            if row:
                own = float(row["seconds"])
                print(f"{method:22} {network:16} {own:9.3f} {theirs:9.3f} {own / theirs:7.3f}", flush=True)
            else:
                print(method, network, theirs, threads, look.target, look.logit, sep="\t", flush=True)


if __name__ == "__main__":
    main()

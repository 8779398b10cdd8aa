#!/usr/bin/env python3
"""Exports a network of PyTorch as a `.pt2` file for convscope.

    python3 scripts/export.py timm:convnextv2_atto.fcmae_ft_in1k -o net.pt2
    python3 scripts/export.py torchvision:resnet18 --weights best.pth --labels labels.txt -o net.pt2
    python3 scripts/export.py hf:FOLDER_OR_MODEL_ID -o net.pt2
    python3 scripts/export.py nets.py:make_net --size 128 -o net.pt2     # runs the code of nets.py

convscope runs this script itself for `models: [timm:NAME]`. It needs torch 2.8 or newer, and the library that SOURCE names:
timm, torchvision, or transformers for `hf:`.

The file holds the graph and the weights of the network in evaluation mode, for batches of any size, and `convscope.json` among
its extra files: what convscope takes where an experiment says nothing. Its keys, all of which may be absent:

    source      what the network is: `timm:NAME`
    weights     `pretrained`, `untrained (seed N)`, or the name of a weight file
    versions    the versions of torch and of the source's library, by name
    preprocess  resize, crop, interpolation, mean, std, as in an experiment
    labels      the names of the classes, in the order of the outputs
    notes       where the above is not quite what the library does; convscope shows them as warnings

The same call with the same versions writes the same bytes.
"""

import argparse
import importlib.metadata
import json
import os
import pathlib
import re
import runpy
import sys
import tempfile

IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}

# What `note` has printed.
NOTES = []


class Failure(Exception):
    """An error of the call, whose message is printed alone."""


class Made:
    """A network, and what its library says of it."""

    def __init__(self, network, size, resize=None, interpolation="bilinear", mean=None, std=None, labels=None):
        self.network = network
        self.size = size
        self.preprocess = {
            "resize": resize or -(-size * 8 // 7),
            "crop": size,
            "interpolation": interpolation if interpolation in ("bilinear", "bicubic") else note_interpolation(interpolation),
            "mean": [float(value) for value in mean or IMAGENET["mean"]],
            "std": [float(value) for value in std or IMAGENET["std"]],
        }
        self.labels = labels


def note(message):
    if message in NOTES:
        return
    NOTES.append(message)
    print(f"export.py: {message}", file=sys.stderr, flush=True)


def note_interpolation(name):
    note(f"images will be resized with bicubic interpolation; the library's is `{name}`")
    return "bicubic"


# The sources. Each makes a network from `name` (what follows the colon), the arguments, and `classes`, the number of classes if
# it is not the default.


def from_timm(name, args, classes):
    import timm
    from timm.data import ImageNetInfo, infer_imagenet_subset, resolve_data_config

    if not timm.is_model(name):
        near = timm.list_models(name.split(".")[0].split("_")[0] + "*", pretrained=args.pretrained)[:8]
        raise Failure(f"timm {timm.__version__} has no network `{name}`" + (f"; similar: {', '.join(near)}" if near else ""))
    options = {} if classes is None else {"num_classes": classes}
    # A network whose parameters depend on the size is made for one size: an export for any size would resize its position
    # embedding with each image. Other networks don't take these options.
    config = timm.get_pretrained_cfg(name)
    side = {"img_size": args.size or config.input_size[-1]} if args.size or config else {}
    for sized in ({**side, "dynamic_img_size": False}, side, {}):
        try:
            network = timm.create_model(name, pretrained=args.pretrained, **options, **sized)
            break
        except TypeError:
            if not sized:
                raise
    config = resolve_data_config({}, model=network)
    size = args.size or config["input_size"][-1]
    if config["crop_mode"] != "center":
        note(f"images will be resized and cropped in the centre; timm's crop mode is `{config['crop_mode']}`")
    subset = infer_imagenet_subset(network)
    info = ImageNetInfo(subset) if subset else None
    return Made(
        network,
        size,
        resize=int(size / config["crop_pct"]),
        interpolation=config["interpolation"],
        mean=config["mean"],
        std=config["std"],
        labels=info and [info.index_to_description(index) for index in range(network.num_classes)],
    )


def from_torchvision(name, args, classes):
    import torchvision

    name, _, tag = name.partition(".")
    if name not in torchvision.models.list_models(module=torchvision.models):
        raise Failure(f"torchvision {torchvision.__version__} has no classifier `{name}`")
    sets = torchvision.models.get_model_weights(name)
    if tag and tag not in sets.__members__:
        raise Failure(f"torchvision's `{name}` has no weights `{tag}`; it has {', '.join(sets.__members__)}")
    weights = sets[tag] if tag else sets.DEFAULT
    options = {} if classes is None else {"num_classes": classes}
    if args.size and "vit" in name:
        options["image_size"] = args.size
    if name in ("googlenet", "inception_v3") and not args.pretrained:
        options.update(init_weights=True, aux_logits=False)
    network = torchvision.models.get_model(name, weights=weights if args.pretrained else None, **options)
    transforms = weights.transforms()
    (size,), (resize,) = transforms.crop_size, transforms.resize_size
    if args.size:
        size, resize = args.size, round(args.size * resize / size)
    interpolation = transforms.interpolation.value
    labels = None if classes else list(weights.meta["categories"])
    return Made(network, size, resize, interpolation, transforms.mean, transforms.std, labels)


def from_transformers(name, args, classes):
    import torch
    from transformers import AutoConfig, AutoImageProcessor, AutoModelForImageClassification

    class Logits(torch.nn.Module):
        def __init__(self, model):
            super().__init__()
            self.model = model

        def forward(self, pixel_values):
            return self.model(pixel_values=pixel_values).logits

    options = {} if classes is None else {"num_labels": classes}
    config = AutoConfig.from_pretrained(name, **options)
    if args.pretrained:
        model = AutoModelForImageClassification.from_pretrained(name, config=config)
    else:
        model = AutoModelForImageClassification.from_config(config)
    try:
        images = AutoImageProcessor.from_pretrained(name).to_dict()
    except (OSError, ValueError):
        note(f"{name} has no image processor; images will be preprocessed as for ImageNet")
        images = {}
    short = side_of(images.get("size"))
    crop = side_of(images.get("crop_size")) if images.get("do_center_crop") else None
    if isinstance(images.get("size"), dict) and "height" in images["size"] and not crop:
        note("images will be resized and cropped in the centre; transformers squashes them to a square")
    size = crop or short or getattr(config, "image_size", None) or 224
    size = size if isinstance(size, int) else size[-1]
    resize = short or size
    if images.get("crop_pct") and not crop and size < 384:
        resize = int(size / images["crop_pct"])
    if args.size:
        size, resize = args.size, round(args.size * resize / size)
    filters = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic"}
    names = [config.id2label[index] for index in sorted(config.id2label)]
    return Made(
        Logits(model),
        size,
        resize,
        filters.get(images.get("resample"), "bilinear"),
        images.get("image_mean") if images.get("do_normalize", True) else [0, 0, 0],
        images.get("image_std") if images.get("do_normalize", True) else [1, 1, 1],
        labels=None if classes or names == [f"LABEL_{index}" for index in range(len(names))] else names,
    )


def side_of(size):
    """The side in pixels of a size of transformers: `{"shortest_edge": 224}`, `{"height": 224, "width": 224}`, or 224."""
    if isinstance(size, dict):
        size = size.get("shortest_edge") or size.get("height") or size.get("longest_edge")
    return size if isinstance(size, int) else None


def from_file(source, args, classes):
    path, _, function = source.rpartition(":")
    if not pathlib.Path(path).is_file():
        raise Failure(f"there is no file {path}")
    sys.path.insert(0, str(pathlib.Path(path).resolve().parent))
    made = runpy.run_path(path).get(function)
    if not callable(made):
        raise Failure(f"{path} has no function `{function}`")
    return Made(made(), args.size or 224)


SOURCES = {
    "timm": (from_timm, ("torch", "timm")),
    "torchvision": (from_torchvision, ("torch", "torchvision")),
    "hf": (from_transformers, ("torch", "transformers")),
}


def source_of(text):
    """The function that makes the network, its first argument, and the libraries whose versions are recorded."""
    library, colon, name = text.partition(":")
    if library in SOURCES and name:
        return SOURCES[library][0], name, SOURCES[library][1]
    if re.search(r"\.py:\w+$", text):
        return from_file, text, ("torch",)
    raise Failure(f"SOURCE must be timm:NAME, torchvision:NAME, hf:MODEL or FILE.py:FUNCTION, got `{text}`")


# Weight files.


def read_state(path):
    """The state dict in a file; tensors alone are read, and no code is run."""
    import torch

    if not path.is_file():
        raise Failure(f"there is no weight file {path}")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except ImportError:
        raise
    except Exception as error:
        advice = "it must be a state dict, saved with `torch.save(net.state_dict(), path)`, or a .safetensors file"
        raise Failure(f"{path} can't be read: {advice} ({summary(error)})") from error
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise Failure(f"{path} holds no state dict; save one with `torch.save(net.state_dict(), path)`")
    if state and all(name.startswith("module.") for name in state):
        state = {name.removeprefix("module."): value for name, value in state.items()}
    return state


def classes_of(state, network):
    """The number of classes of a state dict whose last layer alone has another number of outputs than `network`; else None."""
    own = network.state_dict()
    other = {name: value.shape for name, value in state.items() if name in own and own[name].shape != value.shape}
    same_inputs = all(shape[1:] == own[name].shape[1:] for name, shape in other.items())
    counts = {shape[0] if shape else 0 for shape in other.values()}
    return counts.pop() if len(counts) == 1 and same_inputs else None


def named_as(network, state):
    """The state dict with the names of `network`, which is `model` in the wrapper of a network of transformers."""
    is_wrapped = all(name.startswith("model.") for name in network.state_dict())
    if is_wrapped and not any(name.startswith("model.") for name in state):
        return {f"model.{name}": value for name, value in state.items()}
    return state


def load_strictly(network, state, path):
    own = network.state_dict()
    shapes = [
        f"`{name}` is {list(state[name].shape)} instead of {list(own[name].shape)}"
        for name in own
        if name in state and state[name].shape != own[name].shape
    ]
    missing = [f"`{name}`" for name in own if name not in state]
    unknown = [f"`{name}`" for name in state if name not in own]
    faults = [("of another shape", shapes), ("missing", missing), ("not in the network", unknown)]
    faults = [f"{len(names)} {what}: {', '.join(names[:4])}{', …' if len(names) > 4 else ''}" for what, names in faults if names]
    if faults:
        raise Failure(f"{path} doesn't fit the network: {'; '.join(faults)}")
    network.load_state_dict(state)


# The export.


def export(network, size):
    """The exported program, for batches of any size if possible."""
    import torch

    def of_batch(count, shapes):
        return torch.export.export(network, (torch.zeros(count, 3, size, size),), dynamic_shapes=shapes)

    with torch.no_grad():
        try:
            program = of_batch(2, ({0: torch.export.Dim.DYNAMIC},))
        except Exception as error:
            note(f"the network can't be exported for batches of any size ({summary(error)}); it will be for one image")
            program = of_batch(1, None)
    for module in program.graph_module.modules():
        for node in getattr(getattr(module, "graph", None), "nodes", ()):
            # Paths of this machine.
            node.meta.pop("stack_trace", None)
    return program


def summary(error):
    """An error in one line."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__


def make(args):
    """The network with its weights, and the content of `convscope.json`."""
    import torch

    build, name, libraries = source_of(args.source)
    torch.manual_seed(args.seed or 0)
    try:
        made = build(name, args, None)
    except ImportError:
        raise
    except Exception as error:
        if args.pretrained and not isinstance(error, Failure):
            advice = "check the connection, or take a weight file (--weights) or random weights (--no-pretrained)"
            raise Failure(f"the pretrained weights of {args.source} can't be loaded ({summary(error)}); {advice}") from error
        raise
    if args.weights:
        state = named_as(made.network, read_state(args.weights))
        classes = classes_of(state, made.network)
        if classes and build is not from_file:
            made = build(name, args, classes)
            made.labels = None
        load_strictly(made.network, state, args.weights)
    if args.labels:
        made.labels = [line.strip() for line in args.labels.read_text(encoding="utf-8-sig").strip().split("\n")]
    trained = "pretrained" if args.pretrained else args.weights.name if args.weights else f"untrained (seed {args.seed or 0})"
    # A path of this machine is reduced to its last part.
    library = "" if build is from_file else args.source.partition(":")[0] + ":"
    local = build is from_file or build is from_transformers and pathlib.Path(name).is_dir()
    extra = {
        "source": library + (pathlib.Path(name).name if local else name),
        "weights": None if build is from_file and not args.weights else trained,
        "versions": {library: importlib.metadata.version(library) for library in libraries},
        "preprocess": made.preprocess,
        "labels": made.labels,
    }
    return made.network.eval(), made.size, {key: value for key, value in extra.items() if value is not None}


def save(program, extra, path):
    """Writes the file under a temporary name first, so that no half of one is left. The folder in the archive is always `net`."""
    import torch

    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".export-") as folder:
        whole = pathlib.Path(folder) / "net.pt2"
        torch.export.save(program, whole, extra_files={"convscope.json": json.dumps(extra)})
        os.replace(whole, path)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0], epilog="The header of this file says more.")
    parser.add_argument("source", metavar="SOURCE", help="timm:NAME[.TAG], torchvision:NAME[.WEIGHTS], hf:MODEL, FILE.py:FUNCTION")
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True, metavar="FILE.pt2")
    parser.add_argument("--weights", type=pathlib.Path, help="a state dict (.pth, .safetensors) in place of the pretrained weights")
    parser.add_argument("--no-pretrained", dest="pretrained", action="store_false", help="random weights, as the library draws them")
    parser.add_argument("--seed", type=int, help="the seed of random weights; implies --no-pretrained")
    parser.add_argument("--size", type=int, help="height and width of the input in pixels; by default the source's")
    parser.add_argument("--labels", type=pathlib.Path, help="a text file with one class name a line")
    args = parser.parse_args()
    if args.seed is not None and args.weights:
        parser.error("--seed is of random weights, and --weights of a file: give one of them")
    if args.size is not None and args.size < 1:
        parser.error(f"--size must be 1 or more, got {args.size}")
    if not args.output.absolute().parent.is_dir():
        parser.error(f"there is no folder {args.output.parent}")
    args.pretrained = args.pretrained and args.seed is None and args.weights is None
    return args


def main():
    args = arguments()
    try:
        network, size, extra = make(args)
        program = export(network, size)
        if NOTES:
            extra["notes"] = NOTES
        save(program, extra, args.output)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        sys.exit(f"No module named '{package}'; install it with: {sys.executable} -m pip install {package}")
    except Failure as error:
        sys.exit(str(error))
    except Exception as error:
        if os.environ.get("CONVSCOPE_LOG") == "debug":
            raise
        sys.exit(f"{args.source} can't be exported: {summary(error)}")


if __name__ == "__main__":
    main()

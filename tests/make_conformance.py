"""Exports networks of timm and torchvision, and writes what PyTorch computes with them: tests/conformance.rs compares
convscope with it.

    target/peers/bin/python tests/make_conformance.py --folder target/conformance/small --small
    target/peers/bin/python tests/make_conformance.py --folder FOLDER             # one network of each family
    target/peers/bin/python tests/make_conformance.py --folder FOLDER --only timm-resnet,torchvision-resnet18

Of each network it writes `FAMILY-NAME.pt2`, exported for batches of any size, `FAMILY-NAME-fixed.pt2`, exported for one image,
and `FAMILY-NAME.safetensors`:

- `logits`: of three images;
- `gradient`: of the first logit of the first image with respect to it; if it is large, every `gradient_stride`-th value;
- `logits_double`, `gradient_double`: the same, computed with 64 bits, where the network can be.

The images are sin(0.37 * index) over all their values.

A network is as its library builds it, but all its parameters and statistics are drawn anew, because many are built with branches
that compute 0 (see `redraw`). No weights are fetched. After each network a line is printed: its name, or its name, a tab and an
error. What is there already is not made again, unless this file or a library has changed.
"""

import argparse
import hashlib
import pathlib
import sys
import time
import warnings

import timm
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

# Of each file of timm.models the network with the fewest parameters, except those that timm has for its own tests. Where a
# network has more than 100 million parameters or large images, options reduce it.
FAMILIES = {
    "beit-beit_base_patch16_224": {},
    "byoanet-halonet_h1": {},
    "byobnet-mobileone_s1": {},
    "cait-cait_xxs24_224": {},
    "coat-coat_tiny": {},
    "convit-convit_tiny": {},
    "convmixer-convmixer_768_32": {},
    "convnext-convnext_zepto_rms": {},
    "cpubone-cpubone_nano": {},
    "crossvit-crossvit_tiny_240": {},
    "csatv2-csatv2": {"size": (256, 256)},
    "cspnet-cs3darknet_focus_s": {},
    "cspnext-cspnext_tiny": {},
    "davit-davit_tiny": {},
    "deepseek_vit-deepseek_vit_412m": {"depth": 2, "img_size": 224},
    "deit-deit_tiny_patch16_224": {},
    "densenet-densenet121": {},
    "dla-dla46x_c": {},
    "dpn-dpn48b": {},
    "edgenext-edgenext_xx_small": {},
    "efficientformer-efficientformer_l1": {},
    "efficientformer_v2-efficientformerv2_s0": {},
    "efficientnet-mobilenetv2_035": {},
    "efficientvim-efficientvim_m1": {},
    "efficientvit_mit-efficientvit_b0": {},
    "efficientvit_msra-efficientvit_m0": {},
    "eva-vit_tiny_patch16_dinov3_qkvb": {},
    "fasternet-fasternet_t0": {},
    "fastvit-fastvit_t8": {},
    "focalnet-focalnet_tiny_srf": {},
    "gcvit-gcvit_xxtiny": {},
    "gemma4_vit-gemma4_vit_167m": {"depth": 2, "size": (192, 192)},
    "ghostnet-ghostnet_050": {},
    "hardcorenas-hardcorenas_b": {},
    "hgnet-hgnetv2_b0": {},
    "hiera-hiera_tiny_224": {},
    "hieradet_sam2-sam2_hiera_tiny": {"size": (224, 224)},
    "hrnet-hrnet_w18_small": {},
    "iformer-iformer_t": {},
    "inception_next-inception_next_atto": {},
    "inception_resnet_v2-inception_resnet_v2": {},
    "inception_v3-inception_v3": {},
    "inception_v4-inception_v4": {},
    "lcnetv2-lcnetv2_small": {},
    "levit-levit_128s": {},
    "lowformer-lowformer_b0": {},
    "mambaout-mambaout_femto": {},
    "maxxvit-maxvit_pico_rw_256": {},
    "metaformer-poolformerv2_s12": {},
    "mlp_mixer-gmlp_ti16_224": {},
    "mobilenetv3-mobilenetv3_small_050": {},
    "mobilenetv5-mobilenetv5_base": {},
    "mobilevit-mobilevit_xxs": {},
    "mvitv2-mvitv2_tiny": {},
    "naflexvit-naflexvit_base_patch16_parfac_gap": {},
    "nasnet-nasnetalarge": {"size": (224, 224)},
    "nest-nest_tiny": {},
    "nextvit-nextvit_small": {},
    "nfnet-nf_regnet_b0": {},
    "pit-pit_ti_224": {},
    "pnasnet-pnasnet5large": {"size": (224, 224)},
    "pvt_v2-pvt_v2_b0": {},
    "qwen3_vit-qwen3_vit_88m": {"depth": 2, "size": (224, 224)},
    "rdnet-rdnet_tiny": {},
    "regnet-regnetx_002": {},
    "repghost-repghostnet_050": {},
    "repvit-repvit_m1": {},
    "res2net-res2next50": {},
    "resnest-resnest14d": {},
    "resnet-resnet10t": {},
    "resnetv2-resnetv2_18": {},
    "rexnet-rexnet_100": {},
    "selecsls-selecsls42": {},
    "senet-legacy_seresnet18": {},
    "sequencer-sequencer2d_s": {},
    "shvit-shvit_s1": {},
    "sknet-skresnet18": {},
    "starnet-starnet_s050": {},
    "swiftformer-swiftformer_xs": {},
    "swin_transformer-swin_tiny_patch4_window7_224": {},
    "swin_transformer_v2-swinv2_tiny_window16_256": {},
    "swin_transformer_v2_cr-swinv2_cr_tiny_224": {},
    "tiny_vit-tiny_vit_5m_224": {},
    "tnt-tnt_s_legacy_patch16_224": {},
    "tresnet-tresnet_m": {},
    "twins-twins_svt_small": {},
    "vgg-vgg11": {"size": (64, 64)},
    "visformer-visformer_tiny": {},
    "vision_transformer-vit_tiny_patch16_224": {},
    "vision_transformer_hybrid-vit_tiny_r_s16_p8_224": {},
    "vision_transformer_relpos-vit_srelpos_small_patch16_224": {},
    "vision_transformer_sam-samvit_base_patch16_224": {},
    "vitamin-vitamin_small_224": {},
    "volo-volo_d1_224": {},
    "vovnet-ese_vovnet19b_slim_dw": {},
    "xception-legacy_xception": {},
    "xception_aligned-xception41p": {},
    "xcit-xcit_nano_12_p8_224": {},
}

# Networks of torchvision that are too large: they have more than 150 million parameters, and their smaller siblings the same
# operators.
TOO_LARGE = ["convnext_large", "regnet_y_128gf", "vit_h_14", "vit_l_16", "vit_l_32"]
for torchvision_name in torchvision.models.list_models(module=torchvision.models):
    if torchvision_name not in TOO_LARGE:
        FAMILIES[f"torchvision-{torchvision_name}"] = {}

# Small networks of different kinds for CI: reduced where the library has no small one.
SMALL = {
    "byobnet-test_byobnet": {"size": (64, 64)},
    "convnext-test_convnext": {"size": (64, 64)},
    "densenet-densenet121": {"size": (64, 64), "growth_rate": 8, "block_config": (2, 2)},
    "efficientnet-test_efficientnet": {"size": (64, 64)},
    "eva-eva02_tiny_patch14_224": {"img_size": 56, "embed_dim": 48, "depth": 2, "num_heads": 3, "size": (56, 56)},
    "levit-levit_128s": {
        "size": (64, 64), "img_size": 64, "embed_dim": (32, 48), "num_heads": (2, 3), "depth": (1, 1), "key_dim": 8,
    },
    "mambaout-test_mambaout": {"size": (64, 64)},
    "mobilenetv3-mobilenetv3_small_050": {"size": (64, 64)},
    "mobilevit-mobilevit_xxs": {"size": (64, 64)},
    "nfnet-test_nfnet": {"size": (64, 64)},
    "resnet-test_resnet": {"size": (64, 64)},
    "swin_transformer-swin_tiny_patch4_window7_224": {
        "size": (56, 56), "img_size": 56, "embed_dim": 24, "depths": (2, 2), "num_heads": (2, 4),
    },
    "vision_transformer-vit_tiny_patch16_224": {"size": (64, 64), "img_size": 64, "embed_dim": 48, "depth": 2},
    "torchvision-efficientnet_b0": {"size": (64, 64)},
    "torchvision-resnet18": {"size": (64, 64)},
    "torchvision-shufflenet_v2_x0_5": {"size": (64, 64)},
}


def redraw(network, images, seed):
    """Draws every parameter and statistic at normal scale, so that every branch has an effect on the logits.

    Weights of layers are scaled by the values that they sum over, norms and factors (the gamma of a layer scale) are around 1.
    Running statistics are those of what `images` give, changed by some 30 %: with others, deep networks overflow or vanish.
    """
    generator = torch.Generator().manual_seed(seed)

    def normal(value):
        return torch.randn(value.shape, generator=generator)

    layers = {}
    for name, module in network.named_modules():
        if isinstance(module, (nn.Linear, nn.modules.conv._ConvNd)):
            gain = 2**0.5 if isinstance(module, nn.modules.conv._ConvNd) else 1
            layers[f"{name}.weight"] = gain
    for name, value in network.named_parameters():
        last = name.rsplit(".", 1)[-1]
        added = any(part in last for part in ("bias", "beta", "embed", "token", "pos", "table"))
        if max(value.shape, default=1) == value.numel():
            drawn = 0.2 * normal(value) if added else 1 + 0.3 * normal(value)
        elif name in layers or not added:
            drawn = layers.get(name, 1) * normal(value) / value[0].numel() ** 0.5
        else:
            drawn = 0.5 * normal(value)
        value.data.copy_(drawn)
    network.eval()

    def draw_statistics(module, inputs):
        """Before the first call of a module with running statistics: takes them from what reaches it, and changes them."""
        hooks.pop(module).remove()
        module.training, module.momentum = True, 1.0
        module(*inputs)
        module.training, module.momentum = False, 0.1
        mean, variance = module.running_mean, module.running_var
        deviation = variance.sqrt()
        variance.mul_((0.3 * normal(variance)).exp()).add_(0.1 * variance.mean() + 1e-4)
        if mean is not None:
            variance.add_(mean**2)
            mean.add_(0.3 * normal(mean) * deviation)

    hooks = {
        module: module.register_forward_pre_hook(draw_statistics)
        for module in network.modules()
        if getattr(module, "running_var", None) is not None
    }
    with torch.no_grad():
        network(images)
    for hook in hooks.values():  # Of branches that only training uses.
        hook.remove()


def random_images(size):
    """Seven images with structures of several sizes, each with a contrast and a colour of its own.

    Regular patterns would not do: positions of the same value, of which a max-pooling layer chooses one, or which a ReLU cuts
    all at once, have gradients that depend on the last bit.
    """
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(7, 3, 1, 1, generator=generator) * 0.5
    for scale in (1, 4, 16):
        grid = [max(side // scale, 1) for side in size]
        noise = torch.randn(7, 3, *grid, generator=generator) * 0.5
        images = images + nn.functional.interpolate(noise, size, mode="bilinear")
    return images


def forget(network):
    """Clears what modules keep from one call to the next."""
    for module in network.modules():
        for name, value in vars(module).items():
            if isinstance(value, dict) and name.endswith("_cache"):
                value.clear()


def compute(network, images):
    """Logits of the images, and the gradient of the first logit of the first image with respect to it.

    All images are in the batch: the gradient of an image alone can be wrong in PyTorch. `batch_norm` in evaluation mode, on the
    CPU, takes the values of a gradient in a wrong order if the batch has one image, the input is contiguous, and the gradient
    comes from tokens (its strides are C, 1, W * C, C). LeViT and EfficientFormer have such a place.
    """
    forget(network)
    images = images.clone().requires_grad_(True)
    logits = network(images)
    (gradient,) = torch.autograd.grad(logits[0, 0], images)
    forget(network)
    return logits.detach(), gradient[0]


def assert_is_gradient(network, images, gradient):
    """Compares the gradient with differences of the logit along a random direction, computed with 64 bits.

    Small steps change the side of few ReLUs; networks that compute a part with 32 bits need larger ones.
    """
    direction = torch.randn(images[0].shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    found = (gradient * direction).sum()
    differences = []
    for step in (1e-9, 1e-5, 1e-3, 1e-2):
        with torch.no_grad():
            forget(network)
            changed = torch.cat([images, images])[[0, 1, 0]]
            changed[0] += step * direction
            changed[2] -= step * direction
            logits = network(changed)[:, 0]
            forget(network)
        differences.append(((logits[0] - logits[2]) / (2 * step)).item())
        if abs(found - differences[-1]) < 2e-2 * gradient.norm():
            return
    raise AssertionError(f"the gradient along a direction is {found}, not one of {differences}")


def build(family, name, options):
    """A network and the size of its images."""
    options = dict(options)
    size = options.pop("size", None)
    if family == "torchvision":
        if name in ("googlenet", "inception_v3"):
            options["init_weights"] = False
        network = torchvision.models.get_model(name, weights=None, **options)
        return network, size or ((299, 299) if name == "inception_v3" else (224, 224))
    network = timm.create_model(name, pretrained=False, **{"num_classes": 1000} | options)
    return network, size or tuple(network.pretrained_cfg["input_size"][-2:])


def expected_values(network, images):
    """What tests/conformance.rs compares with; an error if it would show little."""
    logits, gradient = compute(network, images)
    largest = logits.abs().max()
    assert logits.isfinite().all() and gradient.isfinite().all(), "values are not finite"
    assert logits.dim() == 2, f"the output has the shape {tuple(logits.shape)}"
    assert 1e-3 < largest < 1e6, f"the largest logit is {largest}"
    assert gradient.abs().max() > 1e-9 * largest, f"the largest gradient is {gradient.abs().max()}"
    difference = (logits[0] - logits[1]).abs().max() / largest
    assert difference > 1e-3, f"logits of two images differ by {difference:.1e} only"
    # A prime number, so that all columns are met.
    stride = 1 if gradient.numel() < 40000 else 7
    found = {"images": images, "logits": logits, "gradient": gradient.flatten()[::stride].clone()}
    found["gradient_stride"] = torch.tensor([stride])
    try:
        logits, gradient = compute(network.double(), images.double())
        assert_is_gradient(network, images.double(), gradient)
        found |= {"logits_double": logits, "gradient_double": gradient.flatten()[::stride].clone()}
    except RuntimeError:
        pass  # Some convert to 32 bits.
    finally:
        network.float()
    return found


def export(network, size, path, fixed):
    forget(network)
    example = torch.zeros(1 if fixed else 2, 3, *size)
    batch = None if fixed else ({0: torch.export.Dim.DYNAMIC},)
    program = torch.export.export(network, (example,), dynamic_shapes=batch)
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # They have paths of this machine.
    part = path.with_suffix(".part.pt2")
    torch.export.save(program, part)
    part.rename(path)


def make(folder, family, name, options, kinds):
    stem = f"{family}-{name}"
    paths = {"dynamic": folder / f"{stem}.pt2", "fixed": folder / f"{stem}-fixed.pt2"}
    expected = folder / f"{stem}.safetensors"
    missing = [kind for kind in kinds if not paths[kind].exists()]
    if not missing and expected.exists():
        return
    torch.manual_seed(0)
    network, size = build(family, name, options)
    images = random_images(size)
    redraw(network, images, 0)
    network.requires_grad_(False)
    values = expected_values(network, images[:3])
    save_file({key: value.contiguous() for key, value in values.items()}, expected)
    for kind in missing:
        export(network, size, paths[kind], kind == "fixed")


def version():
    text = pathlib.Path(__file__).read_bytes() + f"{torch.__version__} {timm.__version__} {torchvision.__version__}".encode()
    return hashlib.sha256(text).hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--only", help="families, or FAMILY-NAME, separated by commas")
    parser.add_argument("--kinds", default="dynamic,fixed")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    chosen = SMALL if arguments.small else FAMILIES
    if arguments.only:
        only = arguments.only.split(",")
        chosen = {key: options for key, options in chosen.items() if key in only or key.split("-")[0] in only}
    arguments.folder.mkdir(parents=True, exist_ok=True)
    stamp = arguments.folder / "version"
    if not stamp.exists() or stamp.read_text() != version():
        for path in [*arguments.folder.glob("*.pt2"), *arguments.folder.glob("*.safetensors")]:
            path.unlink()
        stamp.write_text(version())
    for key, options in chosen.items():
        family, name = key.split("-")
        start = time.time()
        try:
            make(arguments.folder, family, name, options, [kind for kind in arguments.kinds.split(",") if kind])
            print(key, flush=True)
        except Exception as error:
            print(f"{key}\t{type(error).__name__}: {str(error).strip().splitlines()[0][:300]}", flush=True)
        print(f"{key}: {time.time() - start:.1f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

"""Keys and shapes of published checkpoints, at any size."""

from __future__ import annotations

Shapes = dict[str, list[int]]


def rosinality(channels: tuple[int, ...], d: int, mapping_layers: int = 8) -> Shapes:
    """A StyleGAN2 generator as rosinality and pSp save it."""
    shapes: Shapes = {"input.input": [1, channels[0], 4, 4]}
    for i in range(1, mapping_layers + 1):
        shapes |= {f"style.{i}.weight": [d, d], f"style.{i}.bias": [d]}
    for i in range(2 * len(channels) - 1):
        name, up = ("conv1" if i == 0 else f"convs.{i - 1}"), i % 2 == 1
        c_out, side = channels[(i + 1) // 2], 4 * 2 ** ((i + 1) // 2)
        c_in = channels[i // 2] if up else c_out
        shapes |= _modulated(f"{name}.conv", c_in, c_out, 3, d)
        shapes |= {f"{name}.conv.blur.kernel": [4, 4]} if up else {}
        shapes |= {f"{name}.noise.weight": [1], f"{name}.activate.bias": [c_out]}
        shapes[f"noises.noise_{i}"] = [1, 1, side, side]
    for i, c in enumerate(channels):
        name = "to_rgb1" if i == 0 else f"to_rgbs.{i - 1}"
        shapes |= {f"{name}.bias": [1, 3, 1, 1], **_modulated(f"{name}.conv", c, 3, 1, d)}
        shapes |= {f"{name}.upsample.kernel": [4, 4]} if i else {}
    return shapes


def _modulated(name: str, c_in: int, c_out: int, kernel: int, d: int) -> Shapes:
    return {
        f"{name}.weight": [1, c_out, c_in, kernel, kernel],
        f"{name}.modulation.weight": [c_in, d],
        f"{name}.modulation.bias": [c_in],
    }


def stylegan3(
    sizes: tuple[int, ...], channels: tuple[int, ...], d: int, radial: bool = False, mapping_layers: int = 2
) -> Shapes:
    """A StyleGAN3 generator as NVIDIA saves it. ``sizes`` and ``channels`` are of every layer, the RGB layer's too."""
    c, last = channels, len(channels) - 1
    shapes: Shapes = {"mapping.w_avg": [d], "synthesis.input.weight": [c[0], c[0]]}
    shapes |= {"synthesis.input.affine.weight": [4, d], "synthesis.input.affine.bias": [4]}
    shapes |= {
        "synthesis.input.transform": [3, 3],
        "synthesis.input.freqs": [c[0], 2],
        "synthesis.input.phases": [c[0]],
    }
    for i in range(mapping_layers):
        shapes |= {f"mapping.fc{i}.weight": [d, d], f"mapping.fc{i}.bias": [d]}
    rates = [min(size - 20, sizes[-1]) if size != sizes[-1] else size for size in sizes]
    for i, (size, c_out) in enumerate(zip(sizes, c, strict=True)):
        before, kernel = max(i - 1, 0), 1 if radial or i == last else 3
        name, c_in = f"synthesis.L{i}_{size}_{c_out}", c[before]
        shapes |= {f"{name}.weight": [c_out, c_in, kernel, kernel], f"{name}.bias": [c_out]}
        shapes |= {f"{name}.affine.weight": [c_in, d], f"{name}.affine.bias": [c_in], f"{name}.magnitude_ema": []}
        if i < last:
            shapes[f"{name}.up_filter"] = [12 * rates[i] // rates[before]]
            shapes[f"{name}.down_filter"] = [12, 12] if radial and i < last - 2 else [12]
    return shapes


def _norm(name: str, c: int) -> Shapes:
    return {f"{name}.{k}": [c] for k in ("weight", "bias", "running_mean", "running_var")} | {
        f"{name}.num_batches_tracked": []
    }


def _stages(stage: str, widths: tuple[int, ...], blocks: tuple[int, ...]) -> Shapes:
    shapes: Shapes = {}
    for s, count in enumerate(blocks):
        for i in range(count):
            name, c, c_in = f"{stage}{s + 1}.{i}", widths[s + 1], widths[s] if i == 0 else widths[s + 1]
            shapes |= _norm(f"{name}.bn1", c_in) | {f"{name}.conv1.weight": [c, c_in, 3, 3]}
            shapes |= _norm(f"{name}.bn2", c) | {f"{name}.prelu.weight": [c], f"{name}.conv2.weight": [c, c, 3, 3]}
            shapes |= _norm(f"{name}.bn3", c)
            if i == 0:
                shapes |= {f"{name}.downsample.0.weight": [c, c_in, 1, 1]} | _norm(f"{name}.downsample.1", c)
    return shapes


def feature_style_encoder(
    widths: tuple[int, ...], blocks: tuple[int, ...], layers: int, d: int, feature_channels: int
) -> Shapes:
    """The official Feature-Style encoder."""
    w, f = widths, feature_channels
    shapes: Shapes = {"conv.0.weight": [w[0], 3, 3, 3], **_norm("conv.1", w[0]), "conv.2.weight": [w[0]]}
    shapes |= _stages("block_", widths, blocks) | _norm("content_layer.0", w[3])
    shapes |= {"content_layer.1.weight": [f, w[3], 3, 3]} | _norm("content_layer.2", f)
    shapes |= {"content_layer.3.weight": [f], "content_layer.4.weight": [f, f, 3, 3]} | _norm("content_layer.5", f)
    for i in range(layers):
        shapes |= {f"styles.{i}.weight": [d, 9 * sum(w[1:])], f"styles.{i}.bias": [d]}
    return shapes


def arcface(widths: tuple[int, ...], blocks: tuple[int, ...], embedding: int) -> Shapes:
    """ArcFace on an iresnet, 112 x 112."""
    w = widths
    shapes: Shapes = {"conv1.weight": [w[0], 3, 3, 3], **_norm("bn1", w[0]), "prelu.weight": [w[0]]}
    shapes |= _stages("layer", widths, blocks) | _norm("bn2", w[4])
    return shapes | {"fc.weight": [embedding, 49 * w[4]], "fc.bias": [embedding]} | _norm("features", embedding)


def face_parsing(widths: tuple[int, ...], parts: int = 19) -> Shapes:
    """BiSeNet on a resnet18, with its auxiliary outputs."""
    w, c = (widths[0], *widths), widths[1]

    def conv(name: str, c_in: int, c_out: int, kernel: int) -> Shapes:
        return {f"{name}.conv.weight": [c_out, c_in, kernel, kernel], **_norm(f"{name}.bn", c_out)}

    shapes: Shapes = {"cp.resnet.conv1.weight": [w[0], 3, 7, 7], **_norm("cp.resnet.bn1", w[0])}
    for s in range(4):
        for i in range(2):
            name, c_in, c_out = f"cp.resnet.layer{s + 1}.{i}", w[s] if i == 0 else w[s + 1], w[s + 1]
            shapes |= {f"{name}.conv1.weight": [c_out, c_in, 3, 3], **_norm(f"{name}.bn1", c_out)}
            shapes |= {f"{name}.conv2.weight": [c_out, c_out, 3, 3], **_norm(f"{name}.bn2", c_out)}
            if s and i == 0:
                shapes |= {f"{name}.downsample.0.weight": [c_out, c_in, 1, 1], **_norm(f"{name}.downsample.1", c_out)}
    for side, c_in in ((16, w[3]), (32, w[4])):
        shapes |= conv(f"cp.arm{side}.conv", c_in, c, 3) | {f"cp.arm{side}.conv_atten.weight": [c, c, 1, 1]}
        shapes |= _norm(f"cp.arm{side}.bn_atten", c) | conv(f"cp.conv_head{side}", c, c, 3)
        shapes |= conv(f"conv_out{side}.conv", c, c // 2, 3) | {
            f"conv_out{side}.conv_out.weight": [parts, c // 2, 1, 1]
        }
    shapes |= conv("cp.conv_avg", w[4], c, 1) | conv("ffm.convblk", 2 * c, 2 * c, 1)
    shapes |= {"ffm.conv1.weight": [c // 2, 2 * c, 1, 1], "ffm.conv2.weight": [2 * c, c // 2, 1, 1]}
    return shapes | conv("conv_out.conv", 2 * c, 2 * c, 3) | {"conv_out.conv_out.weight": [parts, 2 * c, 1, 1]}


TOY_GENERATOR = rosinality((8, 8, 8, 6), 8, 3)
TOY_ENCODER = feature_style_encoder((4, 4, 6, 8, 8), (1, 2, 2, 1), 8, 8, 6)
TOY_ARCFACE = arcface((4, 4, 6, 8, 8), (1, 2, 2, 1), 16)

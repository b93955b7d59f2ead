"""Networks: shapes, strides, seeds, refusals."""

import pytest
import torch

from medvision.config import (
    CustomModel,
    DenseNetModel,
    DynUNetModel,
    InstalledModel,
    ResNetModel,
    UNetModel,
)
from medvision.errors import ConfigError
from medvision.models import build_model, total_stride

CLASSIFIERS = [
    ResNetModel(kind="resnet", depth=10, widths=(4, 8, 8, 8), stem_kernel=3, dropout=0.5),
    ResNetModel(kind="resnet", depth=18, widths=(4, 4, 8, 8), stem_stride=2, stem_pool=True),
    DenseNetModel(kind="densenet", growth_rate=4, blocks=(2, 2), init_features=8),
]
SEGMENTERS = [
    UNetModel(kind="unet", channels=(4, 8, 8), norm="batch"),
    DynUNetModel(kind="dynunet", channels=(4, 8, 8), residual=True),
    DynUNetModel(kind="dynunet", channels=(4, 8, 8, 8), deep_supervision=2),
]


@pytest.mark.parametrize("model", CLASSIFIERS, ids=lambda model: f"{model.kind}")
def test_a_classifier_gives_one_logit_a_case(model):
    network = build_model(model, out_channels=1)
    assert network(torch.randn(2, 1, 32, 24, 20)).shape == (2, 1)


@pytest.mark.parametrize("model", SEGMENTERS, ids=lambda model: model.kind)
def test_a_segmenter_keeps_the_grid_and_needs_sides_divisible_by_its_stride(model):
    network = build_model(model, in_channels=2, out_channels=3).eval()
    side = total_stride(model)
    assert network(torch.randn(1, 2, 2 * side, 3 * side, 2 * side)).shape == (
        1,
        3,
        2 * side,
        3 * side,
        2 * side,
    )
    with pytest.raises(RuntimeError):
        network(torch.randn(1, 2, 2 * side + 1, 3 * side, 2 * side))


def test_deep_supervision_returns_its_levels_while_training():
    network = build_model(SEGMENTERS[2], out_channels=3).train()
    assert network(torch.randn(2, 1, 16, 16, 16)).shape == (2, 3, 3, 16, 16, 16)


@pytest.mark.parametrize("model", [*CLASSIFIERS, *SEGMENTERS], ids=lambda model: model.kind)
def test_every_parameter_gets_a_gradient(model):
    network = build_model(model, out_channels=2).train()
    network(torch.randn(2, 1, 32, 32, 32)).square().mean().backward()
    assert [name for name, weight in network.named_parameters() if weight.grad is None] == []


def test_weights_depend_on_the_seed_alone():
    def weights(seed):
        torch.manual_seed(seed)
        return torch.cat(
            [value.flatten() for value in build_model(CLASSIFIERS[0], out_channels=1).parameters()]
        )

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_a_custom_network_needs_the_callers_permission():
    model = CustomModel(kind="custom", target="os:system")
    with pytest.raises(ConfigError, match="--allow os"):
        build_model(model, out_channels=1)


def test_a_custom_network_must_exist_and_be_a_network():
    with pytest.raises(ConfigError, match="cannot be imported"):
        build_model(CustomModel(kind="custom", target="math:Nothing"), out_channels=1, allow=["math"])
    with pytest.raises(ConfigError, match="not a torch module"):
        build_model(CustomModel(kind="custom", target="builtins:dict"), out_channels=1, allow=["builtins"])


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package on the path that offers two networks and something that is none."""
    (tmp_path / "their_nets.py").write_text(
        "from monai.networks.nets import UNet\n"
        "def tiny(in_channels, out_channels):\n"
        "    return UNet(3, in_channels, out_channels, (4, 8), (2,))\n"
        "def none(in_channels, out_channels):\n"
        "    return 'a network'\n"
    )
    facts = tmp_path / "their_nets-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: their-nets\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(
        "[medvision.models]\ntiny_unet = their_nets:tiny\nnone = their_nets:none\ngone = their_nets:gone\n"
    )
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("installed")
def test_a_network_of_an_installed_package():
    network = build_model(InstalledModel(kind="installed", name="tiny_unet"), out_channels=3)
    assert network(torch.zeros(2, 1, 8, 8, 8)).shape == (2, 3, 8, 8, 8)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("tiny_nuet", "no installed package offers such a network .*did you mean 'tiny_unet'"),
        ("gone", "model.name 'gone' cannot be imported"),
        ("none", "model.name 'none' made a str, not a torch module"),
    ],
)
def test_an_installed_network_must_be_there_and_be_a_network(name, said):
    with pytest.raises(ConfigError, match=said):
        build_model(InstalledModel(kind="installed", name=name), out_channels=1)

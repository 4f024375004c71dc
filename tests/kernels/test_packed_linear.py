"""Prepacked linear layers against their reference."""

import copy

import pytest
import torch
from torch import nn

from vqnat.kernels.linear import linear_reference
from vqnat.kernels.packed_linear import Int8Linear, PackedLinear, can_pack, pack


@pytest.mark.parametrize("rows", [(), (1,), (3, 5)])
@pytest.mark.parametrize("bias", [True, False])
def test_a_packed_map_is_the_map(rows, bias):
    torch.manual_seed(1)
    linear = nn.Linear(48, 33, bias=bias)
    x = torch.randn(*rows, 1, 48)
    with torch.no_grad():
        expected = linear_reference(x, linear.weight, linear.bias)
        torch.testing.assert_close(PackedLinear(linear.weight, linear.bias)(x), expected, rtol=1e-5, atol=1e-5)
        half = linear.bfloat16()
        if can_pack(half.weight):
            found = PackedLinear(half.weight, half.bias)(x.bfloat16())
            assert found.dtype == torch.bfloat16
            expected = linear_reference(x.bfloat16(), half.weight, half.bias)
            torch.testing.assert_close(found, expected, rtol=2e-2, atol=2e-2)


def test_an_int8_map_is_near_the_map():
    torch.manual_seed(1)
    linear, x = nn.Linear(256, 64), torch.randn(5, 256)
    with torch.no_grad():
        expected = linear_reference(x, linear.weight, linear.bias)
        error = Int8Linear(linear.weight, linear.bias)(x) - expected
    assert 0 < error.abs().mean() < 0.02 * expected.abs().mean()


def test_packing_to_int8_is_silent_about_its_deprecation_only(recwarn):
    Int8Linear(torch.randn(8, 8), None)
    assert not recwarn.list


@pytest.mark.parametrize("width", [1, 3, 5])
@pytest.mark.parametrize("length", [1, 2, 7])
def test_a_packed_convolution_is_the_convolution(width, length):
    torch.manual_seed(1)
    conv = nn.Conv1d(16, 24, width, padding=width // 2, bias=False)
    x = torch.randn(2, 16, length)
    with torch.no_grad():
        packed = pack(copy.deepcopy(conv), least=0)
        assert not isinstance(packed, nn.Conv1d)
        torch.testing.assert_close(packed(x), conv(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("options", [{"stride": 2}, {"dilation": 2}, {"groups": 2}, {"padding": 0}])
def test_other_convolutions_stay(options):
    conv = nn.Conv1d(16, 16, 3, **{"padding": 1, **options})
    assert pack(conv, least=0) is conv


def test_only_large_maps_are_packed():
    small, large = nn.Linear(256, 511), nn.Linear(256, 512)
    both = pack(nn.Sequential(small, large))
    assert both[0] is small
    assert isinstance(both[1], PackedLinear)

"""Keep bfloat16 away from the convolutions that a processor computes wrongly with it.

Measured with torch 2.13 (oneDNN) on a processor with AVX-512 bfloat16: the gradient of the weights of a 3D
convolution reads memory that was never written where a side of the input is smaller than the kernel. The
result differs from call to call, is off by about its own size, and is at times NaN; the forward pass is
right. Such inputs occur in the deepest level of a network, are tiny, and cost nothing in 32 bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

_CONVOLUTIONS = (torch.conv3d, torch.conv_transpose3d)


class ExactSmallConvolutions(TorchFunctionMode):
    """Within this context, a convolution whose kernel is larger than its input runs in 32 bits.

    It acts only while a processor's autocast is on, so it changes nothing on a graphics card or in 32 bits.

    Example:
        >>> layer = torch.nn.Conv3d(1, 1, 3, padding=1)
        >>> with torch.autocast("cpu", torch.bfloat16), ExactSmallConvolutions():
        ...     layer(torch.zeros(1, 1, 2, 2, 2)).dtype, layer(torch.zeros(1, 1, 4, 4, 4)).dtype
        (torch.float32, torch.bfloat16)
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401  torch's own signature
        """Call `func`, in 32 bits where it is a small convolution."""
        if func in _CONVOLUTIONS and torch.is_autocast_enabled("cpu") and _is_small(args[0], args[1]):
            with torch.autocast("cpu", enabled=False):
                exact = [value.float() if isinstance(value, Tensor) else value for value in args]
                return func(*exact, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def _is_small(images: Tensor, weight: Tensor) -> bool:
    sides = zip(images.shape[2:], weight.shape[2:], strict=True)
    return images.device.type == "cpu" and any(side < kernel for side, kernel in sides)

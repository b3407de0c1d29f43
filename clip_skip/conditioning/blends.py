"""How a fractional skip mixes the hidden states of the two neighbouring depths."""

from __future__ import annotations

import torch


def lerp(parts: list[tuple[torch.Tensor, float]]) -> torch.Tensor:
    """The weighted sum of states of shape (..., width), in their own dtype; half types are summed in float32."""
    if len(parts) == 1:
        return parts[0][0]
    (a, weight_a), (b, weight_b) = parts
    wide = torch.promote_types(a.dtype, torch.float32)
    return (weight_a * a.to(wide) + weight_b * b.to(wide)).to(a.dtype)


def slerp(parts: list[tuple[torch.Tensor, float]]) -> torch.Tensor:
    """Per token, the spherical interpolation of direction and the linear one of norm, between two states."""
    if len(parts) == 1:
        return parts[0][0]
    (a, weight_a), (b, weight_b) = parts
    wide = torch.promote_types(a.dtype, torch.float32)
    norm_a, norm_b = (x.to(wide).norm(dim=-1, keepdim=True) for x in (a, b))
    unit_a, unit_b = (x.to(wide) / norm.clamp_min(torch.finfo(wide).tiny) for x, norm in ((a, norm_a), (b, norm_b)))
    angle = torch.acos((unit_a * unit_b).sum(dim=-1, keepdim=True).clamp(-1, 1))
    sine = torch.sin(angle)
    # Where the two point (almost) the same or opposite ways the arc is not defined: the chord stands in for it.
    flat = sine < 1e-4
    safe = torch.where(flat, torch.ones_like(sine), sine)
    direction = torch.where(
        flat,
        weight_a * unit_a + weight_b * unit_b,
        (torch.sin(weight_a * angle) * unit_a + torch.sin(weight_b * angle) * unit_b) / safe,
    )
    blended: torch.Tensor = direction * (weight_a * norm_a + weight_b * norm_b)
    return blended.to(a.dtype)

"""A chain along a route, from the lengths of its links."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from qtn import units
from qtn.links.link import Link


def route_links(
    lengths: Sequence[Any],
    *,
    build: Callable[..., Link],
    attenuation: Any,
    midpoint: Any,
    options: Mapping[str, Any] | Sequence[Mapping[str, Any]],
) -> list[Link]:
    """Return one link for each length; the arguments are those of `Chain.from_lengths`.

    Args:
        lengths: fibre of each link [m].
        build: function that builds a link; it is given those of `length`, `loss`, `length_left`, `length_right`,
            `loss_left`, `loss_right` [m, dB] that it takes.
        attenuation: of the fibre [dB/km], one number or one for each link.
        midpoint: where the station of each link stands, as a fraction from its left node, one number or one each.
        options: further arguments of `build`, the same for all links or one mapping for each.

    Raises:
        ValueError: if there are no lengths, a list does not hold one entry for each link, or `build` takes no fibre.
    """
    count = len(lengths)
    if count == 0:
        raise ValueError("Argument `lengths` must hold at least one length, but is empty.")
    takes = inspect.signature(build).parameters
    if not {"loss", "loss_left"} & set(takes):
        raise ValueError(
            f"Argument `link` must be a function that takes the loss of a fibre (`loss`, or `loss_left` and "
            f"`loss_right`), but `{getattr(build, '__name__', build)}` takes {', '.join(takes)}."
        )
    rates, places = each("attenuation", attenuation, count), each("midpoint", midpoint, count)
    given = [options] * count if isinstance(options, Mapping) else each("options", options, count)
    links = []
    for length, rate, place, more in zip(lengths, rates, places, given, strict=True):
        loss = rate * length / units.km
        fibre = {
            "length": length,
            "loss": loss,
            "length_left": place * length,
            "length_right": (1 - place) * length,
            "loss_left": place * loss,
            "loss_right": (1 - place) * loss,
        }
        links.append(build(**{name: value for name, value in fibre.items() if name in takes}, **more))
    return links


def each(name: str, value: Any, count: int) -> list[Any]:
    """Return one entry for each link, of one that all share or of a list."""
    if isinstance(value, (list, tuple)):
        if len(value) != count:
            raise ValueError(
                f"Argument `{name}` must hold one entry for each of {count} links, but holds {len(value)}."
            )
        return list(value)
    return [value] * count

"""Draw a schedule as inline SVG: the chain along the bottom, the steps above it in the order in which they depend.

    blue bar           the pair of a link; thinner: of a segment      thin lines   the two memories that hold it
    orange diamond     swap at this node                              clock        cut-off of the step below it
    green box          distillation, "2 x bbpssw" = two rounds        x4           made four times, with all below
    hourglass          wait                                           dashed bar   a consumed pair unlike the kept one

What is equal is drawn once, so that the size follows the number of distinct sub-trees: recurrence and pumping fold
into one box and a number of copies; a part that comes back elsewhere is a dashed bar, "as #1".
"""

from collections.abc import Sequence

from qtn import _checks
from qtn.report.canvas import Canvas
from qtn.report.marks import Planner
from qtn.report.svg import UNITS, clean, readable
from qtn.schedules.arguments import tree_of
from qtn.schedules.tree import Schedule


def draw_schedule(
    schedule: Schedule, node_names: Sequence[str] | None = None, cutoff_unit_s: float | None = None
) -> str:
    """Draw which pairs a schedule makes, swaps and distills, and in which order.

    Args:
        schedule: what to draw; its times must be concrete.
        node_names: names of the nodes it spans, from left to right; by default their numbers.
        cutoff_unit_s: unit of all times: 1, 1e-3, 1e-6 or 1e-9 [s]; by default the one that suits each time.

    Returns:
        An SVG element with title and description, to stand alone or inside an HTML page; it has no ids, styles,
        scripts or external fonts. The same arguments give the same text.

    Raises:
        ValueError: if a time is traced, the number of names is wrong or the unit is not one of the four.

    Note:
        Height is the order of steps, not time to scale. The size follows the number of distinct sub-trees.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.schedules.text import parse
        >>> draw_schedule(parse("swap(distill(0, rounds=2), 1, cutoff_time=0.2)"), ["A", "B", "C"])[:40]
        '<svg xmlns="http://www.w3.org/2000/svg" '
    """
    tree = tree_of("schedule", schedule)
    if cutoff_unit_s is not None and cutoff_unit_s not in UNITS:
        raise ValueError(f"Argument `cutoff_unit_s` must be one of {[*UNITS]}, but is {cutoff_unit_s!r}.")
    names = [str(node) for node in range(tree.first, tree.last + 2)] if node_names is None else list(node_names)
    if len(names) != tree.last - tree.first + 2:
        raise ValueError(
            f"Argument `node_names` must hold {tree.last - tree.first + 2} names, one per node, but holds {len(names)}."
        )
    times = []
    for name, values in (("cutoff_times", schedule.cutoff_times), ("wait_times", schedule.wait_times)):
        known = _checks.known(values)
        if known is None:
            raise ValueError(f"Argument `schedule` must hold concrete numbers, but `{name}` is traced.")
        times.append([readable(value, cutoff_unit_s) for value in known.tolist()])
    planner = Planner(*times)
    top = planner.plan(tree)
    return Canvas(tree.first, [clean(name) for name in names], planner.marks, top).svg()

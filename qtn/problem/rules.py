"""How the values of a file must fit together: checked on the plain document, every mistake at once."""

from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]


def broken_rules(document: Document) -> list[str]:
    """Return one sentence for each rule that a document breaks; wrong types are left to the schema."""
    chain, errors = document.get("chain"), []
    if "schema" in document and type(document["schema"]) is not int:  # 1.0 and true equal 1
        errors.append("schema: must be the whole number 1")
    errors.extend(optimise_rules(document))
    errors.extend(policy_rules(document))
    errors.extend(latency_rules(document))
    if not isinstance(chain, dict):
        return errors
    errors.extend(shared_or_listed(chain))
    errors.extend(slot_rules(document, chain))
    for key, link in tables(chain, "link"):
        errors.extend(f"{key}: {text}" for text in link_rules(link))
    for key, node in tables(chain, "node"):
        memory = node.get("memory")
        if isinstance(memory, dict) and memory.get("model") == "t1t2":
            errors.extend(f"{key}.memory.{text}" for text in relaxation_rules(memory))
        swap = node.get("swap")
        if isinstance(swap, dict) and swap.get("model", "gates") == "gates":
            for name in ("efficiency", "visibility", "dark_count_probability"):
                if name in swap:
                    errors.append(f'{key}.swap.{name}: belongs to `model = "linear_optics"`; add that, or remove it')
    return errors


def optimise_rules(document: Document) -> Iterator[str]:
    """Check what is optimised, and whether there is a schedule or a search for one."""
    table, schedule = document.get("optimise"), document.get("schedule", {})
    table = table if isinstance(table, dict) else {}
    tree = isinstance(schedule, dict) and "tree" in schedule
    if isinstance(schedule, dict) and "policy" in schedule:
        if table:
            yield "optimise: finds the best tree and its numbers, but schedule.policy is given; remove one of them"
        return
    if not tree and "search" not in table:
        yield "schedule.tree: is missing; add `tree = ...`, or search for one with `[optimise] search = {}`"
    if not table:
        return
    if "parameters" not in table and "search" not in table:
        yield "optimise.parameters: is missing; list the numbers to move, or add `search = {}`"
    search = table.get("search")
    if isinstance(search, dict) and search.get("order") == "fixed" and not tree:
        yield 'optimise.search.order: "fixed" keeps the swaps of schedule.tree, but there is none; add it'
    if "minimise" in table and "maximise" in table:
        yield "optimise.minimise: both maximise and minimise are given; keep one of them"
    minimum = table.get("minimum")
    if "minimise" in table and not minimum:
        yield "optimise.minimise: needs a target, such as `minimum = { rate_hz = 1.0, fidelity = 0.9 }`"
    if isinstance(minimum, dict) and table.get("maximise", "secret_key_rate_hz") in minimum and "minimise" not in table:
        name = table.get("maximise", "secret_key_rate_hz")
        yield f"optimise.minimum.{name}: is what is maximised; leave the limit out"


def slot_rules(document: Document, chain: Document) -> Iterator[str]:
    """Check that the memories of multiplexed links fit into the slots of a search, node by node."""
    optimise = document.get("optimise")
    search = optimise.get("search") if isinstance(optimise, dict) else None
    slots = search.get("slots") if isinstance(search, dict) else None
    links = chain["links"] if isinstance(chain.get("links"), list) else None
    count = len(links) if links is not None else chain.get("num_links")
    if type(slots) is not int or type(count) is not int or count < 1:
        return
    sides = [link.get("num_memories") if isinstance(link, dict) else None for link in links or [chain.get("link")]]
    if not any(type(memories) is int for memories in sides):
        return
    needs = [memories if type(memories) is int else 1 for memories in sides]
    needs = needs if links is not None else [needs[0]] * count
    for node in range(count + 1):
        needed = sum(needs[max(node - 1, 0) : node + 1])
        if needed > slots:
            yield (
                f"optimise.search.slots: {slots} slots cannot hold the {needed} memories (num_memories) of the links "
                f"at node {node}; raise slots, or lower num_memories"
            )
            return


POLICY_KEYS = ("restart", "ends", "cutoff_times_s")


def policy_rules(document: Document) -> Iterator[str]:
    """Check that a schedule is a tree or a policy, and that its evaluator knows it."""
    schedule, table = document.get("schedule", {}), document.get("evaluate", {})
    if not isinstance(schedule, dict) or not isinstance(table, dict):
        return
    evaluator, policy = table.get("evaluator"), "policy" in schedule
    if policy and "tree" in schedule:
        yield "schedule.policy: both a tree and a policy are given; keep one of them"
    for key in POLICY_KEYS:
        if key in schedule and not policy:
            yield f'schedule.{key}: is for policies; add `policy = "swap_asap"`, or remove it'
    if policy and evaluator in ("renewal", "full_state"):
        yield f'evaluate.evaluator: "{evaluator}" evaluates trees; for schedule.policy use "asap" or "sampled"'
    if not policy and evaluator == "asap":
        yield 'evaluate.evaluator: "asap" evaluates `policy = "swap_asap"`; for a tree use "renewal" or "sampled"'
    if evaluator not in ("sampled", "full_state"):
        for key in ("num_samples", "seed"):
            if key in table:
                yield f'evaluate.{key}: is for `evaluator = "sampled"` or "full_state"; add one, or remove it'
    if "level" in table and (evaluator == "full_state" or (policy and evaluator == "sampled")):
        yield f'evaluate.level: "{evaluator}" holds every Pauli coefficient here; leave it out'
    merit = document.get("merit")
    for key in ("deadline_s", "ages"):
        if (policy or evaluator in ("sampled", "full_state")) and isinstance(merit, dict) and key in merit:
            yield f'merit.{key}: needs a tree and `evaluator = "renewal"`; leave it out for policies and samples'
    chain = document.get("chain")
    if policy and evaluator != "sampled" and table.get("correction", "at_swap") == "at_swap":
        nodes = [node for _, node in tables(chain, "node")] if isinstance(chain, dict) else []
        memories = [node.get("memory") for node in nodes]
        if any(isinstance(memory, dict) and memory.get("model") == "t1t2" for memory in memories):
            yield (
                'evaluate.correction: must be "tracked", because memories relax (t1t2) and "asap" corrects at '
                'delivery; or use `evaluator = "sampled"`'
            )
    if policy and isinstance(chain, dict):
        for key, node in tables(chain, "node"):
            swap = node.get("swap")
            if isinstance(swap, dict) and swap.get("model") == "linear_optics":
                yield (
                    f'{key}.swap.model: "linear_optics" needs a tree, because schedule.policy swaps by gates; use '
                    '"gates", or a schedule.tree'
                )
    times, count = schedule.get("cutoff_times_s"), num_links_of(chain)
    if isinstance(times, list) and count is not None and len(times) not in (1, count + 1):
        yield f"schedule.cutoff_times_s: must hold one time or num_links + 1 = {count + 1}, but holds {len(times)}"


def num_links_of(chain: Any) -> int | None:
    """Return the number of links of a [chain] table, if it is known."""
    if not isinstance(chain, dict):
        return None
    links = chain.get("links")
    count = len(links) if isinstance(links, list) else chain.get("num_links")
    return count if isinstance(count, int) else None


def latency_rules(document: Document) -> Iterator[str]:
    """Check that latencies are known where they are asked for."""
    schedule, chain, optimise = (document.get(name) for name in ("schedule", "chain", "optimise"))
    if not isinstance(schedule, dict) or schedule.get("latency", "none") == "none":
        return
    if "policy" in schedule:
        yield "schedule.latency: is for trees, but schedule.policy is given; leave it out, or use a schedule.tree"
    if schedule["latency"] == "messages" and isinstance(chain, dict):
        for key, link in tables(chain, "link"):
            if link.get("model") == "abstract":
                yield (
                    f'schedule.latency: "messages" needs the length of each link, and {key} has none; write '
                    '`latency=...` into the steps of schedule.tree, or use "gates"'
                )
    if isinstance(optimise, dict) and "search" in optimise:
        yield (
            "schedule.latency: schedules are searched without latencies; leave it out, and add it to the file of the "
            "best schedule"
        )


def relaxation_rules(memory: Document) -> Iterator[str]:
    """Check that relaxation leaves the coherence that is claimed."""
    t1, t2 = memory.get("t1_s"), memory.get("t2_s")
    if isinstance(t1, (int, float)) and isinstance(t2, (int, float)) and t1 > 0 and t2 > 2 * t1:
        yield (
            f"t2_s: must be at most 2 t1_s = {2 * t1:g}, but is {t2:g}: relaxation destroys coherence as well; "
            "lower t2_s, or raise t1_s"
        )


def tables(chain: Document, name: str) -> Iterator[tuple[str, Document]]:
    """Return each link (or node) table with its dotted key."""
    if isinstance(chain.get(name), dict):
        yield f"chain.{name}", chain[name]
    listed = chain.get(f"{name}s")
    for index, table in enumerate(listed if isinstance(listed, list) else []):
        if isinstance(table, dict):
            yield f"chain.{name}s.{index}", table


def shared_or_listed(chain: Document) -> Iterator[str]:
    """Check one link or a list of them, the same for nodes, and the counts."""
    num_links, links, nodes = chain.get("num_links"), chain.get("links"), chain.get("nodes")
    for name in ("link", "node"):
        if name in chain and f"{name}s" in chain:
            yield f"chain.{name}s: both [chain.{name}] and [[chain.{name}s]] are given; keep one of them"
    if "link" not in chain and "links" not in chain:
        yield "chain.link: is missing; add [chain.link], or one [[chain.links]] table per link"
    if "link" in chain and "links" not in chain and "num_links" not in chain:
        yield "chain.num_links: is missing; add `num_links = ...`, or one [[chain.links]] table per link"
    if isinstance(links, list) and isinstance(num_links, int) and len(links) != num_links:
        yield f"chain.links: must hold num_links = {num_links} tables, but holds {len(links)}"
    count = len(links) if isinstance(links, list) else num_links
    if isinstance(nodes, list) and isinstance(count, int) and len(nodes) != count + 1:
        yield f"chain.nodes: must hold num_links + 1 = {count + 1} tables, but holds {len(nodes)}"


def link_rules(link: Document) -> Iterator[str]:
    """Check which keys of a link go together."""
    if link.get("model") == "abstract":
        given = [key for key in ("werner", "fidelity", "bell_diagonal") if key in link]
        if len(given) != 1:
            yield f"needs exactly one of werner, fidelity, bell_diagonal, but has {' and '.join(given) or 'none'}"
        yield from weights_rule(link)
    if link.get("model") in ("single_click", "double_click", "midpoint_source", "spdc_source"):
        yield from one_way(link, "length_km", ("length_left_km", "length_right_km"))
        yield from one_way(link, "attenuation_db_per_km", ("loss_left_db", "loss_right_db"))
    if link.get("model") == "direct_transmission":
        given = [key for key in ("attenuation_db_per_km", "loss_db") if key in link]
        if len(given) != 1:
            yield f"needs exactly one of attenuation_db_per_km, loss_db, but has {' and '.join(given) or 'none'}"
    if link.get("model") == "satellite":
        yield from one_way(link, "distance_km", ("distance_left_km", "distance_right_km"))
        yield from exactly_one(link, "mean_pairs", "p_source")
        if "mean_pairs" in link and "p_source" not in link:
            for key in ("fidelity", "bell_diagonal"):
                if key in link:
                    yield f"has {key} with mean_pairs; give visibility instead"
        if "p_source" in link and "mean_pairs" not in link and "visibility" in link:
            yield "has visibility with p_source; give fidelity or bell_diagonal instead"
    if link.get("model") in ("satellite", "spdc_source"):
        yield from exactly_one(link, "repetition_rate_hz", "attempt_time_s")
    if link.get("model") in ("satellite", "midpoint_source", "direct_transmission"):
        if "fidelity" in link and "bell_diagonal" in link:
            yield "has both fidelity and bell_diagonal; keep one of them"
        yield from weights_rule(link)


def exactly_one(link: Document, first: str, second: str) -> Iterator[str]:
    """Check that one of two keys is given."""
    if first in link and second in link:
        yield f"has both {first} and {second}; keep one of them"
    elif first not in link and second not in link:
        yield f"needs {first} or {second}"


def weights_rule(link: Document) -> Iterator[str]:
    """Check that Bell weights sum to 1."""
    weights = link.get("bell_diagonal")
    if (
        isinstance(weights, list)
        and all(isinstance(w, (int, float)) and 0 <= w <= 1 for w in weights)
        and abs(sum(weights) - 1) > 1e-9
    ):
        yield f"bell_diagonal must sum to 1, but sums to {sum(weights):.12g}"


def one_way(link: Document, total: str, sides: tuple[str, str]) -> Iterator[str]:
    """Check that a quantity is given in total or for both sides."""
    given = [side for side in sides if side in link]
    if total in link and given:
        yield f"has both {total} and {given[0]}; keep one of them"
    elif total not in link and len(given) < 2:
        missing = [side for side in sides if side not in link]
        if given:
            yield f"has {given[0]} but no {missing[0]}; add it"
        else:
            yield f"needs {total}, or {sides[0]} and {sides[1]}"

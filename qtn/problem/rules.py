"""How the tables of a file must fit together: checked on the plain document, every mistake at once."""

from collections.abc import Iterator
from typing import Any

from qtn.links.encoded import Ends as CodeEnds
from qtn.problem.application.application import Needs
from qtn.problem.chain.chain import num_links_of
from qtn.problem.chain.encoded_links import EncodedLink
from qtn.problem.chain.link_table import LinkTable
from qtn.problem.chain.node import RelaxingMemory, Swap
from qtn.problem.choices import JobKind, Latency, StateLevel
from qtn.problem.quantities import application_of
from qtn.problem.root import root_rules, roots
from qtn.problem.schema import SAMPLING, Config, Optimise
from qtn.problem.table import broken, walk_tables
from qtn.schedules.policy import Ends
from qtn.steps.level import PAULI

Document = dict[str, Any]


def broken_rules(document: Document) -> list[str]:
    """Return one sentence for each rule that a document breaks; wrong types are left to the schema."""
    errors = []
    if "schema" in document and type(document["schema"]) is not int:  # 1.0 and true equal 1
        errors.append("schema: must be the whole number 1")
    errors.extend([*root_rules(document, Config), *application_rules(document)])
    key, root = next(((key, kind) for key, kind in roots(Config).items() if key in document), ("", None))
    scheduled = root is None or root.scheduled
    for rule in (schedule_rules, policy_rules, latency_rules, slot_rules) if scheduled else ():
        errors.extend(rule(document))
    errors.extend([*optimise_rules(document, scheduled=scheduled, key=key), *swept_codes(document)])
    return [*errors, *broken(document, Config)]


def application_rules(document: Document) -> Iterator[str]:
    """Check that the root delivers pairs that the application can use, and that the evaluator says enough of them."""
    use, table, optimise = application_of(document), document.get("evaluate"), document.get("optimise")
    if use is None:
        return
    model = f'application.model = "{document["application"]["model"]}"'
    given = [key for key in roots(Config) if key in document]
    if given and given[0] not in use.roots:
        yield f"application.model: uses pairs of [{'] or ['.join(use.roots)}], but this file is about [{given[0]}]"
    yield from use.fits(document)
    schedule, level = document.get("schedule"), table.get("level") if isinstance(table, dict) else None
    if use.keeps_pairs and isinstance(schedule, dict) and "policy" in schedule and schedule.get("ends") != Ends.KEPT:
        yield f'schedule.ends: must be "{Ends.KEPT}", because {model} uses both qubits of a pair'
    for name, kind, link in walk_tables(document, Config) if use.keeps_pairs else ():
        if issubclass(kind, EncodedLink) and link.get("ends") != CodeEnds.STORED:
            yield f'{name}.ends: must be "{CodeEnds.STORED}", because {model} uses both qubits of a pair'
    if use.needs is Needs.STATE and level not in (None, StateLevel(PAULI.name)):
        yield f'evaluate.level: must be "{PAULI.name}", because {model} needs the whole state; or leave it out'
    if use.needs is Needs.OUTCOME and isinstance(table, dict) and table.get("evaluator") in SAMPLING:
        yield (
            f'evaluate.evaluator: "{table["evaluator"]}" knows no distribution of the waiting time, which {model} '
            'needs; use "renewal" or "asap"'
        )
    if use.needs is Needs.OUTCOME and isinstance(optimise, dict) and "search" in optimise:
        yield (
            f"optimise.search: keeps no distribution of the waiting time, which {model} needs; leave it out, and tune "
            "the numbers of a schedule.tree"
        )


def schedule_rules(document: Document) -> Iterator[str]:
    """Check that there is a schedule, or a search for one."""
    table, schedule = document.get("optimise"), document.get("schedule", {})
    table = table if isinstance(table, dict) else {}
    tree, search = isinstance(schedule, dict) and "tree" in schedule, table.get("search")
    if isinstance(schedule, dict) and "policy" in schedule:
        if table:
            yield "optimise: finds the best tree and its numbers, but schedule.policy is given; remove one of them"
    elif any(kind.ordered for key, kind in roots(Config).items() if key in document):
        return
    elif not tree and "search" not in table:
        yield "schedule.tree: is missing; add `tree = ...`, or search for one with `[optimise] search = {}`"
    elif not tree and isinstance(search, dict) and search.get("order") == "fixed":
        yield 'optimise.search.order: "fixed" keeps the swaps of schedule.tree, but there is none; add it'


def optimise_rules(document: Document, *, scheduled: bool, key: str) -> Iterator[str]:
    """Check what is optimised."""
    table, schedule = document.get("optimise"), document.get("schedule")
    if not isinstance(table, dict) or not table or (isinstance(schedule, dict) and "policy" in schedule):
        return
    if not scheduled and "search" in table:
        yield f"optimise.search: is for schedules, and [{key}] has none; leave it out"
    yield from choice_rules(table, schedule)
    if "parameters" not in table and "search" not in table and not table.get("choices"):
        yield "optimise.parameters: is missing; list the numbers to move" + (
            ", or add `search = {}`" if scheduled else ""
        )
    if "minimise" in table and "maximise" in table:
        yield "optimise.minimise: both maximise and minimise are given; keep one of them"
    minimum = table.get("minimum")
    if "minimise" in table and not minimum:
        yield "optimise.minimise: needs a target, such as `minimum = { rate_hz = 1.0, fidelity = 0.9 }`"
    name = table.get("maximise", Optimise.model_fields["maximise"].default)
    if isinstance(minimum, dict) and name in list(minimum) and "minimise" not in table:
        yield f"optimise.minimum.{name}: is what is maximised; leave the limit out"


def choice_rules(table: Document, schedule: Any) -> Iterator[str]:
    """Check that whole numbers are chosen for a tree that is given."""
    if not table.get("choices"):
        for key in ("codes", "max_photons"):
            if table.get(key):
                yield f"optimise.{key}: is for codes that are chosen; add `choices = [...]`, or leave it out"
        return
    if "search" in table:
        yield "optimise.choices: goes with a schedule.tree; leave optimise.search out, or choices"
    elif not (isinstance(schedule, dict) and "tree" in schedule):
        yield "optimise.choices: needs a schedule.tree; add it"
    if "minimise" in table:
        yield "optimise.choices: goes with maximise; leave minimise out, or choices"


def swept_codes(document: Document) -> Iterator[str]:
    """Check that points of a sweep have the same columns."""
    optimise, sweep = document.get("optimise"), document.get("sweep")
    swept = isinstance(sweep, dict) and sweep.get("job") == JobKind.OPTIMISE
    if swept and isinstance(optimise, dict) and optimise.get("codes"):
        yield "optimise.codes: have numbers of different names, which no table holds; leave them out of sweeps"


def slot_rules(document: Document) -> Iterator[str]:
    """Check that the memories of multiplexed links fit into the slots of a search, node by node."""
    chain, optimise = document.get("chain"), document.get("optimise")
    search = optimise.get("search") if isinstance(optimise, dict) else None
    slots = search.get("slots") if isinstance(search, dict) else None
    count = num_links_of(chain)
    if not isinstance(chain, dict) or type(slots) is not int or count is None or count < 1:
        return
    links = chain["links"] if isinstance(chain.get("links"), list) else None
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


def policy_rules(document: Document) -> Iterator[str]:
    """Check that the evaluator, the merit and the chain know the schedule, a tree or a policy."""
    schedule, table, merit = (document.get(name, {}) for name in ("schedule", "evaluate", "merit"))
    if not isinstance(schedule, dict) or not isinstance(table, dict):
        return
    evaluator, policy = table.get("evaluator"), "policy" in schedule
    if policy and evaluator in ("renewal", "full_state"):
        yield f'evaluate.evaluator: "{evaluator}" evaluates trees; for schedule.policy use "asap" or "sampled"'
    if not policy and evaluator == "asap":
        yield 'evaluate.evaluator: "asap" evaluates `policy = "swap_asap"`; for a tree use "renewal" or "sampled"'
    if table.get("level") in list(StateLevel) and (evaluator == "full_state" or (policy and evaluator == "sampled")):
        yield f'evaluate.level: "{evaluator}" holds every Pauli coefficient here; leave it out'
    for key in ("deadline_s", "ages"):
        if (policy or evaluator in SAMPLING) and isinstance(merit, dict) and key in merit:
            yield f'merit.{key}: needs a tree and `evaluator = "renewal"`; leave it out for policies and samples'
    kinds = list(walk_tables(document, Config)) if policy else []
    relaxing = any(issubclass(kind, RelaxingMemory) for _, kind, _ in kinds)
    if relaxing and evaluator != "sampled" and table.get("correction", "at_swap") == "at_swap":
        yield (
            'evaluate.correction: must be "tracked", because memories relax (t1t2) and "asap" corrects at delivery; '
            'or use `evaluator = "sampled"`'
        )
    for key, kind, swap in kinds:
        if issubclass(kind, Swap) and swap.get("model") == "linear_optics":
            yield (
                f'{key}.model: "linear_optics" needs a tree, because schedule.policy swaps by gates; use "gates", or a '
                "schedule.tree"
            )
    times, count = schedule.get("cutoff_times_s"), num_links_of(document.get("chain"))
    if isinstance(times, list) and count is not None and len(times) not in (1, count + 1):
        yield f"schedule.cutoff_times_s: must hold one time or num_links + 1 = {count + 1}, but holds {len(times)}"


def latency_rules(document: Document) -> Iterator[str]:
    """Check that latencies are known where they are asked for."""
    schedule, optimise = document.get("schedule"), document.get("optimise")
    if not isinstance(schedule, dict) or schedule.get("latency") not in (Latency.GATES, Latency.MESSAGES):
        return
    if "policy" in schedule:
        yield "schedule.latency: is for trees, but schedule.policy is given; leave it out, or use a schedule.tree"
    for key, kind, _ in walk_tables(document, Config) if schedule["latency"] == "messages" else ():
        if issubclass(kind, LinkTable) and kind.way is None:
            yield (
                f'schedule.latency: "messages" needs the length of each link, and {key} has none; write '
                '`latency=...` into the steps of schedule.tree, or use "gates"'
            )
    if isinstance(optimise, dict) and "search" in optimise:
        yield (
            "schedule.latency: schedules are searched without latencies; leave it out, and add it to the file of the "
            "best schedule"
        )

"""Every mistake in a file is one clear sentence with key, value and cure; all of them at once."""

import pytest

from qtn.problem.load import load, loads
from qtn.problem.messages import ProblemError
from tests.problem.files import CLICKS, FOUR_LINKS

LINK = '[chain.link]\nmodel = "abstract"\np_success = 9.2e-4\nattempt_time_s = 1.0\nwerner = 0.952\n'
ONE_LINK_TABLE = '[[chain.links]]\nmodel = "abstract"\np_success = 0.1\nattempt_time_s = 1.0\nwerner = 0.952\n'


def replaced(old, new, text=FOUR_LINKS):
    assert old in text
    return text.replace(old, new)


BAD = {
    "misspelt model": (replaced('"abstract"', '"abstrct"'), ["but is 'abstrct'; did you mean `abstract`?"]),
    "a protocol of another name": (replaced('"bb84"', '"e91"'), ["but is 'e91'; did you mean `bbm92`?"]),
    "misspelt key": (replaced("p_success = 9.2e-4", "p_sucess = 9.2e-4"), ["chain.link.p_sucess: is an unknown key; did you mean `p_success`?", "chain.link.p_success: is missing"]),
    "misspelt table": (replaced("[merit]", "[merits]"), ["merits: is an unknown key; did you mean `merit`?"]),
    "duplicate key": (replaced("num_links = 4", "num_links = 4\nnum_links = 5"), ["is not valid TOML: a key is given twice (at line 5"]),
    "probability 1.3": (replaced("9.2e-4", "1.3"), ["chain.link.p_success: must lie in (0, 1], but is 1.3"]),
    "probability nan": (replaced("9.2e-4", "nan"), ["chain.link.p_success: must lie in (0, 1], but is nan"]),
    "p = 0": (replaced("9.2e-4", "0.0"), ["chain.link.p_success: must lie in (0, 1], but is 0.0"]),
    "text for a number": (replaced("9.2e-4", '"often"'), ["chain.link.p_success: must be a number, but is 'often'"]),
    "bool for a number": (replaced("9.2e-4", "true"), ["chain.link.p_success: must be a number, but is true"]),
    "number for a table": (replaced(LINK, "link = 3\n"), ["chain.link: must be a table, but is 3"]),
    "infinite attempt": (replaced("attempt_time_s = 1.0", "attempt_time_s = inf"), ["chain.link.attempt_time_s: must be positive and finite, but is inf"]),
    "three link tables": (replaced(LINK, 3 * ONE_LINK_TABLE), ["chain.links: must hold num_links = 4 tables, but holds 3"]),
    "link and links": (replaced(LINK, LINK + ONE_LINK_TABLE), ["chain.links: both [chain.link] and [[chain.links]] are given"]),
    "no links": (replaced(LINK, ""), ["chain.link: is missing; add [chain.link]"]),
    "no num_links": (replaced("num_links = 4\n", ""), ["chain.num_links: is missing"]),
    "num_links 2.5": (replaced("num_links = 4", "num_links = 2.5"), ["chain.num_links: must be a whole number, but is 2.5"]),
    "two states": (replaced("werner = 0.952", "werner = 0.952\nfidelity = 0.9"), ["chain.link: needs exactly one of werner, fidelity, bell_diagonal, but has werner and fidelity"]),
    "no state": (replaced("werner = 0.952", ""), ["but has none"]),
    "sum of weights": (replaced("werner = 0.952", "bell_diagonal = [0.9, 0.1, 0.1, 0.1]"), ["chain.link: bell_diagonal must sum to 1, but sums to 1.2"]),
    "three weights": (replaced("werner = 0.952", "bell_diagonal = [0.9, 0.05, 0.05]"), ["chain.link.bell_diagonal: must hold 4 values, but holds 3"]),
    "links 0 and 2": (replaced("distill(1)", "distill(2)"), ["schedule.tree: ", "neighbouring segments"]),
    "too few links": (replaced("num_links = 4", "num_links = 6"), ["schedule.tree: "]),
    "unclosed bracket": (replaced("distill(3)))", "distill(3)"), ["schedule.tree: ", "^"]),
    "Python expression": (replaced("swap(swap(distill(0), distill(1)), swap(distill(2), distill(3)))", "__import__('os').system('x')"), ["schedule.tree: ", "^"]),
    "negative cut-off": (replaced("distill(3)))", "distill(3)), cutoff_time=-1.0)"), ["schedule.tree: ", "-1.0"]),
    "unknown protocol in the tree": (replaced("distill(3)", "distill(3, protocol='best')"), ["schedule.tree: ", "best"]),
    "unknown default protocol": (replaced('distill = "bbpssw"', 'distill = "best"'), ["schedule.distill: must be 'bbpssw', 'dejmps', 'cnot', 'epl', 'double_selection', 'code3', 'code4' or 'code5', but is 'best'"]),
    "unknown key protocol": (replaced('protocol = "bb84"', 'protocol = "b92"'), ["merit.protocol: must be 'bb84', 'six_state', 'bbm92', 'chsh_di' or 'hashing', but is 'b92'"]),
    "unknown model": (replaced('model = "abstract"', 'model = "magic"'), ["chain.link.model: must be one of 'abstract', 'single_click', 'double_click', 'midpoint_source', 'direct_transmission', 'spdc_source', 'satellite', 'one_way', 'graph_state', but is 'magic'"]),
    "no model": (replaced('model = "abstract"\n', ""), ["chain.link.model: is missing"]),
    "too much coherence": (replaced("t1_s = inf", "t1_s = 0.3", CLICKS), ["chain.nodes.1.memory.t2_s: must be at most 2 t1_s = 0.6, but is 0.8"]),
    "negative coherence": (replaced("2.8e6", "-1.0"), ["chain.node.memory.time_constant_s: must be positive, but is -1.0"]),
    "wrong schema": (replaced("schema = 1", "schema = 2"), ["schema: must be 1, but is 2"]),
    "no schema": (replaced("schema = 1", ""), ["schema: is missing; add `schema = ...`"]),
    "nodes do not fit": (replaced("[[chain.nodes]]\n[schedule]", "[schedule]", CLICKS), ["chain.nodes: must hold num_links + 1 = 3 tables, but holds 2"]),
    "both lengths": (replaced("length_km = 40.0", "length_km = 40.0\nlength_left_km = 3.0", CLICKS), ["chain.links.1: has both length_km and length_left_km"]),
    "one arm": (replaced("length_right_km = 10.0\n", "", CLICKS), ["chain.links.0: has length_left_km but no length_right_km"]),
    "no loss": (replaced("attenuation_db_per_km = 0.2\n", "", CLICKS), ["chain.links.1: needs attenuation_db_per_km, or loss_left_db and loss_right_db"]),
    "three bright states": (replaced("[0.03, 0.02]", "[0.1, 0.1, 0.1]", CLICKS), ["chain.links.0.bright_state: must hold 2 values, but holds 3"]),
    "bright state 2": (replaced("[0.03, 0.02]", "2.0", CLICKS), ["chain.links.0.bright_state: must lie in [0, 1], but is 2.0"]),
    "dark and no light": (replaced("dark_count_probability = 1e-6\n", "", CLICKS).replace("[0.03, 0.02]", "0.0"), ["chain.links.0: The success probability must be positive"]),
    "optimise nothing": (replaced('["chain.link.werner"]', '["chain.link.wernher"]'), ["optimise.parameters: `chain.link.wernher` matches no number"]),
    "optimise a whole number": (CLICKS + '[optimise]\nparameters = ["chain.links.1.num_modes"]\n', ["`chain.links.1.num_modes` is a whole number"]),
    "num_steps 1": (FOUR_LINKS + "[time]\nnum_steps = 1\n", ["time.num_steps: must be at least 2, but is 1"]),
    "key of another model": (replaced("num_modes = 10", "bright_state = 0.1", CLICKS), ["chain.links.1.bright_state: is an unknown key; known here: attempt_time_s, "]),
    "key of another memory": (replaced("t2_s = 1.0", "time_constant_s = 1.0", CLICKS), ["chain.nodes.0.memory.time_constant_s: is an unknown key; known here: model, t2_s", "chain.nodes.0.memory.t2_s: is missing"]),
    "array of protocols": (replaced('distill = "bbpssw"', 'distill = ["bbpssw"]'), ["schedule.distill: must be 'bbpssw', 'dejmps', 'cnot', 'epl', 'double_selection', 'code3', 'code4' or 'code5', but is an array"]),
    "true as schema": (replaced("schema = 1", "schema = true"), ["schema: must be the whole number 1"]),
    "array of links under link": (replaced("[chain.link]", "[[chain.link]]"), ["chain.link: must be a table, but is an array"]),
    "text as bright state": (replaced("[0.03, 0.02]", '"x"', CLICKS), ["chain.links.0.bright_state: must be a number or an array, but is 'x'"]),
    "huge whole numbers": (replaced("werner = 0.952", f"bell_diagonal = [1{'0' * 400}, 0, 0, 0]"), ["chain.link.bell_diagonal.0: must be 0, or lie between 1e-300 and 1e+300 in size, but is a whole"]),
    "number of 5000 digits": (replaced("9.2e-4", "1" * 5000), ["is not valid TOML"]),
    "endless nesting": (f"x = {'[' * 100000}", ["is not valid TOML"]),
    "table given twice": (FOUR_LINKS + "[merit]\n", ["cannot declare [merit] twice (at line"]),
    "link without time": (replaced("length_km = 40.0", "length_km = 0.0", CLICKS), ["chain.links.1: Argument `attempt_time` must be positive"]),
    "two bad names": (replaced('"chain.link.werner"', '"a.b", "c.d"'), ["optimise.parameters: `a.b` matches", "optimise.parameters: `c.d` matches"]),
    "num_steps 2^31": (FOUR_LINKS + "[time]\nnum_steps = 2147483648\n", ["time.num_steps: must be at most 2147483647"]),
    "not TOML": ("hello world", ["is not valid TOML"]),
    "empty": ("", ["chain: is missing; add the table [chain]"]),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_file(case):
    text, expected = BAD[case]
    with pytest.raises(ProblemError) as raised:
        loads(text, source="f.toml")
    for sentence in expected:
        assert sentence in str(raised.value)
    assert all(line.startswith("f.toml: ") for line in str(raised.value).splitlines() if not line.startswith(" "))
    assert "pydantic" not in str(raised.value)


ONCE = {
    "one value of two": (replaced("[0.03, 0.02]", "[0.03, 1.3]", CLICKS), "chain.links.0.bright_state.1: must lie in [0, 1], but is 1.3"),
    "one node table": (replaced("[chain.node]", "[[chain.nodes]]"), "chain.nodes: must hold num_links + 1 = 5 tables, but holds 1"),
    "no link table": (replaced(LINK, "links = []\n"), "chain.links: must hold num_links = 4 tables, but holds 0"),
}  # fmt: skip


@pytest.mark.parametrize("case", ONCE)
def test_one_mistake_is_one_sentence(case):
    text, expected = ONCE[case]
    with pytest.raises(ProblemError) as raised:
        loads(text)
    assert raised.value.errors == [expected]


def test_every_mistake_at_once():
    text = (
        FOUR_LINKS.replace("9.2e-4", "1.3")
        .replace("0.85", "-1.0")
        .replace("[merit]", "[merits]")
        .replace("distill(3)", "3(")
    )
    with pytest.raises(ProblemError) as raised:
        loads(text)
    keys = [error.split(":")[0] for error in raised.value.errors]
    assert {"chain.link.p_success", "chain.node.swap.p_success", "merits", "schedule.tree"} <= set(keys)


@pytest.mark.parametrize("name", ["missing.toml", "folder", "binary.toml", "a" * 1000])
def test_unreadable_files(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProblemError, match=name):
        load(tmp_path / name)


def test_byte_order_mark_and_windows_line_ends(tmp_path):
    (tmp_path / "f.toml").write_bytes(b"\xef\xbb\xbf" + FOUR_LINKS.replace("\n", "\r\n").encode())
    assert load(tmp_path / "f.toml").chain.num_links == 4


OVERRIDES = {
    "unknown key": ("chain.link.p_sucess=0.1", "did you mean `p_success`"),
    "no equals sign": ("chain.link.p_success", "dotted.key=value"),
    "empty part": ("chain..p_success=0.1", "dotted.key=value"),
    "quote left open": ('sweep.axes."chain.link.werner.num=3', "dotted.key=value; keys with dots in quotes"),
    "out of range": ("chain.link.p_success=2.0", "must lie in (0, 1], but is 2.0"),
    "position on a shared link": ("chain.links.2.p_success=0.1", "this file has chain.link; set chain.link.p_success"),
    "no such cut-off": ("schedule.cutoff_times.0=3.0", "the tree has 0 of these"),
    "below a value": ("chain.link.werner.x=1", "is a value, not a table"),
    "cut-off below zero": ("schedule.cutoff_times.0=-1", "schedule.cutoff_times.0: must be at least 0, but is -1"),
    "endless wait": ("schedule.wait_times.0=inf", "schedule.wait_times.0: must be at least 0 and finite, but is inf"),
    "cut-offs without position": ("schedule.cutoff_times=1", "needs a position, such as schedule.cutoff_times.0"),
    "cut-offs elsewhere": ("schedule.x.cutoff_times.0=1", "schedule.x: is an unknown key"),
    "two lines": ("chain.link.p_success=0.1\nx=1", "must be a number, but is '0.1\\nx=1'"),
    "string": ("chain.link.p_success=often", "must be a number, but is 'often'"),
}


@pytest.mark.parametrize("case", OVERRIDES)
def test_bad_override(case):
    text, expected = OVERRIDES[case]
    with pytest.raises(ProblemError) as raised:
        loads(FOUR_LINKS, [text])
    assert expected in str(raised.value)

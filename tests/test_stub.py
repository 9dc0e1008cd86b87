"""What editors and type checkers know of the public names is what the package holds.

`python -m tests.test_stub` writes the stub again after a name was added.
"""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import qtn

STUB = Path(qtn.__file__).with_name("__init__.pyi")


def expected():
    lines = [f"from qtn import {name} as {name}" for name in qtn._PACKAGES]
    lines += [f"from {module} import {name} as {name}" for name, module in qtn._PUBLIC.items()]
    return "\n".join(
        [
            "# ruff: noqa: I001 (in the order of the package; written by `python -m tests.test_stub`)",
            *lines,
            "",
            "__version__: str",
            "",
        ]
    )


def test_the_stub_is_up_to_date():
    assert STUB.read_text() == expected(), "python -m tests.test_stub"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pyright") is None, reason="needs pyright")
def test_nothing_that_a_user_writes_is_of_unknown_type(tmp_path):
    root, script = STUB.parents[1], Path(__file__).with_name("user_script.txt").read_text()
    names = [line.split(" = ")[0] for line in script.splitlines() if " = " in line and not line.startswith(" ")]
    asked = [f"reveal_type({name})" for line in names for name in line.split(", ")]
    asked += [f"reveal_type(qtn.{name})" for name in qtn._PUBLIC]
    (tmp_path / "user.py").write_text("\n".join([script, *asked, ""]))
    settings = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "extraPaths": [str(root)]}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    command = ["pyright", "-p", str(tmp_path), "--outputjson"]
    found = json.loads(subprocess.run(command, capture_output=True, text=True).stdout)["generalDiagnostics"]
    assert [each["message"] for each in found if each["severity"] != "information"] == []
    types = [each["message"].split(" is ", 1)[1].strip('"') for each in found]
    assert len(types) == len(asked)
    assert not [each for each in types if each in ("Any", "Unknown") or each.endswith(("-> Any", "-> Unknown"))]


if __name__ == "__main__":
    STUB.write_text(expected())

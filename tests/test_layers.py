"""The layers of the library: imports go only to the left, and every public name is documented."""

import ast
import inspect
from pathlib import Path

import pytest

import qtn

ROOT = Path(qtn.__file__).parent
ORDER = (
    "qtn_kernels tensors states channels circuits hardware codes orbits links steps networks schedules evaluators merit "
    "qkd dqc sensing services planning problem report cli"
)
PHYSICS_FREE = {"optimisation", "sweeps"}  # they take any function of a pytree
FREE_FOR_ALL = {"_array", "_budget", "_pytree", "_checks", "_files", "_ranges", "_text", "units"}
MODULES = sorted(path for path in ROOT.rglob("*.py") if path.parent != ROOT)


def layer(path):
    return path.relative_to(ROOT).parts[0]


def imported_layers(path):
    for item in ast.walk(ast.parse(path.read_text())):
        if isinstance(item, ast.ImportFrom) and (item.module or "").startswith("qtn."):
            yield item.module.split(".")[1]
        elif isinstance(item, ast.ImportFrom) and item.module == "qtn":
            yield from (alias.name for alias in item.names)
        elif isinstance(item, ast.Import):
            yield from (alias.name.split(".")[1] for alias in item.names if alias.name.startswith("qtn."))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_left(path):
    own, order = layer(path), ORDER.split()
    for other in set(imported_layers(path)) - FREE_FOR_ALL - {own}:
        if own in PHYSICS_FREE:
            raise AssertionError(f"{own} is free of physics, but imports {other}")
        allowed = order[: order.index(own)] + (
            sorted(PHYSICS_FREE) if order.index(own) >= order.index("planning") else []
        )
        assert other in allowed, f"{own} must not import {other}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_public_names_have_docstrings(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), "the module"
    for item in ast.walk(tree):
        if isinstance(item, (ast.FunctionDef, ast.ClassDef)) and not item.name.startswith("_"):
            nested = any(
                item in ast.walk(f) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) and f is not item
            )
            overloaded = any(getattr(mark, "id", "") == "overload" for mark in item.decorator_list)
            assert nested or overloaded or ast.get_docstring(item), item.name


@pytest.mark.parametrize("name", qtn.__all__)
def test_public_names_load(name):
    assert inspect.getdoc(getattr(qtn, name))


def test_unknown_names_say_so():
    with pytest.raises(AttributeError, match="no attribute 'swop'"):
        qtn.swop  # noqa: B018

"""Versions of packages where they are installed: python versions.py NAME ...; prints one JSON line."""

import json
import platform
import sys
from importlib.metadata import distributions

installed = {package.metadata["Name"].lower(): package.version for package in distributions()}
found = {name: installed[name] for name in sys.argv[1:] if name in installed}
print(json.dumps({"Python": platform.python_version(), **found}))

"""`python -m bench`: every comparison in turn; `python -m bench NAME …` one of them, `python -m bench --list` their names."""

import ast
import runpy
import subprocess
import sys
from pathlib import Path

NAMES = ("pipeline", "collector", "steady", "peers", "growth", "backlog", "history", "crash", "fuzz")


def about(name: str) -> str:
    """Return the first line of a comparison's docstring."""
    source = Path(__file__).with_name(f"{name}.py").read_text("utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").splitlines()[0]


def main() -> int:
    """Return how many comparisons failed."""
    chosen = sys.argv[1:]
    if chosen == ["--list"]:
        for name in NAMES:
            print(f"{name:12}{about(name)}")
        return 0
    if chosen and chosen[0] in NAMES:
        sys.argv = sys.argv[1:]
        runpy.run_module(f"bench.{chosen[0]}", run_name="__main__")
        return 0
    if chosen and not chosen[0].startswith("-"):
        sys.exit(f"no comparison '{chosen[0]}' (known: {', '.join(NAMES)})")
    failed = 0
    for name in NAMES:
        print(f"\n== {name}: {about(name)}", flush=True)
        failed += subprocess.run([sys.executable, "-m", f"bench.{name}", *chosen], check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())

"""The house keeps its shape: who may import whom, and which door leads outside."""

from __future__ import annotations

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "vidinv"
LEVELS = [  # a line may import only from lines below it; rooms on one line are strangers to each other
    {"cli"},
    {"page"},
    {"batch"},
    {"cluster"},
    {"directions", "worker", "processes"},
    {"calls", "drivers", "mixtures", "morphs", "still_files", "still_edits", "transfers"},
    {"stills", "scrub"},
    {"api", "compare"},
    {"ending", "made"},
    {"halves", "journal", "streams", "job"},
    {"portraits"},
    {"stages", "training"},
    {"report", "inversion", "edits", "fitting"},
    {"packs", "metrics"},
    {"models"},
    {"video", "faces", "runtime"},
    {"shortage", "bounds"},
    {"types", "errors", "regular"},
    {"shapes"},
]
DOORS = {"av": "video/container.py", "ray": "cluster.py"}


def modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if p.parent != PACKAGE or p.stem not in ("__init__", "__main__"))


def imports(path: Path) -> set[str]:
    """Dotted names that a file imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module)
            found |= {f"{node.module}.{a.name}" for a in node.names}
    return found


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_the_page_about_it_has_the_same_rooms_in_the_same_order() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawn = text.partition("are strangers to each other:\n\n")[2].partition("\n\n")[0]
    assert [{name.strip() for name in re.split("[,|]", line)} for line in drawn.splitlines()] == LEVELS
    rooms = text.partition("## The rooms")[2].partition("    pipelines/")[0]
    assert [path.name for path in modules() if path.parent == PACKAGE and path.name not in rooms] == []


def level(name: str) -> int:
    return next(i for i, rooms in enumerate(LEVELS) if name in rooms)


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_line_imports_only_from_lines_below(path: Path) -> None:
    mine = room(path)
    for name in imports(path):
        parts = name.split(".")
        if parts[0] != "vidinv" or len(parts) < 2 or parts[1].startswith("__"):
            continue
        other = parts[1]
        if other == mine:
            continue
        assert level(other) > level(mine), f"{path.relative_to(ROOT)} may not import vidinv.{other}"


@pytest.mark.parametrize(("library", "door"), DOORS.items())
def test_a_library_has_one_door(library: str, door: str) -> None:
    users = {
        str(p.relative_to(PACKAGE))
        for p in PACKAGE.rglob("*.py")
        if any(n == library or n.startswith(library + ".") for n in imports(p))
    }
    assert users <= {door}


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_the_product_knows_no_recipes(path: Path) -> None:
    assert not any(n.split(".")[0] in ("pipelines", "benchmarks", "tests") for n in imports(path))


def test_stages_are_strangers_to_each_other() -> None:
    for path in (PACKAGE / "stages").glob("*.py"):
        assert not any(n.startswith("vidinv.stages") for n in imports(path)), path.name


def test_nothing_is_unpickled() -> None:
    """torch.load appears only with weights_only=True; pickle only where its machine is restricted."""
    for path in [*PACKAGE.rglob("*.py"), *(ROOT / "pipelines").glob("*.py")]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        doors = {"pickle"} if path == PACKAGE / "packs" / "published" / "unpickle.py" else set()
        assert not imports(path) & ({"pickle", "dill", "joblib"} - doors), path
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in ("pickle.load", "pickle.loads", "pickle.Unpickler"), path
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
                safe = [k for k in node.keywords if k.arg == "weights_only" and ast.unparse(k.value) == "True"]
                assert safe, f"{path.relative_to(ROOT)}: torch.load without weights_only=True"
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("np.load", "numpy.load"):
                assert not any(k.arg == "allow_pickle" and ast.unparse(k.value) == "True" for k in node.keywords)


def test_recipes_stay_short() -> None:
    for path in (ROOT / "pipelines").glob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 150, path.name


def files(found: set[str], names: dict[str, Path]) -> set[str]:
    """Of what is imported those that are files; of a room that is named for one of its files, that file."""
    rooms = {name.rpartition(".")[0] for name in found & names.keys()}
    return {name for name in found & names.keys() if name not in rooms}


def test_no_circle_of_imports_is_left() -> None:
    """Late imports and those for types only count too."""
    names = {}
    for path in modules():
        parts = path.relative_to(ROOT).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    graph = {name: files(imports(path), names) - {name} for name, path in names.items()}
    list(TopologicalSorter(graph).static_order())  # raises a CycleError that names the modules


def test_every_stage_is_handed_its_state_and_hands_it_on() -> None:
    for path in (PACKAGE / "stages").glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        steps = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == path.stem]
        if path.stem in ("decode", "encode", "pair_frames", "__init__"):  # a source, an end, and one with two sources
            continue
        assert steps[0].args.args[0].arg == "state", path.name
        assert ast.unparse(steps[0].returns).startswith("tuple["), path.name

"""The contract with a WebUI: what every adapter must have, and the table of what is touched of a host's objects."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType

import pytest

from clip_skip.hosts import attributes, base, protocols
from clip_skip.hosts.a1111 import WebUI
from clip_skip.hosts.base import Host
from clip_skip.hosts.sdnext import SDNext
from clip_skip.hosts.unknown import UnknownHost

PACKAGE = Path(base.__file__).parents[1]
# Who is given objects of a host's: all other modules get what these make of them.
MODULES = sorted(
    path
    for path in (*(PACKAGE / "hosts").glob("*.py"), *(PACKAGE / "interfaces").glob("*.py"), PACKAGE / "app.py")
    if path.name != "attributes.py"
)


def faults(adapter: type, contract: type = Host) -> Iterator[str]:
    """What `adapter` lacks of the contract, or has in another form: one sentence each."""
    for name, declared in vars(contract).items():
        if name.startswith("_"):
            continue
        found = inspect.getattr_static(adapter, name, None)
        if not any(name in vars(parent) for parent in adapter.__mro__ if parent is not contract):
            yield f"{adapter.__name__} lacks {name}"
        elif isinstance(declared, FunctionType):
            if not isinstance(found, FunctionType):
                yield f"{adapter.__name__}.{name} is no method"
                continue
            wanted, given = (inspect.signature(each).parameters for each in (declared, found))
            form = {each.name: (each.kind, each.default) for each in given.values()}
            for argument in {**wanted, **given}:
                if argument not in given:
                    yield f"{adapter.__name__}.{name} lacks the argument {argument}"
                elif argument not in wanted:
                    yield f"{adapter.__name__}.{name} has an argument {argument}, which the contract has not"
                elif (wanted[argument].kind, wanted[argument].default) != form[argument]:
                    yield f"{adapter.__name__}.{name} has its argument {argument} in another form"
            if list(wanted) != list(given) and set(wanted) == set(given):
                yield f"{adapter.__name__}.{name} has its arguments in another order"
        elif isinstance(found, FunctionType):
            yield f"{adapter.__name__}.{name} is a method"


@pytest.mark.parametrize("adapter", [WebUI, SDNext, UnknownHost])
def test_every_adapter_has_all_of_the_contract(adapter):
    assert list(faults(adapter)) == []
    assert not getattr(adapter, "__abstractmethods__", None)


@pytest.mark.parametrize("adapter", [WebUI, SDNext])
def test_no_adapter_inherits_an_answer_from_the_host_of_nobody(adapter):
    assert Host not in adapter.__mro__ and not issubclass(adapter, UnknownHost)


class MadeUp(UnknownHost):
    """With one of each kind of fault."""

    tag = UnknownHost.tagged  # a name that nobody asked for is no fault, but the one that it was meant for is missing
    tagged = None
    known = staticmethod(lambda: True)

    def use(self, value):
        return False

    def selected(self, name):
        return None

    def encode(self, work, prompt):
        return None

    def loaded(self, now=True):
        return None

    def data_path(self):
        return None


def test_each_kind_of_fault_is_found_and_named():
    assert sorted(faults(MadeUp)) == [
        "MadeUp.data_path is a method",
        "MadeUp.encode has its arguments in another order",
        "MadeUp.loaded has an argument now, which the contract has not",
        "MadeUp.selected has its argument name in another form",
        "MadeUp.tagged is no method",
        "MadeUp.use has an argument value, which the contract has not",
        "MadeUp.use lacks the argument number",
    ]


@pytest.mark.parametrize("name", [name for name in vars(Host) if not name.startswith("_")])
def test_a_member_that_an_adapter_lacks_is_found(name):
    """Also where it has the contract itself for a parent, whose methods answer nothing."""
    rest = {key: value for key, value in vars(UnknownHost).items() if key != name and not key.startswith("__")}
    assert list(faults(type("Lacking", (), rest))) == [f"Lacking lacks {name}"]
    assert list(faults(type("Lacking", (Host,), rest))) == [f"Lacking lacks {name}"]


def _constants() -> dict[str, object]:
    """Names in capitals, as modules call what they look up."""
    found: dict[str, object] = {}
    for path in (*MODULES, Path(attributes.__file__)):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                try:
                    found[node.targets[0].id] = ast.literal_eval(node.value)
                except ValueError:
                    continue
    return found


CONSTANTS = _constants()


def looked_up(source: str) -> Iterator[str]:
    """The names of attributes that a module looks up, sets or deletes by their text, wherever in it."""
    tree = ast.parse(source)
    # What a loop over names is over, by the loop's variable.
    loops = {
        loop.target.id: loop.iter
        for loop in ast.walk(tree)
        if isinstance(loop, (ast.For, ast.comprehension)) and isinstance(loop.target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in ("getattr", "setattr", "hasattr", "delattr", "attribute_at"):
                yield from _texts(node.args[1], loops)
            elif name == "kept":
                for argument in node.args[1:]:
                    yield from _texts(argument, loops)
            elif name == "get" and _is_vars(node.func.value):
                yield from _texts(node.args[0], loops)
        elif isinstance(node, ast.Subscript) and _is_vars(node.value):
            yield from _texts(node.slice, loops)
        elif isinstance(node, ast.Compare) and _is_vars(node.comparators[0]):
            yield from _texts(node.left, loops)


def _is_vars(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "vars"


def _texts(node: ast.AST, loops: dict[str, ast.expr]) -> Iterator[str]:
    """The attributes that this expression can name; nothing where it is ours, such as the key of a setting."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from (part for part in node.value.split(".") if part and not part.isdigit())
    elif isinstance(node, ast.Name) and node.id in CONSTANTS:
        yield str(CONSTANTS[node.id])
    elif isinstance(node, ast.Name) and node.id in loops:
        for each in getattr(loops[node.id], "elts", ()):
            yield from _texts(each, loops)
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body, loops)
        yield from _texts(node.orelse, loops)
    elif isinstance(node, ast.JoinedStr):
        for part in node.values:
            yield from _texts(part.value if isinstance(part, ast.FormattedValue) else part, loops)


def asked_for() -> set[str]:
    """Every member of a protocol of the host's."""
    return {
        name
        for each in vars(protocols).values()
        if inspect.isclass(each) and each.__module__ == protocols.__name__
        for name in (*vars(each), *each.__annotations__)
        if not name.startswith("_")
    }


TABLE = {row.name for row in attributes.ATTRIBUTES}
# Attributes of an option's own name, and what `flag` looks up: their tables are the settings and preload.py.
OURS = {"clip_skip_"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_what_is_looked_up_by_its_name_is_in_the_table(path):
    assert set(looked_up(path.read_text())) - TABLE - OURS == set()


def test_what_the_protocols_ask_for_is_in_the_table():
    assert asked_for() - TABLE == set()


def test_the_table_has_nothing_that_nobody_touches():
    sources = "".join(path.read_text() for path in (*MODULES, *(PACKAGE / "interfaces" / "ui").glob("*.py")))
    sources += "".join((PACKAGE / name).read_text() for name in ("skip/prompt_tags.py", "advice/report.py"))
    values = {value for name, value in CONSTANTS.items() if isinstance(value, str) and name in sources}
    assert [name for name in TABLE if name not in values and name not in sources] == []


def test_the_table_names_each_attribute_of_each_object_once():
    rows = [(row.owner, row.name, row.hosts) for row in attributes.ATTRIBUTES]
    assert len(set(rows)) == len(rows)
    assert {row.use for row in attributes.ATTRIBUTES} == {"put", "read", "called", "changed"}
    assert {row.hosts for row in attributes.ATTRIBUTES} == {"all", "a1111", "forge", "sdnext"}


@pytest.mark.parametrize(
    "source, names",
    [
        ("getattr(p, 'newcomer', None)", {"newcomer"}),
        ("setattr(p, AXES_ATTRIBUTE, 1)", {"clip_skip_axes"}),
        ("vars(p).get('newcomer')", {"newcomer"}),
        ("vars(p)['newcomer']", {"newcomer"}),
        ("'newcomer' in vars(p)", {"newcomer"}),
        ("def f():\n    with kept(p, 'one', 'other'): pass", {"one", "other"}),
        ("for name in ('one', 'other'):\n    attribute_at(p, f'{name}.third')", {"one", "other", "third"}),
        ("[getattr(p, name) for name in ('one', 'other')]", {"one", "other"}),
        ("hasattr(p, 'one' if x else 'other')", {"one", "other"}),
    ],
)
def test_each_way_to_look_up_a_name_is_found(source, names):
    assert set(looked_up(source)) == names

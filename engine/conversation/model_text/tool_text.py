"""Tools that a model asks for in its text, in all the forms that models have been taught."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

Tools = Mapping[str, Mapping[str, str]]
"""The offered tools: of each its parameters, in order, with their JSON types."""

_NAMES = ("name", "tool", "tool_name", "function", "function_name", "action", "recipient_name")
_ARGUMENTS = [
    "arguments",
    "parameters",
    "args",
    "params",
    "input",
    "tool_input",
    "action_input",
    "kwargs",
    "tool_args",
    "tool_parameters",
    "function_args",
    "arguments_json",
    "parameter",
    "argument",
]
_WRAPPERS = ("function", "tool_call", "function_call", "tool_calls", "function_calls", "calls", "tools", "tool_uses")

_TOKEN = re.compile(
    r"<[/|\uff5c][^<>\n]{0,80}>|<[^<>\n]{1,80}[|\uff5c]>|\[/?(?:ARGS|CALL_ID|TOOL_CALLS?|TOOL_CONTENT)\]|```[\w-]*"
)
_WORD = re.compile(r"[A-Za-z_][\w.-]*")
_XML_CALL = re.compile(
    r"<[\uff5c|]?(?:DSML[\uff5c|])?(?:antml:)?(?:function|invoke|tool|tool_use|call)\s*(?:=|\sname\s*=|\sid\s*=|:)\s*[\"']?([\w.-]+)[\"']?[^<>]*>",
    re.IGNORECASE,
)
_XML_PARAMETER = re.compile(
    r"<[\uff5c|]?(?:DSML[\uff5c|])?(?:antml:)?(?:parameter|param|arg|argument)\s*(?:=|\sname\s*=)\s*[\"']?([\w.-]+)[\"']?[^<>]*>"
    r"(.*?)(?:</[\uff5c|]?(?:DSML[\uff5c|])?(?:antml:)?(?:parameter|param|arg|argument)>|(?=<[\uff5c|]?(?:DSML[\uff5c|])?(?:antml:)?parameter\b)"
    r"|(?=</[\uff5c|]?(?:DSML[\uff5c|])?(?:antml:)?(?:function|invoke))|$)",
    re.DOTALL | re.IGNORECASE,
)
_XML_PAIR = re.compile(r"<arg_key>(.*?)</arg_key>\s*<arg_value>(.*?)(?:</arg_value>|(?=<arg_key>)|$)", re.DOTALL)
_PREFIXES = ("functions.", "function.", "default_api.", "tools.", "tool.", "api.")
_LITERALS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}

MAX_SOURCE_CHARS = 32_768
"""Of one call: more than a model writes in a reply on the telephone."""

MAX_VALUES = 100
"""So many brackets are tried for where JSON begins: each try may read all the rest."""


class WrittenCall(NamedTuple):
    """A tool that a model asks for in its text."""

    name: str
    """Perhaps of no tool there is."""
    arguments: dict[str, Any]
    source: str = ""
    """What could not be read: then it cannot be run."""


def tools_of(schemas: Iterable[Mapping[str, Any]]) -> Tools:
    """From schemas in the form chat models take."""
    made: dict[str, dict[str, str]] = {}
    for schema in schemas:
        function = schema.get("function") or {}
        properties = (function.get("parameters") or {}).get("properties") or {}
        made[str(function.get("name", ""))] = {name: _type_of(value) for name, value in properties.items()}
    return made


def _type_of(schema: object) -> str:
    kind = schema.get("type", "") if isinstance(schema, Mapping) else ""
    return kind if isinstance(kind, str) else next((one for one in kind if one != "null"), "")


def calls_in(source: str, tools: Tools, name: str = "") -> list[WrittenCall]:
    """The calls in a text that is known to ask for tools; one without a way to run it where none can be read.

    ``name``: of the tool, where it stood outside.
    """
    source = source[:MAX_SOURCE_CHARS].strip()
    readers = (
        _xml_calls(source, tools),
        _gemma_calls(source),
        _json_calls(source, tools, name),
        _python(source, tools),
    )
    found = next(filter(None, map(list, readers)), None)
    if found:
        return found
    bare = _TOKEN.sub(" ", source).strip()
    if bare in tools and not name:
        return [WrittenCall(bare, {})]
    if name in tools and not bare:
        return [WrittenCall(name, {})]
    named = name or next((tool for tool in tools if re.search(rf"(?<!\w){re.escape(tool)}(?!\w)", source)), "")
    return [WrittenCall(named, {}, source or "nothing")]


def calls_of(value: object, tools: Tools) -> list[WrittenCall]:
    """The calls that a JSON value asks for; none where it is something else."""
    if isinstance(value, list):
        each = [calls_of(item, tools) for item in value]
        return [call for calls in each for call in calls] if all(each) else []
    if not isinstance(value, dict):
        return []
    for wrapper in _WRAPPERS:
        if isinstance(value.get(wrapper), dict | list) and (inner := calls_of(value[wrapper], tools)):
            return inner
    key = next((key for key in _NAMES if isinstance(value.get(key), str)), None)
    if key is not None:
        name = bare_name(value[key])
        given = next((value[name] for name in _ARGUMENTS if name in value), None)
        has_arguments = given is not None or any(name in value for name in _ARGUMENTS)
        if has_arguments and (name in tools or key in _NAMES[:5]):
            arguments = _as_arguments(given)
            return [WrittenCall(name, arguments or {}, "" if arguments is not None else str(given))]
        if name in tools:
            rest = {other: item for other, item in value.items() if other not in (key, "type", "id")}
            known = {other: item for other, item in rest.items() if other in tools[name]}
            return [WrittenCall(name, known if tools[name] else {})]
    if len(value) == 1:
        ((only, inner_value),) = value.items()
        if bare_name(str(only)) in tools and isinstance(inner_value, dict):
            return [WrittenCall(bare_name(str(only)), inner_value)]
    return []


def bare_name(name: str) -> str:
    """A tool's name without what models put before and behind it (``functions.book:0``)."""
    name = name.strip().strip("\"'`")
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return re.sub(r":\d+$", "", name).removesuffix(".call")


def _as_arguments(given: object) -> dict[str, Any] | None:
    """None: they are none."""
    if given is None or given == "":
        return {}
    if isinstance(given, str):
        given = json_value(given)
    return given if isinstance(given, dict) else None


def _xml_calls(source: str, tools: Tools) -> Iterator[WrittenCall]:
    if "<arg_key>" in source:
        for part in re.split(r"</?tool_call>", source):
            pairs = _XML_PAIR.findall(part)
            if pairs:
                name = bare_name(part.partition("<arg_key>")[0])
                yield WrittenCall(name, {key.strip(): _typed(tools, name, key.strip(), text) for key, text in pairs})
        return
    starts = list(_XML_CALL.finditer(source))
    for index, start in enumerate(starts):
        name = bare_name(start[1])
        body = source[start.end() : starts[index + 1].start() if index + 1 < len(starts) else len(source)]
        parameters = _XML_PARAMETER.findall(body)
        if parameters:
            yield WrittenCall(name, {key: _typed(tools, name, key, text) for key, text in parameters})
            continue
        content = re.sub(r"</?[^<>\n]{1,60}>\s*$", "", re.split(r"</(?:function|invoke|tool|call)", body)[0]).strip()
        value = json_value(content) if content else {}
        if isinstance(value, dict):
            nested = calls_of(value, tools)
            yield nested[0] if nested and nested[0].name == name else WrittenCall(name, value)
        else:
            yield WrittenCall(name, {}, content)


def _gemma_calls(source: str) -> Iterator[WrittenCall]:
    """Gemma 4 writes ``call:book{day:<|"|>Monday<|"|>,people:2}``."""
    for found in re.finditer(r"call:([\w.-]+)\s*(?=\{)", source):
        end = end_of_value(source, found.end())
        text = source[found.end() : end or len(source)].replace('<|"|>', '"')
        value = json_value(re.sub(r"([{,]\s*)(\w+)\s*:", r'\1"\2":', text))
        readable = isinstance(value, dict)
        yield WrittenCall(bare_name(found[1]), value if readable else {}, "" if readable else text)


def _typed(tools: Tools, name: str, key: str, text: str) -> object:
    """The value of a parameter that stands as text."""
    text = text.removeprefix("\n").removesuffix("\n")
    kind = tools.get(name, {}).get(key, "")
    if kind == "string":
        return text
    value = json_value(text.strip())
    if value is None and text.strip() in _LITERALS:
        return _LITERALS[text.strip()]
    if value is None or (not kind and not isinstance(value, dict | list)):
        return text
    return value


def _json_calls(source: str, tools: Tools, name: str) -> Iterator[WrittenCall]:
    """JSON objects, with or without the tool's name before them."""
    text = _TOKEN.sub("\n", source)
    at = 0
    for _ in range(MAX_VALUES):
        found = re.search(r"[{\[]", text[at:])
        if found is None:
            return
        start = at + found.start()
        end = end_of_value(text, start)
        value = json_value(text[start:end]) if end else json_value(text[start:])
        before = [bare_name(word) for word in re.findall(r"[A-Za-z_][\w.:-]*", text[at:start])]
        named = next((word for word in reversed(before) if word in tools), "") or name
        named = named or next((word for word in before if word not in ("function", "json", "call", "to")), "")
        if isinstance(value, dict | list) and (calls := calls_of(value, tools)):
            yield from calls
        elif isinstance(value, dict) and named:
            yield WrittenCall(named, value)
        elif value is None and named and text[start] == "{":
            yield WrittenCall(named, {}, text[start : end or len(text)])
        elif text[start] == "[" and value is None:
            at = start + 1
            continue
        if not end:
            return
        at = end


def _python(source: str, tools: Tools) -> Iterator[WrittenCall]:
    """Calls in Python: ``[book(day="Monday"), note("x")]``."""
    text = _TOKEN.sub("\n", source).strip().rstrip(";")
    text = re.sub(r"^(?:json|python|tool_code|py)\s+", "", text)
    for candidate in (text, text.replace("true", "True").replace("false", "False").replace("null", "None")):
        try:
            body = ast.parse(candidate[:MAX_SOURCE_CHARS]).body
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            continue
        nodes: list[ast.expr] = []
        for statement in body:
            value = getattr(statement, "value", None)
            nodes += value.elts if isinstance(value, ast.List | ast.Tuple) else [value] if value is not None else []
        calls = [_python_call(node, tools) for node in nodes]
        if calls and all(calls):
            yield from (call for call in calls if call is not None)
            return


def _python_call(node: ast.expr, tools: Tools) -> WrittenCall | None:
    if isinstance(node, ast.Await):
        node = node.value
    if not isinstance(node, ast.Call):
        return None
    try:
        name = bare_name(ast.unparse(node.func))
    except RecursionError:
        return None
    if name == "print" and name not in tools and len(node.args) == 1:
        return _python_call(node.args[0], tools)
    if not _WORD.fullmatch(name):
        return None
    try:
        given = [ast.literal_eval(argument) for argument in node.args]
        arguments = {word.arg: ast.literal_eval(word.value) for word in node.keywords if word.arg is not None}
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    if given == [...] or len(given) > max(1, len(tools.get(name, ()))):
        return None
    if len(given) == 1 and isinstance(given[0], dict) and not arguments:
        return WrittenCall(name, given[0])
    return WrittenCall(name, dict(zip(tools.get(name, ()), given, strict=False)) | arguments)


# --- JSON as models write it ------------------------------------------------------------------------------------------


def json_value(text: str) -> Any:
    """The value of JSON, or of what models take for it (single quotes, bare line ends, a comma too many). None where
    it is none."""
    text = text.strip()
    if not text or len(text) > MAX_SOURCE_CHARS:
        return None
    for candidate in (text, re.sub(r",(\s*[}\]])", r"\1", text)):
        try:
            return json.loads(candidate, strict=False)
        except (ValueError, RecursionError):
            pass
    if text[0] not in "{[":
        return None
    try:
        value = ast.literal_eval(text)
        json.dumps(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


_STRUCTURE = re.compile(r"[\"'{}\[\]()\\]")


class Depth:
    """Finds the bracket that closes the first one, in text that streams in."""

    def __init__(self) -> None:
        self._depth = 0
        self._quote = ""
        self._escaped = False
        self._last = ""

    def feed(self, text: str) -> int:
        """More of the text. Returns the index behind the closing bracket, or -1 where it is not there."""
        if self._escaped and text:
            self._escaped, start = False, 1
        else:
            start = 0
        while found := _STRUCTURE.search(text, start):
            char, start = found[0], found.end()
            before = text[found.start() - 1] if found.start() else self._last
            if self._quote:
                if char == "\\":
                    self._escaped = start >= len(text)
                    start += 1
                elif char == self._quote and not (char == "'" and text[start : start + 1].isalnum()):
                    self._quote = ""
            elif char == '"' or (char == "'" and not before.isalnum()):
                self._quote = char
            elif char in "{[(":
                self._depth += 1
            elif char in "}])":
                self._depth -= 1
                if self._depth <= 0:
                    return start
        self._last = text[-1:] or self._last
        return -1


def end_of_value(text: str, start: int) -> int:
    """Behind the bracket that closes the one at ``start``; 0 where it is missing."""
    end = Depth().feed(text[start:])
    return start + end if end > 0 else 0

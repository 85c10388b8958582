"""The browsable form of the OpenAPI document: one page of our own HTML, which loads nothing from other hosts."""

from collections.abc import Iterable, Iterator
from html import escape
from typing import Any

import msgspec

STYLE = """
:root{color-scheme:light dark;--line:#8884;--soft:#8882;--accent:#2563eb}
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:62rem;padding:1rem}
h1 small{font-weight:400;opacity:.6}h2{margin:2rem 0 .5rem;text-transform:capitalize}
nav a{margin-right:1rem;text-transform:capitalize}a{color:var(--accent)}
details{border:1px solid var(--line);border-radius:6px;margin:.4rem 0}
summary{cursor:pointer;padding:.5rem .7rem}details[open]>summary{border-bottom:1px solid var(--line)}
section{padding:.3rem .9rem .9rem}h3{font-size:1rem;margin:1rem 0 .3rem}
b.m{display:inline-block;font:600 12px ui-monospace,monospace;min-width:3.6rem}
.get{color:#15803d}.post{color:#1d4ed8}.patch{color:#b45309}
code,pre{font:13px/1.5 ui-monospace,monospace}code{overflow-wrap:anywhere}
pre{background:var(--soft);border-radius:6px;overflow:auto;padding:.6rem}
table{border-collapse:collapse;width:100%}
td{border-top:1px solid var(--line);padding:.25rem .6rem .25rem 0;vertical-align:top}
"""


def page(title: str, body: str) -> bytes:
    """Return a whole page."""
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    head += f"<style>{STYLE}</style>"
    return f'<!doctype html><html lang="en"><head>{head}</head><body><main>{body}</main></body></html>'.encode()


def reference(document: dict[str, Any]) -> bytes:
    """Return the page of *document*: the operations by tag, then the schemas."""
    info = document["info"]
    by_tag: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            by_tag.setdefault(operation["tags"][0], []).append(operation_html(path, method, operation, document))
    links = " ".join(f'<a href="#{escape(tag)}">{escape(tag)}</a>' for tag in [*by_tag, "shapes"])
    head = f"<h1>{escape(info['title'])} <small>{escape(info['version'])}</small></h1><p>{escape(info['description'])} "
    head += f'<a href="/schema/openapi.json">openapi.json</a></p><nav>{links}</nav>'
    parts = [f'<h2 id="{escape(tag)}">{escape(tag)}</h2>{"".join(operations)}' for tag, operations in by_tag.items()]
    shapes = "".join(shape(name, schema) for name, schema in sorted(document["components"]["schemas"].items()))
    return page(info["title"], head + "".join(parts) + f'<h2 id="shapes">Shapes</h2>{shapes}')


def operation_html(path: str, method: str, operation: dict[str, Any], document: dict[str, Any]) -> str:
    """Return one operation."""
    head = f'<b class="m {method}">{method.upper()}</b> <code>{escape(path)}</code> {escape(operation["summary"])}'
    parts = [f"<p>{code(operation.get('description', operation['summary']))}</p>", parameters(operation["parameters"])]
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        parts.append(f"<h3>Body: {escape(media)}</h3><p>{typed(content['schema'])}</p>")
        if "example" in content:
            parts.append(f"<pre>{escape(curl(path, method, media, content['example']))}</pre>")
    parts.append(f"<h3>Answers</h3>{rows(answers(operation['responses'], document))}")
    return f'<details id="{operation["operationId"]}"><summary>{head}</summary><section>{"".join(parts)}</section></details>'


def parameters(given: list[dict[str, Any]]) -> str:
    """Return the table of parameters."""
    if not given:
        return ""
    lines = [(f"<code>{escape(one['name'])}</code> {one['in']}", typed(one["schema"]), code(one["description"])) for one in given]
    return f"<h3>Parameters</h3>{rows(lines)}"


def answers(responses: dict[str, Any], document: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield a table row for each response."""
    for status, response in responses.items():
        name = response.get("$ref", "").rpartition("/")[2]
        known = document["components"]["responses"][name] if name else response
        content: dict[str, Any] = next(iter(known.get("content", {}).values()), {})
        yield status, typed(content.get("schema", {})), code(known["description"])


def rows(lines: Iterable[tuple[str, ...]]) -> str:
    """Return a table."""
    cells = ("".join(f"<td>{cell}</td>" for cell in line) for line in lines)
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in cells)}</table>"


def shape(name: str, schema: dict[str, Any]) -> str:
    """Return one schema with its fields."""
    required = schema.get("required", ())
    lines = [
        (f"<code>{escape(field)}</code>{' *' if field in required else ''}", typed(kind), code(kind.get("description", "")))
        for field, kind in schema.get("properties", {}).items()
    ]
    examples = "".join(f"<pre>{escape(indented(example))}</pre>" for example in schema.get("examples", ()))
    body = f"<section><p>{code(schema.get('description', ''))}</p>{rows(lines)}{examples}</section>"
    return f'<details id="shape-{escape(name)}"><summary><code>{escape(name)}</code></summary>{body}</details>'


def typed(schema: dict[str, Any]) -> str:
    """Return a schema as one line, with links to the schemas in it."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#shape-{name}">{name}</a>'
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return " or ".join(typed(one) for one in schema[union])
    if "enum" in schema:
        return " · ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {typed(schema.get('items', {}))}"
    limits = {
        name: schema[name] for name in ("minimum", "maximum", "minLength", "maxLength", "pattern", "default") if name in schema
    }
    words = " ".join(f"{name} {escape(str(value))}" for name, value in limits.items())
    return f"{escape(str(schema.get('type', 'any')))} <small>{words}</small>"


def code(text: str) -> str:
    """Return *text* as HTML, with the parts between backticks as code.

    >>> code("`a` < b")
    '<code>a</code> &lt; b'
    """
    parts = escape(text, quote=False).split("`")
    return "".join(f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts))


def curl(path: str, method: str, media: str, example: object) -> str:
    """Return a curl command that sends *example*."""
    text = example if isinstance(example, str) else indented(example)
    return f"curl -X {method.upper()} http://127.0.0.1:8110{path} -H 'Content-Type: {media}' --data-binary '{text}'"


def indented(example: object) -> str:
    """Return an example as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(example), indent=2).decode()

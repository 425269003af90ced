"""Fails for an import in src/ that points upwards, goes through a re-export or closes a circle of files."""

import re
import sys
from pathlib import Path

# From the ground up: a module imports only from the ones in front of it.
ORDER = """error vocabulary note clock head json form multipart rejection limits scheme crypto compiled keys delivery_key challenge
    provider endpoint event identity providers observe verify capture sign tower delivery handshake axum actix explain config
    test_util""".split()
# A provider holds functions that read its events. No other import may point upwards.
KNOT = {("provider", "event"), ("provider", "identity")}

src = Path(sys.argv[1] if len(sys.argv) > 1 else "src")
files = {file.relative_to(src).with_suffix("").parts: file.read_text() for file in src.rglob("*.rs")}
files.pop(("lib",))
# The program uses what the library exports, as any other program does.
files = {module: text for module, text in files.items() if module[0] != "bin"}
ITEM = r"^\s*pub[^\n]*?\b(?:struct|enum|trait|fn|type|const|mod|macro_rules!|use) (?:self::)?(\w+)|^    (\w+)(?: shows \[[\w, ]*\])? \{$"
defined = {module: {a or b for a, b in re.findall(ITEM, text, re.M)} for module, text in files.items()}


def leaves(tree, prefix=()):
    """The paths of a use tree: `a::{b, c::d}` is `a::b` and `a::c::d`."""
    depth, parts, part = 0, [], ""
    for char in tree + ",":
        depth += (char == "{") - (char == "}")
        if char == "," and depth == 0:
            parts, part = parts + [part.strip()], ""
        else:
            part += char
    for part in filter(None, parts):
        head, brace, inner = part.partition("{")
        path = prefix + tuple(re.findall(r"\w+(?! as)\b|\*", head.split(" as ")[0]))
        yield from leaves(inner[: inner.rindex("}")], path) if brace else [path]


problems, edges = [], {}
for module, text in files.items():
    code = re.sub(r"#\[cfg\(test\)\]\s*mod tests \{(?:\}|.*?^\})", "", re.sub(r"//.*", "", text), flags=re.M | re.S)
    uses = re.findall(r"\buse ((?:crate|super)::[^;]+);", code)
    uses += re.findall(r"(?<![\w:])crate::(?:\w+::)*\w+", re.sub(r"\buse [^;]+;", "", code))
    for path in (path for tree in uses for path in leaves(tree)):
        path = path[1:] if path[0] == "crate" else module[: len(module) - path.count("super")] + path[path.count("super"):]
        target = next((path[:n] for n in range(len(path), 0, -1) if path[:n] in files), None)
        name, edge = path[-1], f"{'/'.join(module)}.rs imports {'::'.join(path)}"
        if target is None or (target != path and name not in defined[target] | {"self", "*"}):
            problems.append(f"{edge}: name the module that defines it")
        elif target != module:
            edges.setdefault(module, {})[target] = edge
            low, high = target[0], module[0]
            if (high, low) not in KNOT and ORDER.index(low) > ORDER.index(high):
                problems.append(f"{edge}: {low} is above {high}")


def walk(module, path):
    for target, edge in edges.get(module, {}).items():
        if (module[0], target[0]) in KNOT:
            continue
        if target in path:
            problems.append(f"{edge}, which closes a circle: {' -> '.join('/'.join(m) for m in path[path.index(target):])}")
        elif target not in done and target not in path:
            walk(target, path + [target])
    done.add(module)


done = set()
# An import that points upwards closes circles, too; they would only hide it.
for module in sorted(files) if not problems else ():
    if module not in done:
        walk(module, [module])
print("\n".join(sorted(set(problems))) or f"{sum(map(len, edges.values()))} imports, none upwards and no circle")
sys.exit(bool(problems))

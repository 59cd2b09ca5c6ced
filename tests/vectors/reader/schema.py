"""The list of all messages in docs/protocol.md, "The encoding of each message"."""

import ipaddress
import re

from cbor import Malformed, need

BITS = {"u8": 8, "u16": 16, "u32": 32, "u64": 64}


class Schema:
    """Turns CBOR items into what messages say, and back. Remembers which variants it has seen."""

    def __init__(self, page):
        block = re.search(r"^```schema\n(.*?)^```", page, re.S | re.M)
        need(block, "the page has no list of messages")
        self.enums, self.structs, self.numbers = {}, {}, {}
        self.seen = set()
        variants = None
        for line in block.group(1).splitlines():
            head = re.match(r"enum (\w+)$", line)
            if head:
                variants = self.enums.setdefault(head.group(1), {})
            elif line.startswith("  "):
                number, name, fields = re.match(r"  (\d+) (\w+)(?:: (.*))?$", line).groups()
                variants[int(number)] = (name, _fields(fields))
            elif line.startswith("struct "):
                name, fields = re.match(r"struct (\w+): (.*)$", line).groups()
                self.structs[name] = _fields(fields)
            else:
                name, values = re.match(r"number (\w+): (.*)$", line).groups()
                pairs = (value.split(" ") for value in values.split(", "))
                self.numbers[name] = {int(number): value for number, value in pairs}

    def unseen(self):
        """Returns the variants and numbers of the page of which no vector was read."""
        variants = {(name, value[0]) for name, enum in self.enums.items() for value in enum.values()}
        numbers = {(name, value) for name, values in self.numbers.items() for value in values.values()}
        return sorted((variants | numbers) - self.seen)

    def says(self, kind, item):
        """Returns what an item of type `kind` says."""
        if kind.startswith("["):
            need(isinstance(item, list), "no list")
            return [self.says(kind[1:-1], part) for part in item]
        if kind in self.enums:
            need(isinstance(item, list) and len(item) == 2, "no variant")
            need(_is_number(item[0]) and item[0] in self.enums[kind], f"an unknown {kind}")
            name, fields = self.enums[kind][item[0]]
            self.seen.add((kind, name))
            return {name: self._fields(fields, item[1])}
        if kind in self.structs:
            return self._fields(self.structs[kind], item)
        if kind in self.numbers:
            need(_is_number(item) and item in self.numbers[kind], f"an unknown {kind}")
            self.seen.add((kind, self.numbers[kind][item]))
            return self.numbers[kind][item]
        return _plain(kind, item)

    def _fields(self, fields, items):
        need(isinstance(items, list), "no fields")
        said = {}
        for at, (name, kind) in enumerate(fields):
            item = items[at] if at < len(items) else None
            if kind.endswith("?"):
                said[name] = None if item is None else self.says(kind[:-1], item)
            else:
                need(at < len(items), f"no {name}")
                said[name] = self.says(kind, item)
        return said

    def item(self, kind, said):
        """Returns the item that says this, as a writer makes it."""
        if kind.startswith("["):
            return [self.item(kind[1:-1], part) for part in said]
        if kind in self.enums:
            ((name, fields),) = said.items()
            for number, variant in self.enums[kind].items():
                if variant[0] == name:
                    return [number, self._items(variant[1], fields)]
            raise Malformed(f"there is no {kind} {name}")
        if kind in self.structs:
            return self._items(self.structs[kind], said)
        if kind in self.numbers:
            return {name: number for number, name in self.numbers[kind].items()}[said]
        if kind.startswith("bytes"):
            return bytes.fromhex(said)
        if kind == "address":
            address = ipaddress.ip_address(said)
            return [0 if address.version == 4 else 1, address.packed]
        return said

    def _items(self, fields, said):
        items = [
            None if said[name] is None else self.item(kind.rstrip("?"), said[name]) for name, kind in fields
        ]
        while items and items[-1] is None:
            items.pop()
        return items


def _fields(text):
    return [tuple(field.split(" ")) for field in text.split(", ")] if text else []


def _is_number(item):
    return isinstance(item, int) and not isinstance(item, bool)


def _plain(kind, item):
    if kind in BITS:
        need(_is_number(item) and 0 <= item < 1 << BITS[kind], f"no {kind}")
    elif kind == "i64":
        need(_is_number(item) and -(1 << 63) <= item < 1 << 63, "no i64")
    elif kind == "bool":
        need(isinstance(item, bool), "no bool")
    elif kind == "text":
        need(isinstance(item, str), "no text")
    elif kind == "address":
        need(isinstance(item, list) and len(item) == 2 and isinstance(item[1], bytes), "no address")
        need((item[0], len(item[1])) in ((0, 4), (1, 16)), "no address")
        return str(ipaddress.ip_address(item[1]))
    else:
        need(kind.startswith("bytes") and isinstance(item, bytes), f"no {kind}")
        need(kind == "bytes" or len(item) == int(kind[5:]), f"no {kind}")
        return item.hex()
    return item

"""CBOR (RFC 8949), as far as docs/protocol.md uses it: definite lengths, the shortest form of each number."""


class Malformed(Exception):
    """The bytes are not what the pages describe."""


def need(condition, what):
    if not condition:
        raise Malformed(what)


def decode(data):
    """Returns the item in `data` and its length."""
    item, end = _item(data, 0)
    return item, end


def decode_whole(data):
    item, end = decode(data)
    need(end == len(data), "bytes after the item")
    return item


def _head(data, at):
    need(at < len(data), "cut off")
    major, short = data[at] >> 5, data[at] & 31
    at += 1
    if short < 24:
        return major, short, at
    need(short < 28, "an indefinite length")
    size = 1 << (short - 24)
    need(at + size <= len(data), "cut off")
    value = int.from_bytes(data[at : at + size], "big")
    need(value >= (24 if size == 1 else 1 << (4 * size)), "not the shortest form")
    return major, value, at + size


def _item(data, at):
    if at < len(data) and data[at] in (0xF4, 0xF5, 0xF6):
        return {0xF4: False, 0xF5: True, 0xF6: None}[data[at]], at + 1
    major, value, at = _head(data, at)
    if major == 0:
        return value, at
    if major == 1:
        return -1 - value, at
    if major in (2, 3):
        need(at + value <= len(data), "cut off")
        content = bytes(data[at : at + value])
        if major == 2:
            return content, at + value
        try:
            return content.decode("utf-8"), at + value
        except UnicodeDecodeError as error:
            raise Malformed("no UTF-8") from error
    need(major == 4, "a type that no message has")
    items = []
    for _ in range(value):
        item, at = _item(data, at)
        items.append(item)
    return items, at


def encode(item):
    if item is None or isinstance(item, bool):
        return bytes([{None: 0xF6, False: 0xF4, True: 0xF5}[item]])
    if isinstance(item, int):
        return _encode_head(0, item) if item >= 0 else _encode_head(1, -1 - item)
    if isinstance(item, bytes):
        return _encode_head(2, len(item)) + item
    if isinstance(item, str):
        content = item.encode("utf-8")
        return _encode_head(3, len(content)) + content
    return _encode_head(4, len(item)) + b"".join(encode(part) for part in item)


def _encode_head(major, value):
    if value < 24:
        return bytes([major << 5 | value])
    for short, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if value < 1 << (8 * size):
            return bytes([major << 5 | short]) + value.to_bytes(size, "big")
    raise Malformed("a number with more than 64 bits")

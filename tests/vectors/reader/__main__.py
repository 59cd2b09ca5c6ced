"""Reads the test vectors that `cargo xtask vectors --out DIR` writes, with nothing but what docs/protocol.md and docs/frames.md say.

    python3 tests/vectors/reader DIR [FILE...]

Checks each vector: decodes it, opens it with the keys beside it, verifies its signatures, and compares what it says. Then changes it in
many places, and expects that each change is noticed. Python 3.9 or later, with the package `cryptography`.
"""

import copy
import json
import sys
from pathlib import Path

import cbor
from cbor import Malformed, need
from frames import Sequence, refuses_forged_frames
from keys import Words, check_authority, check_credential, check_link, check_policy, hexed
from primitives import Reader, need_signature, number
from schema import Schema
from rounds import Rounds
from sealed import Sealed, padded
from welcome import Welcomes

DOCS = Path(__file__).resolve().parents[3] / "docs"


class Messages:
    """Messages between clients, servers and members."""

    def __init__(self, schema):
        self.schema = schema

    def check(self, vector):
        kind, data = vector["type"], hexed(vector["bytes"])
        item, length = cbor.decode(data)
        if kind == "ChatMessage":
            need(padded(length) == len(data) and not any(data[length:]), "another padding")
        else:
            need(length == len(data), "bytes after the message")
        says = self.schema.says(kind, item)
        need(cbor.encode(self.schema.item(kind, says)) == data[:length], "another encoding")
        if kind == "ChatMessage":
            self.verify_lines(says, vector)
        need(says == vector["says"], f"it says {says}")

    def verify_lines(self, says, vector):
        """Verifies the signatures of lines and ballots, and removes them from what a message says."""
        ((name, fields),) = says.items()
        if name == "Ballot":
            vote, choice = fields["ballot"]["ballot"]["vote"], fields["ballot"]["ballot"]["choice"]
            verify_ballot(vector["meeting"], vector["author"], vote, choice, fields["ballot"])
        if name == "OpenVote":
            vote = {"device": vector["author"], "counter": fields["question"]["counter"]}
            for passed in fields["ballots"]:
                verify_ballot(vector["meeting"], passed["device"], vote, passed["choice"], passed)
        lines = [(vector["author"], fields["line"])] if name == "Line" else []
        if name == "History":
            lines = [(old["device"], old["line"]) for old in fields["lines"]]
        for device, line in lines:
            content = cbor.encode(self.schema.item("Content", line["content"]))
            message = b"Conclave 1.0 chat line\0" + hexed(vector["meeting"]) + number(line["counter"], 8) + content
            need_signature(hexed(device), hexed(line.pop("signature")), message, "the line")


def verify_ballot(meeting, voter, vote, choice, ballot):
    """Verifies the signature of a ballot, and removes it."""
    message = b"Conclave 1.0 chat ballot\0" + hexed(meeting) + hexed(vote["device"]) + number(vote["counter"], 8)
    message += number(choice, 1) + number(ballot["number"], 8) + ballot["name"].encode()
    need_signature(hexed(voter), hexed(ballot.pop("signature")), message, "the ballot")


def check_datagram(vector):
    reader = Reader(hexed(vector["bytes"]))
    if vector["kind"] == "tunnel":
        datagrams = []
        while reader.rest:
            datagrams.append(reader.take(reader.number(2)).hex())
        need(datagrams == vector["datagrams"], "other datagrams")
        return
    need(reader.take(2) == b"\x80\x7f", "no probe")
    rtp = reader.number(2), reader.number(4), reader.take(4)
    key, kind = reader.take(16), reader.number(1)
    says = {"key": key.hex(), "number": kind, "sequence": reader.number(4), "sent_at": reader.number(4)}
    says.update(cookie=reader.number(8), received=reader.number(4), received_at=reader.number(4))
    need(rtp == (says["sequence"] & 0xFFFF, says["sent_at"], key[:4]), "another header")
    need(not any(reader.rest), "padding that is not zero")
    need(all(vector[name] == value for name, value in says.items()), f"it says {says}")


def changed(vector, name):
    """Returns copies of a vector, each with one bit of `name` changed."""
    text = vector[name]
    if name == "link":
        places = [(at, "A" if text[at] != "A" else "B") for at in range(len(text))]
        return [{**vector, name: text[:at] + letter + text[at + 1 :]} for at, letter in places]
    data = hexed(text)
    if name == "authenticator":
        return [{**vector, name: bytes([*data[:at], data[at] ^ 1 << (at % 8), *data[at + 1 :]]).hex()} for at in range(16)]
    # All bytes of short ones. A prime step, so that no field of a long one is left out always.
    step = 1 if len(data) <= 300 else 37
    copies = []
    for at in sorted({*range(0, len(data), step), *range(min(len(data), 16)), *range(max(0, len(data) - 16), len(data))}):
        bent = bytearray(data)
        bent[at] ^= 1 << (at % 8)
        copies.append({**vector, name: bytes(bent).hex()})
    return copies


def refuses(check, vector):
    try:
        check(vector)
    except Malformed:
        return True
    return False


def check_frames(vector):
    """Checks a sequence, each of its frames with changed bytes, and one with a frame of somebody else."""
    Sequence(vector).check()
    if not refuses_forged_frames(vector):
        raise Malformed("a forged frame was not noticed")
    count = 0
    for frame in vector["frames"][::7]:
        for other in changed(frame, "bytes"):
            if not refuses(lambda bent: Sequence(vector).open(hexed(bent["bytes"])), other):
                raise Malformed("a changed frame was opened")
            count += 1
    return count


def fields(vector):
    """Returns the names of the bytes that are changed in a vector."""
    names = ("bytes", "link", "chain", "command", "signature", "policy", "credential", "request", "sealed")
    names += ("message", "authenticator", "welcome", "tree")
    return [name for name in names if name in vector]


def read_all(folder, wanted):
    schema = Schema((DOCS / "protocol.md").read_text("utf-8"))
    messages, sealed = Messages(schema), Sealed(schema)
    words = Words((DOCS / "frames.md").read_text("utf-8"))
    rounds, welcomes = Rounds(schema, words), Welcomes()
    files = {
        "messages": messages.check,
        "members": messages.check,
        "datagrams": check_datagram,
        "links": check_link,
        "authority": check_authority,
        "policies": check_policy,
        "credentials": check_credential,
        "words": words.check,
        "beacons": rounds.check_beacon,
        "rounds": rounds.check_round,
        "typing": rounds.check_typing,
        "requests": sealed.check_request,
        "sealed": sealed.check_sealed,
        "trees": sealed.check_tree,
        "welcomes": welcomes.check,
        "lobby": sealed.check_lobby,
        "frames": check_frames,
    }
    found = {path.stem for path in Path(folder).glob("*.json")}
    need(found == set(files), f"other files: {sorted(found ^ set(files))}")
    need(set(wanted) <= found, "no such file")
    total, changes = 0, 0
    for name, check in files.items():
        if wanted and name not in wanted:
            continue
        vectors = json.loads((Path(folder) / f"{name}.json").read_text("utf-8"))["vectors"]
        need(vectors, f"{name}: no vectors")
        for at, vector in enumerate(vectors):
            try:
                changes += check(copy.deepcopy(vector)) or 0
                for field in fields(vector):
                    for other in changed(vector, field):
                        need(refuses(check, other), f"a change of `{field}` was not noticed")
                        changes += 1
            except Malformed as error:
                raise Malformed(f"{name}.json, vector {at}: {error}") from error
            total += 1
    need(wanted or not schema.unseen(), f"no vector of {schema.unseen()}")
    print(f"{total} vectors, {changes} changes noticed")


if __name__ == "__main__":
    try:
        read_all(sys.argv[1], sys.argv[2:])
    except Malformed as wrong:
        sys.exit(f"vectors: {wrong}")

"""Requests to join, what is sealed for one member, and lobby chats."""

import hmac

import cbor
import hpke
from cbor import need
from keys import hexed, read_credential, read_key_package, read_tree
from primitives import Reader, extract, open_gcm, participant, sha256


class Sealed:
    """Opens what is sealed. Decapsulation in Python is slow, so each encapsulation is opened once."""

    def __init__(self, schema):
        self.schema, self.pairs, self.secrets = schema, {}, {}

    def pair(self, seed):
        if seed not in self.pairs:
            self.pairs[seed] = hpke.KeyPair(hexed(seed))
        return self.pairs[seed]

    def secret(self, seed, enc):
        if (seed, enc) not in self.secrets:
            self.secrets[seed, enc] = self.pair(seed).decapsulate(enc)
        return self.secrets[seed, enc]

    def check_request(self, vector):
        request, meeting = hexed(vector["request"]), hexed(vector["meeting"])
        need(len(request) > 48, "cut off")
        key = extract("sha384", b"Conclave 1.0 knock", hexed(vector["link_secret"]))
        tag = hmac.new(key, request[:-48], "sha384").digest()
        need(hmac.compare_digest(tag, request[-48:]), "made without the link")
        reader = Reader(request[:-48])
        need(reader.number(1) == 3, "another version")
        public = hexed(vector["admission_key"])
        need(public == self.pair(vector["admission_seed"]).public, "another admission key")
        need(reader.take(8) == sha256(public)[:8], "for another admission key")
        self.check_plain_request(vector, meeting, reader.rest)

    def check_plain_request(self, vector, meeting, sealed):
        enc, ciphertext = hpke.split(sealed)
        secret = self.secret(vector["admission_seed"], enc)
        plain = Reader(hpke.open_with_secret(secret, ciphertext, b"Conclave 1.0 knock\0" + meeting))
        need(secret.hex() == vector["kem_secret"], "another secret of the KEM")
        plain.take(16 + 32)
        package, says = plain.rest, None
        if vector["complaint"] is not None:
            package, complaint = package[:-40], Reader(package[-40:])
            says = {"device": complaint.take(32).hex(), "epoch": complaint.number(8)}
        need(says == vector["complaint"], f"it complains about {says}")
        identity, leaf = read_key_package(package)
        says = read_credential(identity, leaf, meeting)
        need(all(says[name] == vector[name] for name in says), f"the request says {says}")

    def check_sealed(self, vector):
        purpose = {"manager keys": b"Conclave 1.0 manager keys\0", "private chat": b"Conclave 1.0 private chat\0"}
        ends = participant(vector["from"]) + participant(vector["to"])
        info = purpose[vector["kind"]] + hexed(vector["meeting"]) + ends
        need(self.pair(vector["seed"]).public == hexed(vector["public"]), "another public key")
        enc, ciphertext = hpke.split(hexed(vector["sealed"]))
        secret = self.secret(vector["seed"], enc)
        plain = hpke.open_with_secret(secret, ciphertext, info)
        need(secret.hex() == vector["kem_secret"], "another secret of the KEM")
        if vector["kind"] == "manager keys":
            says = _read_keys(plain)
        else:
            item, length = cbor.decode(plain)
            need(not any(plain[length:]), "padding that is not zero")
            says = self.schema.says("PrivateMessage", item)
            need(cbor.encode(self.schema.item("PrivateMessage", says)) == plain[:length], "another encoding")
            self.need_padding(vector, hexed(vector["sealed"]))
        need(says == vector["content"], f"it says {says}")

    def check_tree(self, vector):
        meeting = hexed(vector["meeting"])
        aad = b"Conclave 1.0 tree\0" + meeting
        tree = open_gcm(hexed(vector["key"]), bytes(12), hexed(vector["sealed"]), aad)
        need(tree.hex() == vector["tree"], "another tree")
        says = [read_credential(identity, leaf, meeting) for identity, leaf in read_tree(tree)]
        need(says == vector["members"], f"the tree says {says}")

    def need_padding(self, vector, sealed):
        """The whole message of the chat fills one of the lengths."""
        says = {"Private": {"to": (1 << 64) - 1, "sealed": sealed.hex()}}
        length = len(cbor.encode(self.schema.item("ChatMessage", says)))
        need(padded(length) - length <= 16, "another padding")

    def check_lobby(self, vector):
        meeting, joiner = hexed(vector["meeting"]), participant(vector["joiner"])
        direction = bytes([vector["from"] != vector["joiner"]])
        prk = extract("sha384", b"Conclave 1.0 lobby", hexed(vector["secret"]))
        key = hmac.new(prk, direction + meeting + joiner, "sha384").digest()[:32]
        reader = Reader(hexed(vector["message"]))
        nonce = reader.take(12)
        aad = b"Conclave 1.0 lobby\0" + meeting + joiner + participant(vector["from"])
        plain = open_gcm(key, nonce, reader.rest, aad)
        need(len(plain) % 256 == 0, "another padding")
        reader = Reader(plain)
        need(reader.number(4) == vector["counter"], "another counter")
        content = reader.take(reader.number(2))
        need(len(reader.rest) < 256 and not any(reader.rest), "another padding")
        says = self.schema.says("LobbyContent", cbor.decode_whole(content))
        need(cbor.encode(self.schema.item("LobbyContent", says)) == content, "another encoding")
        need(says == vector["says"], f"it says {says}")


def _read_keys(plain):
    reader = Reader(plain)
    need(reader.number(1) == 1, "another version")
    authority = reader.take(32).hex()
    links = [{"admission": reader.take(32).hex(), "secret": reader.take(16).hex()} for _ in range(reader.number(1))]
    reader.end()
    return {"authority": authority, "links": links}


def padded(length):
    """Returns the length to which a message of the chat is padded."""
    step = 64
    while step < length:
        step *= 2
    need(step <= 16 << 10, "too long")
    return step

"""Welcomes and the trees outside of them: RFC 9420, sections 7.8, 8 and 12.4.3, and docs/frames.md, "The tree"."""

import hashlib
import hmac

import hpke
from cbor import need
from keys import hexed, mls_signature, mls_vector, read_credential, read_tree
from primitives import Reader, expand, extract, number, open_gcm

POLICY, TREE_KEY, LOG_EPOCH = 0xF5C1, 0xF5C2, 0xF5C3


class Welcomes:
    """Opens Welcomes. Decapsulation in Python is slow, so each encapsulation is opened once."""

    def __init__(self):
        self.secrets = {}

    def check(self, vector):
        reader = Reader(hexed(vector["welcome"]))
        need(reader.take(6) == bytes.fromhex("00010003004e"), "no Welcome of this suite")
        entries, sealed = Reader(mls_vector(reader)), mls_vector(reader)
        reader.end()
        secret = self.open_secrets(vector, entries, sealed)
        welcome = expand_label(secret, b"welcome", b"", 48)
        key, nonce = expand_label(welcome, b"key", b"", 32), expand_label(welcome, b"nonce", b"", 12)
        check_info(vector, secret, open_gcm(key, nonce, sealed, b""))

    def open_secrets(self, vector, entries, sealed):
        """Opens the group secrets. Returns what follows from the joiner secret."""
        joiner, enc, ciphertext = mls_vector(entries), mls_vector(entries), mls_vector(entries)
        entries.end()
        package = written(b"MLS 1.0 KeyPackage Reference") + written(hexed(vector["package"]))
        need(joiner == hashlib.sha384(package).digest(), "for another key package")
        at = vector["init_key"], enc
        if at not in self.secrets:
            self.secrets[at] = hpke.KeyPair.of_private(hexed(vector["init_key"])).decapsulate(enc)
        label = written(b"MLS 1.0 Welcome") + written(sealed)
        plain = Reader(hpke.open_with_secret(self.secrets[at], ciphertext, label))
        secret = mls_vector(plain)
        if plain.number(1):
            mls_vector(plain)
        need(mls_vector(plain) == b"", "keys that were shared before")
        plain.end()
        return extract("sha384", secret, bytes(48))


def check_info(vector, secret, info):
    """Checks a GroupInfo: what it says, its confirmation tag, the tree that it names, and its signature."""
    reader, meeting = Reader(info), hexed(vector["meeting"])
    need(reader.take(4) == bytes.fromhex("0001004e"), "another version or suite")
    need(mls_vector(reader) == meeting and reader.number(8) == vector["epoch"], "another meeting or epoch")
    tree_hash, transcript = mls_vector(reader), mls_vector(reader)
    extensions = read_extensions(mls_vector(reader))
    need(extensions.get(POLICY) == hexed(vector["policy"]), "another policy")
    context = info[: len(info) - len(reader.rest)]
    extensions = read_extensions(mls_vector(reader))
    tree_key, log_epoch = extensions.get(TREE_KEY), extensions.get(LOG_EPOCH)
    tag, signer = mls_vector(reader), reader.number(4)
    signed = info[: len(info) - len(reader.rest)]
    signature = mls_vector(reader)
    reader.end()
    confirmation = expand_label(expand_label(secret, b"epoch", context, 48), b"confirm", b"", 48)
    need(hmac.new(confirmation, transcript, "sha384").digest() == tag, "another confirmation tag")
    need(tree_key is not None and len(tree_key) == 32, "no key of the tree")
    need(log_epoch == number(vector["log_epoch"], 8), "another epoch of the log")
    tree = open_gcm(tree_key, bytes(12), hexed(vector["tree"]), b"Conclave 1.0 tree\0" + meeting)
    nodes = []
    leaves = read_tree(tree, nodes)
    need(hash_of(nodes) == tree_hash, "another tree")
    # The trees of the vectors have no blank leaf.
    need(signer < len(leaves), "signed by nobody")
    mls_signature(leaves[signer][1], signature, b"GroupInfoTBS", signed, "the committer")
    names = [read_credential(identity, leaf, meeting)["name"] for identity, leaf in leaves]
    need(names == vector["names"], f"the members are {names}")


def read_extensions(data):
    reader, found = Reader(data), {}
    while reader.rest:
        kind = reader.number(2)
        found[kind] = mls_vector(reader)
    return found


def hash_of(nodes):
    """Returns the tree hash (section 7.8). A blank node is `None`."""
    width = 1
    while 2 * width - 1 < len(nodes):
        width *= 2
    full = nodes + [None] * (2 * width - 1 - len(nodes))

    def subtree(low, high):
        middle = (low + high) // 2
        node = full[middle]
        optional = b"\0" if node is None else b"\1" + node
        if low == high:
            return hashlib.sha384(b"\1" + number(low // 2, 4) + optional).digest()
        left, right = subtree(low, middle - 1), subtree(middle + 1, high)
        return hashlib.sha384(b"\2" + optional + written(left) + written(right)).digest()

    return subtree(0, len(full) - 1)


def expand_label(secret, label, context, length):
    info = number(length, 2) + written(b"MLS 1.0 " + label) + written(context)
    return expand("sha384", secret, info, length)


def written(data):
    """Writes a vector of TLS as RFC 9420, section 2.1.2, does."""
    size = next(size for size in (1, 2, 4) if len(data) < 1 << (8 * size - 2))
    return number(len(data) | {1: 0, 2: 1, 4: 2}[size] << (8 * size - 2), size) + data

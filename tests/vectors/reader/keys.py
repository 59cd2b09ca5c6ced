"""Links, the authority, policies, credentials, key packages and words: docs/frames.md, and "The policy" in docs/protocol.md."""

import base64
import hashlib
import re

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cbor import Malformed, need
from primitives import Reader, need_signature, number, participant, sha256


def hexed(data):
    return bytes.fromhex(data)


def binding_of(pair):
    return sha256(b"Conclave 1.0 binding\0" + pair)[:16]


def meeting_of(binding):
    return sha256(b"Conclave 1.0 meeting\0" + binding)[:16]


def check_link(vector):
    found = re.fullmatch(r"conclave://(?:\[([0-9a-f:]+)\]|([^:\[\]/]+)):(\d+)/#([A-Za-z0-9_-]+)", vector["link"])
    need(found, "no link")
    host = found.group(1) or found.group(2)
    text = found.group(4)
    secret = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    need(base64.urlsafe_b64encode(secret).rstrip(b"=").decode() == text, "bits after the end")
    reader = Reader(secret)
    first = reader.number(1)
    need(first & 0x0F == 2 and first & 0xC0 == 0, "another version")
    binding, link_secret = reader.take(16), reader.take(16)
    meeting = reader.take(16) if first & 0x20 else meeting_of(binding)
    certificate = reader.take(16) if first & 0x10 else None
    reader.end()
    pair = hexed(vector["authority"]) + hexed(vector["admission_hash"])
    need(binding == binding_of(pair), "the link is of other keys")
    wanted = vector["certificate_hash"] and hexed(vector["certificate_hash"])[:16]
    says = (host, int(found.group(3)), link_secret.hex(), meeting.hex(), certificate)
    need(says == (vector["host"], vector["port"], vector["secret"], vector["meeting"], wanted), "the link says something else")


def read_chain(data, meeting):
    """Verifies a chain, and returns its pairs."""
    reader = Reader(data)
    pairs = [reader.take(64)]
    need(meeting_of(binding_of(pairs[0])) == meeting, "another meeting")
    while reader.rest:
        pair, signature = reader.take(64), reader.take(64)
        message = b"Conclave 1.0 rotate\0" + meeting + number(len(pairs), 4) + pair
        need_signature(pairs[-1][:32], signature, message, "a rotation")
        pairs.append(pair)
    need(len(pairs) <= 257, "too many rotations")
    return pairs


def check_authority(vector):
    meeting = hexed(vector["meeting"])
    if vector["kind"] == "chain":
        authorities = [pair[:32].hex() for pair in read_chain(hexed(vector["chain"]), meeting)]
        need(authorities == vector["authorities"], "other authorities")
    elif vector["kind"] == "command":
        signed = participant(vector["sender"]) + number(vector["counter"], 8) + hexed(vector["command"])
        message = b"Conclave 1.0 manage\0" + meeting + signed
        need_signature(hexed(vector["authority"]), hexed(vector["signature"]), message, "a command")
    else:
        need(vector["kind"] == "return", "an unknown kind")
        request = hexed(vector["request"])
        message = b"Conclave 1.0 return\0" + meeting + participant(vector["participant"]) + request
        authority = hexed(vector["authority"])
        need_signature(authority, hexed(vector["signature"]), message, "a request to return")
        identity, leaf = read_key_package(request)
        credential = read_credential(identity, leaf, meeting, authority)
        need(credential["participant"] == vector["participant"], "another participant")


def check_policy(vector):
    data, meeting = hexed(vector["policy"]), hexed(vector["meeting"])
    need(len(data) > 64, "cut off")
    reader = Reader(data[:-64])
    need(reader.number(1) == 4, "another version")
    says = {"serial": reader.number(8), "rotations": reader.number(2)}
    pairs = read_chain(reader.take(64 + 128 * says["rotations"]), meeting)
    says["flags"], says["everyone"] = reader.number(2), reader.number(1)
    says["defaults"] = [reader.number(4) for _ in range(4)]
    says["people"] = [_read_person(reader) for _ in range(reader.number(2))]
    says["barred"] = [reader.take(32).hex() for _ in range(reader.number(2))]
    reader.end()
    says["authority"] = pairs[-1][:32].hex()
    need_signature(pairs[-1][:32], data[-64:], b"Conclave 1.0 policy\0" + meeting + data[:-64], "the policy")
    roles = [person["role"] for person in says["people"]]
    need(roles and roles[0] == 0 and roles.count(0) == 1 and roles == sorted(roles), "people in another order")
    need(says == vector["says"], f"the policy says {says}")


def _read_person(reader):
    return {
        "device": reader.take(32).hex(),
        "participant": reader.number(8),
        "role": reader.number(1),
        "granted": reader.number(4),
        "withdrawn": reader.number(4),
    }


def read_credential(data, leaf, meeting, authority=None):
    """Verifies a credential for the leaf's signature key, and returns what it says."""
    reader = Reader(data)
    need(reader.number(1) == 2, "another version")
    device, owner, issued = reader.take(32), reader.take(8), reader.take(8)
    certificate, parts = reader.take(64), reader.number(1)
    returning = parts & 1
    need_signature(device, certificate, b"Conclave 1.0 leaf\0" + meeting + owner + issued + leaf, "the device")
    need(parts < 4 and (returning == 1) == (authority is not None), "it returns, or does not")
    if returning:
        need_signature(authority, reader.take(64), b"Conclave 1.0 return leaf\0" + certificate, "the authority")
    certificates = _read_certificates(Reader(reader.take(reader.number(2))), device) if parts & 2 else []
    try:
        name = reader.rest.decode("utf-8")
    except UnicodeDecodeError:
        name = None
    need(name and len(name) <= 64, "no name")
    owner, issued = int.from_bytes(owner, "big"), int.from_bytes(issued, "big")
    says = {"device": device.hex(), "participant": owner, "issued": issued, "name": name}
    return {**says, "certificates": certificates} if parts & 2 else says


def _read_certificates(reader, device):
    """Reads certificates of an organisation, of which the first one is for the device."""
    found = []
    while reader.rest:
        found.append(reader.take(reader.number(2)))
    need(1 <= len(found) <= 4 and all(found), "no certificate, or too many")
    try:
        key = x509.load_der_x509_certificate(found[0]).public_key()
        public = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Malformed("no certificate of a device") from error
    need(public == device, "the certificate of another device")
    return [one.hex() for one in found]


def check_credential(vector):
    authority = vector["authority"] and hexed(vector["authority"])
    says = read_credential(hexed(vector["credential"]), hexed(vector["leaf"]), hexed(vector["meeting"]), authority)
    need(says.get("certificates", []) == vector["certificates"], "other certificates")
    need(all(says[name] == vector[name] for name in says), f"the credential says {says}")


def mls_vector(reader):
    """A vector of TLS as RFC 9420, section 2.1.2, writes it."""
    first = reader.number(1)
    need(first >> 6 < 3, "a length that MLS does not have")
    size = 1 << (first >> 6)
    return reader.take(int.from_bytes(bytes([first & 0x3F]) + reader.take(size - 1), "big"))


def mls_signature(key, signature, label, content, what):
    label = b"MLS 1.0 " + label
    length = len(content)
    prefix = bytes([length]) if length < 64 else number(0x4000 | length, 2)
    need_signature(key, signature, bytes([len(label)]) + label + prefix + content, what)


def read_key_package(data):
    """Verifies a key package (RFC 9420, section 10). Returns the identity of its basic credential, and the leaf's key."""
    reader = Reader(data)
    need(reader.take(4) == bytes.fromhex("0001004e"), "another version or suite")
    mls_vector(reader)
    before = reader.rest
    mls_vector(reader)
    key = mls_vector(reader)
    need(reader.number(2) == 1, "no basic credential")
    identity = mls_vector(reader)
    for _ in range(5):
        mls_vector(reader)
    need(reader.number(1) == 1, "no leaf of a key package")
    times = reader.number(8), reader.number(8)
    mls_vector(reader)
    content = before[: len(before) - len(reader.rest)]
    mls_signature(key, mls_vector(reader), b"LeafNodeTBS", content, "the leaf")
    mls_vector(reader)
    content = data[: len(data) - len(reader.rest)]
    mls_signature(key, mls_vector(reader), b"KeyPackageTBS", content, "the key package")
    reader.end()
    issued = int.from_bytes(identity[41:49], "big")
    need(times == (issued - 40 * 86_400, issued + 40 * 86_400), "another lifetime")
    return identity, key


def read_tree(data, serialised=None):
    """Reads a ratchet tree (RFC 9420, section 12.4.3.3). Returns the identity and the signature key of each leaf. Appends each node
    to `serialised`, `None` for a blank one."""
    outer = Reader(data)
    nodes, leaves, index = Reader(mls_vector(outer)), [], 0
    outer.end()
    serialised = [] if serialised is None else serialised
    while nodes.rest:
        serialised.append(None)
        if nodes.number(1):
            kind, before = nodes.number(1), nodes.rest
            need(kind == 1 + index % 2, "a leaf in the place of a parent, or the other way round")
            if kind == 1:
                leaves.append(_leaf(nodes))
            else:
                for _ in range(3):
                    mls_vector(nodes)
            serialised[-1] = before[: len(before) - len(nodes.rest)]
        index += 1
    need(index % 2, "no leaf at the end")
    return leaves


def _leaf(reader):
    """Reads a leaf node (section 7.2), whose signature covers the group and its place if it is not of a key package."""
    mls_vector(reader)
    key = mls_vector(reader)
    need(reader.number(2) == 1, "no basic credential")
    identity = mls_vector(reader)
    for _ in range(5):
        mls_vector(reader)
    source = reader.number(1)
    need(source in (1, 3), "a leaf of another source")
    if source == 1:
        reader.take(16)
    else:
        mls_vector(reader)
    mls_vector(reader)
    mls_vector(reader)
    return identity, key


class Words:
    """The twelve words of an authenticator."""

    def __init__(self, page):
        self.hashes = dict(re.findall(r"^\| (english|french) \| `([0-9a-f]{64})` \|", page, re.M))
        self.lists = {}

    def check(self, vector):
        if vector["kind"] == "list":
            words = vector["words"]
            text = "".join(word + "\n" for word in words).encode("utf-8")
            need(hashlib.sha256(text).hexdigest() == self.hashes[vector["language"]], "another list")
            self.lists[vector["language"]] = words
            return
        bits = int.from_bytes(hexed(vector["authenticator"])[:17], "big") >> 4
        indices = [bits >> (11 * (11 - at)) & 2047 for at in range(12)]
        for language, words in self.lists.items():
            need([words[index] for index in indices] == vector[language], f"other {language} words")
        need(len(self.lists) == 2, "no lists")


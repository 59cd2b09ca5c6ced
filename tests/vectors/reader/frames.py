"""Sealed frames: docs/frames.md, "A sealed frame", and RFC 9605."""

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cbor import Malformed, need
from keys import hexed
from primitives import Reader, expand, extract, need_signature, number, open_gcm, sha256

KEY_PREFIX = bytes.fromhex("78 0006 6742c01fda79 0004 68ce3880 65")
DELTA_PREFIX = bytes.fromhex("41")
KINDS = {"Microphone": 0, "Camera": 1, "Screen": 2}


def read_header(data):
    """Reads the header of RFC 9605. Returns key id, counter, and the header's bytes."""
    reader = Reader(data)
    first = reader.number(1)
    values = []
    for half in (first >> 4, first & 15):
        value = half
        if half & 8:
            length = (half & 7) + 1
            value = reader.number(length)
            need(value >= (8 if length == 1 else 1 << (8 * (length - 1))), "a longer encoding than necessary")
        values.append(value)
    return values[0], values[1], data[: len(data) - len(reader.rest)]


def derive(base_key, kid):
    """Derives key and salt of suite 5 (RFC 9605, section 4.4.2)."""
    secret = extract("sha512", b"", base_key)
    info = number(kid, 8) + number(5, 2)
    key = expand("sha512", secret, b"SFrame 1.0 Secret key " + info, 32)
    return key, expand("sha512", secret, b"SFrame 1.0 Secret salt " + info, 12)


class Sequence:
    """The frames of one sender's slot, in their order."""

    def __init__(self, vector):
        self.vector = vector
        self.sound = vector["slot"] == "Microphone"
        self.epochs = {epoch["epoch"]: hexed(epoch["base_key"]) for epoch in vector["epochs"]}
        self.digests, self.counters = {}, {}
        self.proven, self.across = 0, 0

    def check(self):
        for frame in self.vector["frames"]:
            self.check_frame(frame)
        need(self.proven > len(self.vector["frames"]) // 2, f"only {self.proven} frames are proven")
        need(self.across > 0, "no digests of the epoch before")

    def check_frame(self, frame):
        sealed = hexed(frame["bytes"])
        kid, counter, plain, prefix = self.open(sealed)
        epoch = self.epoch(kid & 0xFF)
        need(counter == self.counters.get((epoch, kid), 0), "another counter")
        says, signed = (self.read_sound if self.sound else self.read_picture)(plain, prefix)
        need(says.pop("spatial", 0) == kid >> 18 & 7 and frame.get("spatial", 0) == kid >> 18 & 7, "another layer")
        need(all(frame[name] == value for name, value in says.items()), f"the frame says {says}")
        if signed:
            self.verify(signed, kid, epoch)
        self.digests[epoch, kid, counter] = sha256(sealed)[:8]
        self.counters[epoch, kid] = counter + 1

    def epoch(self, low):
        found = [epoch for epoch in self.epochs if epoch & 0xFF == low]
        need(found, "an unknown epoch")
        return max(found)

    def split(self, sealed):
        prefixes = [b""] if self.sound else [KEY_PREFIX, DELTA_PREFIX]
        prefix = next((prefix for prefix in prefixes if sealed.startswith(prefix)), None)
        need(prefix is not None, "no prefix")
        kid, counter, header = read_header(sealed[len(prefix) :])
        aad = header + b"VSF1" + bytes([0 if self.sound else 1, len(prefix)]) + prefix
        need(kid >> 21 == KINDS[self.vector["slot"]] and kid >> 8 & 0x3FF == self.vector["leaf"], "another track")
        key, salt = derive(self.epochs[self.epoch(kid & 0xFF)], kid)
        nonce = number(int.from_bytes(salt, "big") ^ counter, 12)
        return kid, counter, prefix, header, aad, key, nonce

    def open(self, sealed):
        kid, counter, prefix, header, aad, key, nonce = self.split(sealed)
        return kid, counter, open_gcm(key, nonce, sealed[len(prefix) + len(header) :], aad), prefix

    def forge(self, sealed):
        """Seals another content as the same frame, as each member can."""
        _, _, prefix, header, aad, key, nonce = self.split(sealed)
        plain = bytearray(AESGCM(key).decrypt(nonce, sealed[len(prefix) + len(header) :], aad))
        plain[12] ^= 1
        return prefix + header + AESGCM(key).encrypt(nonce, bytes(plain), aad)

    def read_picture(self, plain, prefix):
        reader = Reader(plain)
        first, second = reader.number(1), reader.number(1)
        need(first & 0x7F == 2 << 4 | 1, "another version or codec")
        number_of, captured = reader.number(2), reader.number(4)
        key, discardable = bool(second >> 1 & 1), bool(second & 1)
        need(prefix == (KEY_PREFIX if key else DELTA_PREFIX), "another prefix")
        bitstream, signed = _split_digests(reader.rest) if first & 0x80 else (reader.rest, None)
        says = {"spatial": second >> 5, "temporal": second >> 2 & 7, "key": key, "discardable": discardable}
        return {**says, "number": number_of, "captured": captured, "bitstream": bitstream.hex()}, signed

    def read_sound(self, plain, _prefix):
        need(len(plain) % 32 == 0, "no multiple of 32")
        reader = Reader(plain)
        first, level, lengths, padding = (reader.number(1) for _ in range(4))
        need(first & 0x7F == 3 << 4 | 1, "another version or codec")
        captured, position = reader.number(4), reader.number(4)
        heads = [(reader.number(1), reader.number(1)) for _ in range(lengths >> 6)]
        rest, signed = _split_digests(reader.rest) if first & 0x80 else (reader.rest, None)
        need(len(rest) >= padding and not any(rest[len(rest) - padding :]), "another padding")
        rest = rest[: len(rest) - padding]
        length = len(rest) - sum(size for _, size in heads)
        need(length >= 0, "copies longer than the frame")
        parts = Reader(rest)
        says = {"voice": bool(level >> 7), "level": level & 127, "length": lengths & 63, "captured": captured}
        says.update(position=position, bitstream=parts.take(length).hex())
        says["copies"] = [
            {"distance": head & 127, "voice": bool(head >> 7), "bitstream": parts.take(size).hex()} for head, size in heads
        ]
        return says, signed

    def verify(self, signed, kid, _epoch):
        """Verifies digests of earlier frames of the same layer."""
        first, low, digests, signature = signed
        epoch = self.epoch(low)
        theirs = kid & ~0xFF | low
        message = b"Conclave 1.0 frame digests\0" + number(epoch, 8) + number(theirs, 8) + number(first, 8)
        need_signature(hexed(self.vector["leaf_key"]), signature, message + b"".join(digests), "digests")
        for at, digest in enumerate(digests):
            known = self.digests.get((epoch, theirs, first + at))
            need(known == digest, "a forged frame")
            self.proven += 1
        self.across += theirs != kid


def _split_digests(plain):
    need(plain, "cut off")
    count = plain[-1]
    length = 8 + 1 + 8 * count + 64 + 1
    need(1 <= count <= 32 and len(plain) >= length, "no digests")
    reader = Reader(plain[len(plain) - length :])
    first, low = reader.number(8), reader.number(1)
    digests = [reader.take(8) for _ in range(count)]
    return plain[: len(plain) - length], (first, low, digests, reader.take(64))


def refuses_forged_frames(vector):
    """Returns true if the digests show one frame in the middle that another member has sealed."""
    frames = [dict(frame) for frame in vector["frames"]]
    # A frame of sound without copies.
    middle = frames[16]
    middle["bytes"] = Sequence(vector).forge(hexed(middle["bytes"])).hex()
    plain = bytearray(hexed(middle["bitstream"]))
    plain[4 if vector["slot"] != "Microphone" else 0] ^= 1
    middle["bitstream"] = bytes(plain).hex()
    try:
        Sequence({**vector, "frames": frames}).check()
    except Malformed as error:
        return str(error) == "a forged frame"
    return False

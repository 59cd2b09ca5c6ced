"""HPKE as docs/frames.md uses it: RFC 9180, base mode, X-Wing, HKDF-SHA-384, AES-256-GCM."""

import hashlib

import mlkem
from cbor import need
from primitives import Reader, expand, extract, number, open_gcm, x25519

SUITE = b"HPKE" + number(0x647A, 2) + number(0x0002, 2) + number(0x0002, 2)


class KeyPair:
    """The key pair of X-Wing that follows from a seed."""

    def __init__(self, seed):
        self._expand(hashlib.shake_256(seed).digest(32))

    @classmethod
    def of_private(cls, private):
        """Returns the key pair of a private key."""
        pair = cls.__new__(cls)
        pair._expand(private)
        return pair

    def _expand(self, private):
        parts = hashlib.shake_256(private).digest(96)
        public, self.lattice = mlkem.generate(parts[:32], parts[32:64])
        self.curve = parts[64:]
        self.public = public + x25519(self.curve)

    def decapsulate(self, enc):
        need(len(enc) == 1120, "another length than that of X-Wing")
        first = mlkem.decapsulate(self.lattice, enc[:1088])
        second = x25519(self.curve, enc[1088:])
        return hashlib.sha3_256(first + second + enc[1088:] + self.public[1184:] + b"\\.//^\\").digest()


def _labelled_extract(salt, label, secret):
    return extract("sha384", salt, b"HPKE-v1" + SUITE + label + secret)


def _labelled_expand(prk, label, info, length):
    return expand("sha384", prk, number(length, 2) + b"HPKE-v1" + SUITE + label + info, length)


def open_with_secret(shared, ciphertext, info):
    """Opens the first message of a context with the KEM's shared secret."""
    context = b"\0" + _labelled_extract(b"", b"psk_id_hash", b"") + _labelled_extract(b"", b"info_hash", info)
    secret = _labelled_extract(shared, b"secret", b"")
    key = _labelled_expand(secret, b"key", context, 32)
    nonce = _labelled_expand(secret, b"base_nonce", context, 12)
    return open_gcm(key, nonce, ciphertext, b"")


def split(sealed):
    """Splits `length of enc 2 | enc | ciphertext`."""
    reader = Reader(sealed)
    return reader.take(reader.number(2)), reader.rest

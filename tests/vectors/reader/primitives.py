"""Hashes of Python's standard library, and Ed25519, X25519 and AES-256-GCM of the package `cryptography`."""

import hashlib
import hmac

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cbor import Malformed, need


def sha256(data):
    return hashlib.sha256(data).digest()


def extract(name, salt, secret):
    """HKDF-Extract (RFC 5869)."""
    return hmac.new(salt or bytes(hashlib.new(name).digest_size), secret, name).digest()


def expand(name, prk, info, length):
    """HKDF-Expand (RFC 5869)."""
    out, block, number = b"", b"", 0
    while len(out) < length:
        number += 1
        block = hmac.new(prk, block + info + bytes([number]), name).digest()
        out += block
    return out[:length]


def need_signature(public, signature, message, what):
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise Malformed(f"no signature of {what}") from error


def x25519(private, public=None):
    """X25519 with a public key, or with the base point."""
    key = X25519PrivateKey.from_private_bytes(private)
    if public is None:
        return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return key.exchange(X25519PublicKey.from_public_bytes(public))


def open_gcm(key, nonce, sealed, aad):
    need(len(sealed) >= 16, "shorter than a tag")
    try:
        return AESGCM(key).decrypt(nonce, sealed, aad)
    except InvalidTag as error:
        raise Malformed("not authentic") from error


class Reader:
    """Takes parts from the start of bytes."""

    def __init__(self, data):
        self.rest = data

    def take(self, length):
        need(len(self.rest) >= length, "cut off")
        taken, self.rest = self.rest[:length], self.rest[length:]
        return taken

    def number(self, length):
        return int.from_bytes(self.take(length), "big")

    def end(self):
        need(not self.rest, "bytes after the end")


def number(value, length):
    return value.to_bytes(length, "big")


def participant(value):
    return number(value, 8)

"""Beacons, pictures, phrases and typing: docs/protocol.md."""

import copy
import hmac

import cbor
from cbor import Malformed, need
from keys import hexed
from primitives import Reader, extract, need_signature, number, open_gcm, participant, sha256

LABELS = {"pictures": b"Conclave 1.0 emoji commit\0", "phrase": b"Conclave 1.0 phrase commit\0"}


class Rounds:
    """What members show each other."""

    def __init__(self, schema, words):
        self.schema, self.words = schema, words

    def check_beacon(self, vector):
        data = hexed(vector["bytes"])
        says = self.schema.says("MemberBeacon", cbor.decode_whole(data))
        need(cbor.encode(self.schema.item("MemberBeacon", says)) == data, "another encoding")
        numbers = b"".join(number(says[name], 8) for name in ("counter", "epoch", "mls_epoch"))
        message = b"Conclave 1.0 beacon\0" + hexed(vector["meeting"]) + participant(vector["from"]) + numbers
        signature = hexed(says.pop("signature"))
        need_signature(hexed(vector["leaf_key"]), signature, message + hexed(says["transcript"]), "the beacon")
        need(says == vector["says"], f"it says {says}")

    def check_round(self, vector):
        """Checks a round, and that each change of a nonce or of a commitment is noticed. Returns how many."""
        self.check_nonces(vector)
        count = 0
        for at, entry in enumerate(vector["nonces"]):
            for field in ("nonce", "commitment"):
                for place in range(32):
                    other = copy.deepcopy(vector)
                    bent = bytearray(hexed(entry[field]))
                    bent[place] ^= 1 << (place % 8)
                    other["nonces"][at][field] = bytes(bent).hex()
                    try:
                        self.check_nonces(other)
                    except Malformed:
                        count += 1
                        continue
                    raise Malformed(f"a change of a {field} was not noticed")
        return count

    def check_nonces(self, vector):
        meeting, authenticator = hexed(vector["meeting"]), hexed(vector["authenticator"])
        round_number = number(vector["round"], 8)
        for entry in vector["nonces"]:
            message = LABELS[vector["kind"]] + meeting + number(vector["mls_epoch"], 8) + round_number
            commitment = sha256(message + number(entry["leaf"], 4) + hexed(entry["nonce"]))
            need(commitment.hex() == entry["commitment"], "another commitment")
        if vector["kind"] == "pictures":
            ordered = sorted(vector["nonces"], key=lambda entry: entry["leaf"])
            message = b"Conclave 1.0 emoji\0" + authenticator + round_number
            message += b"".join(number(entry["leaf"], 4) + hexed(entry["nonce"]) for entry in ordered)
            need(_numbers(sha256(message), 6) == vector["pictures"], "other pictures")
            return
        asker, other = vector["nonces"]
        message = b"Conclave 1.0 phrase\0" + authenticator + round_number
        message += number(asker["leaf"], 4) + number(other["leaf"], 4) + hexed(asker["nonce"]) + hexed(other["nonce"])
        indices = _numbers(sha256(message), 11)
        need(indices == vector["indices"], "another phrase")
        for language, words in self.words.lists.items():
            need([words[index] for index in indices] == vector[language], f"other {language} words")

    def check_typing(self, vector):
        meeting, author = hexed(vector["meeting"]), participant(vector["from"])
        reader = Reader(hexed(vector["message"]))
        epoch, count = reader.take(8), reader.take(8)
        need(epoch == number(vector["epoch"], 8) and count == number(vector["count"], 8), "another epoch or count")
        prk = extract("sha384", b"Conclave 1.0 typing", hexed(vector["secret"]))
        key = hmac.new(prk, author, "sha384").digest()[:32]
        aad = b"Conclave 1.0 typing\0" + meeting + epoch + author + count
        plain = Reader(open_gcm(key, bytes(4) + count, reader.rest, aad))
        signature, body = plain.take(64), plain.rest
        need_signature(hexed(vector["device"]), signature, aad + body, "the author")
        item, length = cbor.decode(body)
        need(len(body) == 512 and not any(body[length:]), "another padding")
        says = self.schema.says("TypedText", item)
        need(cbor.encode(self.schema.item("TypedText", says)) == body[:length], "another encoding")
        need(says == vector["says"], f"it says {says}")


def _numbers(digest, bits):
    """Returns five numbers of so many bits, from the most significant bits on."""
    value = int.from_bytes(digest, "big") >> (256 - 5 * bits)
    return [value >> (bits * (4 - at)) & (1 << bits) - 1 for at in range(5)]

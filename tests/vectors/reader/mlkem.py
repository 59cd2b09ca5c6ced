"""ML-KEM-768 (FIPS 203): key generation and decapsulation. For test vectors only: it takes its time, and shows it."""

import hashlib

Q, N, K, DU, DV = 3329, 256, 3, 10, 4


def _reversed(number):
    return int(f"{number:07b}"[::-1], 2)


ZETAS = [pow(17, _reversed(i), Q) for i in range(128)]
GAMMAS = [pow(17, 2 * _reversed(i) + 1, Q) for i in range(128)]


def _ntt(f):
    f, i, length = list(f), 1, 128
    while length >= 2:
        for start in range(0, N, 2 * length):
            zeta, i = ZETAS[i], i + 1
            for j in range(start, start + length):
                t = zeta * f[j + length] % Q
                f[j + length], f[j] = (f[j] - t) % Q, (f[j] + t) % Q
        length //= 2
    return f


def _inverse_ntt(f):
    f, i, length = list(f), 127, 2
    while length <= 128:
        for start in range(0, N, 2 * length):
            zeta, i = ZETAS[i], i - 1
            for j in range(start, start + length):
                t = f[j]
                f[j], f[j + length] = (t + f[j + length]) % Q, zeta * (f[j + length] - t) % Q
        length *= 2
    return [x * 3303 % Q for x in f]


def _multiply(a, b):
    out = []
    for i, gamma in enumerate(GAMMAS):
        a0, a1, b0, b1 = a[2 * i], a[2 * i + 1], b[2 * i], b[2 * i + 1]
        out += [(a0 * b0 + a1 * b1 * gamma) % Q, (a0 * b1 + a1 * b0) % Q]
    return out


def _add(*lists):
    return [sum(parts) % Q for parts in zip(*lists)]


def _encode(values, bits):
    number = sum(value << (bits * at) for at, value in enumerate(values))
    return number.to_bytes(32 * bits, "little")


def _decode(data, bits):
    number = int.from_bytes(data, "little")
    return [number >> (bits * at) & ((1 << bits) - 1) for at in range(N)]


def _compress(values, bits):
    return [((value << bits) + Q // 2) // Q & ((1 << bits) - 1) for value in values]


def _decompress(values, bits):
    return [(value * Q + (1 << (bits - 1))) >> bits for value in values]


def _uniform(seed):
    stream, out, at = hashlib.shake_128(seed).digest(3 * 1024), [], 0
    while len(out) < N:
        b0, b1, b2 = stream[at : at + 3]
        out += [d for d in (b0 + 256 * (b1 % 16), b1 // 16 + 16 * b2) if d < Q]
        at += 3
    return out[:N]


def _binomial(seed, count):
    data = int.from_bytes(hashlib.shake_256(seed + bytes([count])).digest(128), "little")
    bits = lambda at: (data >> at & 1) + (data >> (at + 1) & 1)
    return [(bits(4 * i) - bits(4 * i + 2)) % Q for i in range(N)]


def _matrix(rho):
    return [[_uniform(rho + bytes([j, i])) for j in range(K)] for i in range(K)]


def _sums(rows, vector):
    return [_add(*(_multiply(a, b) for a, b in zip(row, vector))) for row in rows]


def generate(d, z):
    """Returns the encapsulation key and the decapsulation key (algorithm 16)."""
    seeds = hashlib.sha3_512(d + bytes([K])).digest()
    rho, sigma = seeds[:32], seeds[32:]
    s = [_ntt(_binomial(sigma, i)) for i in range(K)]
    e = [_ntt(_binomial(sigma, K + i)) for i in range(K)]
    t = [_add(a, b) for a, b in zip(_sums(_matrix(rho), s), e)]
    public = b"".join(_encode(part, 12) for part in t) + rho
    private = b"".join(_encode(part, 12) for part in s)
    return public, private + public + hashlib.sha3_256(public).digest() + z


def _encrypt(public, message, seed):
    t = [_decode(public[384 * i : 384 * (i + 1)], 12) for i in range(K)]
    matrix = _matrix(public[384 * K :])
    y = [_ntt(_binomial(seed, i)) for i in range(K)]
    transposed = [[matrix[j][i] for j in range(K)] for i in range(K)]
    u = [_add(_inverse_ntt(row), _binomial(seed, K + i)) for i, row in enumerate(_sums(transposed, y))]
    (product,) = _sums([t], y)
    v = _add(_inverse_ntt(product), _binomial(seed, 2 * K), _decompress(_decode(message, 1), 1))
    return b"".join(_encode(_compress(part, DU), DU) for part in u) + _encode(_compress(v, DV), DV)


def decapsulate(private, ciphertext):
    """Returns the shared secret (algorithm 18). A ciphertext that was not made for the key gives another secret."""
    s = [_decode(private[384 * i : 384 * (i + 1)], 12) for i in range(K)]
    public, rest = private[384 * K : 768 * K + 32], private[768 * K + 32 :]
    length = 32 * DU
    u = [_decompress(_decode(ciphertext[length * i : length * (i + 1)], DU), DU) for i in range(K)]
    v = _decompress(_decode(ciphertext[length * K :], DV), DV)
    (product,) = _sums([s], [_ntt(part) for part in u])
    w = [(a - b) % Q for a, b in zip(v, _inverse_ntt(product))]
    message = _encode(_compress(w, 1), 1)
    secrets = hashlib.sha3_512(message + rest[:32]).digest()
    if _encrypt(public, message, secrets[32:]) != ciphertext:
        return hashlib.shake_256(rest[32:] + ciphertext).digest(32)
    return secrets[:32]

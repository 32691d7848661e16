# SPDX-License-Identifier: GPL-2.0-or-later
"""TLS 1.2 for tests that say wrong things on purpose: records, messages, keys and points, to be put
together in any way. For Python's tests: sys.path needs tests/support."""
import hashlib
import hmac
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM

# --- octets ---------------------------------------------------------------------------------------

def number(value, size):
    return value.to_bytes(size, "big")


def vector(data, size):
    """DATA after its length of SIZE octets (RFC 5246 4.3)."""
    return number(len(data), size) + data


def u16(*numbers):
    return b"".join(number(one, 2) for one in numbers)


class Reader:
    def __init__(self, data):
        self.data = data

    def take(self, size):
        assert size <= len(self.data), "what the other side wrote is cut short"
        part, self.data = self.data[:size], self.data[size:]
        return part

    def vector(self, size):
        return self.take(int.from_bytes(self.take(size), "big"))


def wrong_at(data, index, mask=1):
    changed = bytearray(data)
    changed[index] ^= mask
    return bytes(changed)


# --- records and handshake messages -----------------------------------------------------------------

CCS, ALERT, HANDSHAKE, APPLICATION = 20, 21, 22, 23
HELLO_REQUEST, CLIENT_HELLO, SERVER_HELLO, TICKET, CERTIFICATE, SERVER_KEY, REQUEST, DONE, VERIFY, CLIENT_KEY, \
    FINISHED, STATUS = 0, 1, 2, 4, 11, 12, 13, 14, 15, 16, 20, 22
CHANGE = bytes.fromhex("140303000101")  # ChangeCipherSpec

SNI, GROUPS, FORMATS, ALGORITHMS, CLIENT_TYPE, SERVER_TYPE, ETM, EMS, VERSIONS, RENEGOTIATION = \
    0, 10, 11, 13, 19, 20, 22, 23, 43, 0xff01
GREASE = 0x2a2a

ALERTS = {10: "unexpected_message", 20: "bad_record_mac", 22: "record_overflow", 40: "handshake_failure",
          42: "bad_certificate", 43: "unsupported_certificate", 46: "certificate_unknown",
          47: "illegal_parameter",
          48: "unknown_ca", 50: "decode_error", 51: "decrypt_error", 70: "protocol_version",
          80: "internal_error",
          110: "unsupported_extension", 112: "unrecognized_name"}


def record(fragment, kind=HANDSHAKE, version=0x0303):
    return number(kind, 1) + number(version, 2) + vector(fragment, 2)


def message(kind, body):
    return number(kind, 1) + vector(body, 3)


def cut(data, *at):
    """DATA's parts, cut at the octets AT."""
    ends = [0, *at, len(data)]
    return [data[start:end] for start, end in zip(ends, ends[1:])]


def records(parts):
    return b"".join(record(part) for part in parts)


def read_records(data):
    """(kind, fragment) each."""
    reader = Reader(data)
    found = []
    while reader.data:
        kind, version = reader.take(1)[0], reader.take(2)
        assert version == b"\3\3", "a record of another version than TLS 1.2"
        found.append((kind, reader.vector(2)))
    return found


def read_messages(stream):
    """(kind, body) each."""
    reader = Reader(stream)
    found = []
    while reader.data:
        found.append((reader.take(1)[0], reader.vector(3)))
    return found


def read_extensions(data):
    reader = Reader(data)
    found = {}
    while reader.data:
        kind = int.from_bytes(reader.take(2), "big")
        assert kind not in found, "an extension twice"
        found[kind] = reader.vector(2)
    return found


# --- P-256, with points that are not on it ------------------------------------------------------------

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
A = P - 3
B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b


def root(square):
    """The square root modulo P, or None."""
    found = pow(square, (P + 1) // 4, P)
    return found if found * found % P == square % P else None


def point(x, y, form=4):
    return number(form, 1) + number(x, 32) + number(y, 32)


def on_curve(b=B, start=1):
    """A point of y^2 = x^3 - 3x + b."""
    x = start
    while root(x**3 + A * x + b) is None:
        x += 1
    return x, root(x**3 + A * x + b)


def on_twist():
    """x of no point of P-256; y of the quadratic twist, -y^2 = x^3 - 3x + b (-1 is no square modulo P)."""
    x = 1
    while root(x**3 + A * x + B) is not None:
        x += 1
    return x, root(-(x**3 + A * x + B))


def of_order_3(start=2):
    """A point of order 3 of some curve y^2 = x^3 - 3x + b': x is a root of the division polynomial
    3x^4 + 6ax^2 + 12b'x - a^2, which gives b'. All its multiples have the same x, or are infinity."""
    for x in range(start, start + 1000):
        b = (A * A - 3 * x**4 - 6 * A * x * x) * pow(12 * x, -1, P) % P
        y = root(x**3 + A * x + b)
        if y and b != B:
            return x, y
    raise AssertionError("there are many")


GOOD = ec.derive_private_key(0x1234567, ec.SECP256R1())  # not a secret: the daemon's part changes each time
GOOD_X, GOOD_Y = GOOD.public_key().public_numbers().x, GOOD.public_key().public_numbers().y
GOOD_SPKI = GOOD.public_key().public_bytes(
    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
P384 = ec.derive_private_key(0x1234567, ec.SECP384R1()).public_key().public_bytes(
    serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def encoded(key):
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


# What is no uncompressed point of P-256 (RFC 8422 5.4.1, 5.11): name, ECPoint.
BAD_POINTS = [
    ("(0,0)", point(0, 0)),
    ("(1,0)", point(1, 0)), ("(0,1)", point(0, 1)), ("(p-1,0)", point(P - 1, 0)), ("(0,p-1)", point(0, P - 1)),
    ("(x,0), x a point's", point(GOOD_X, 0)), ("(0,y), y a point's", point(0, GOOD_Y)),
    ("(p,p)", point(P, P)),
    ("x = p", point(P, GOOD_Y)),
    ("y = p", point(GOOD_X, P)),
    ("x is p more than a point's", point(on_curve()[0] + P, on_curve()[1])),
    ("all ones", point(2**256 - 1, 2**256 - 1)),
    *((f"off the curve, {name}", data) for name, data in (
        ("y + 1", point(GOOD_X, GOOD_Y + 1)), ("y - 1", point(GOOD_X, GOOD_Y - 1)),
        ("x + 1", point(GOOD_X + 1, GOOD_Y)), ("x and y swapped", point(GOOD_Y, GOOD_X)),
        ("y's last octet cleared", point(GOOD_X, GOOD_Y & ~0xff)), ("(1,1)", point(1, 1)))),
    *((f"of y^2 = x^3 - 3x + {b}", point(*on_curve(b))) for b in (0, 1, 2, B + 1)),
    ("of order 3", point(*of_order_3())),
    ("of another order 3", point(*of_order_3(1 << 200))),
    ("of the twist", point(*on_twist())),
    *((f"form {form}", point(GOOD_X, GOOD_Y, form)) for form in (0, 1, 2, 3, 5, 6, 7, 0x84, 255)),
    *((f"compressed {form}", number(form, 1) + number(GOOD_X, 32)) for form in (2, 3)),
    ("infinity", b"\0"),
    *((f"of {size} octets", (point(GOOD_X, GOOD_Y) + bytes(255))[:size])
      for size in (0, 1, 2, 32, 33, 64, 66, 67, 97, 129, 254, 255)),
    ("of 97 octets, all zero", b"\4" + bytes(96)),
    ("of P-384", P384),
    ("of X25519", b"\x09" + bytes(31)),
]


# --- keys and protection ------------------------------------------------------------------------------

CBC, GCM, CCM_8, CCM = 0xc023, 0xc02b, 0xc0ae, 0xc0ac
SUITES = {CBC: "CBC", GCM: "GCM", CCM_8: "CCM_8", CCM: "CCM"}
PROTECTIONS = [("CBC", CBC, False), ("CBC with encrypt_then_mac", CBC, True), ("GCM", GCM, False),
               ("CCM_8", CCM_8, False), ("CCM", CCM, False)]


def prf(secret, label, seed, size):
    """RFC 5246 5."""
    def mac(data):
        return hmac.digest(secret, data, "sha256")

    seed = label + seed
    a, out = mac(seed), b""
    while len(out) < size:
        out += mac(a + seed)
        a = mac(a)
    return out[:size]


class Protection:
    """One direction of a connection: RFC 5246 6.2.3, RFC 5288, RFC 6655, RFC 7366."""

    def __init__(self, suite, etm, mac_key, key, iv):
        self.suite, self.etm, self.mac_key, self.key, self.iv = suite, etm, mac_key, key, iv
        self.sequence = 0
        self.aead = {GCM: lambda: AESGCM(key), CCM: lambda: AESCCM(key),
                     CCM_8: lambda: AESCCM(key, tag_length=8)}.get(suite, lambda: None)()

    def mac(self, header, data):
        return hmac.digest(self.mac_key, header + vector(data, 2), "sha256")

    def seal(self, plain, kind=HANDSHAKE, version=0x0303, padding=None, spoil_padding=None, spoil=None,
             sequence=None):
        """A record. PADDING: how many octets before padding_length's own (RFC 5246 6.2.3.2);
        SPOIL_PADDING: which of them is wrong, counted from the record's end; SPOIL: which octet of
        the fragment; SEQUENCE: another number than is due."""
        header = number(self.sequence if sequence is None else sequence,
                        8) + number(kind, 1) + number(version, 2)
        self.sequence += 1
        if self.aead:
            explicit = os.urandom(8)
            fragment = explicit + self.aead.encrypt(self.iv + explicit, plain, header + number(len(plain), 2))
        else:
            fragment = self.seal_cbc(plain, header, padding, spoil_padding)
        if spoil is not None:
            fragment = wrong_at(fragment, spoil)
        return record(fragment, kind, version)

    def seal_cbc(self, plain, header, padding, spoil_padding):
        data = plain if self.etm else plain + self.mac(header, plain)
        if padding is None:
            padding = 15 - len(data) % 16
        tail = bytes([padding]) * (padding + 1)
        if spoil_padding is not None:
            tail = wrong_at(tail, -1 - spoil_padding)
        iv = os.urandom(16)
        encryptor = Cipher(algorithms.AES(self.key), modes.CBC(iv)).encryptor()
        fragment = iv + encryptor.update(data + tail) + encryptor.finalize()
        return fragment + self.mac(header, fragment) if self.etm else fragment

    def open(self, fragment, kind=HANDSHAKE):
        header = number(self.sequence, 8) + number(kind, 1) + b"\3\3"
        self.sequence += 1
        if self.aead:
            size = len(fragment) - 8 - (8 if self.suite == CCM_8 else 16)
            return self.aead.decrypt(self.iv + fragment[:8], fragment[8:], header + number(size, 2))
        if self.etm:
            fragment, mac = fragment[:-32], fragment[-32:]
            assert mac == self.mac(header, fragment), "MAC"
        decryptor = Cipher(algorithms.AES(self.key), modes.CBC(fragment[:16])).decryptor()
        data = decryptor.update(fragment[16:]) + decryptor.finalize()
        assert data.endswith(bytes([data[-1]]) * (data[-1] + 1)), "padding"
        data = data[:-1 - data[-1]]
        if not self.etm:
            data, mac = data[:-32], data[-32:]
            assert mac == self.mac(header, data), "MAC"
        return data


class Keys:
    """What comes of a handshake up to ClientKeyExchange (TRANSCRIPT)."""

    def __init__(self, suite, etm, premaster, transcript, client_random, server_random):
        self.randoms = client_random + server_random
        self.master = prf(premaster, b"extended master secret", hashlib.sha256(transcript).digest(), 48)
        mac, iv = (32, 0) if suite == CBC else (0, 4)
        block = Reader(prf(self.master, b"key expansion", server_random + client_random, 2 * (mac + 16 + iv)))
        macs, keys, ivs = ([block.take(size), block.take(size)] for size in (mac, 16, iv))
        self.client, self.server = (Protection(suite, etm, macs[i], keys[i], ivs[i]) for i in (0, 1))

    def verify_data(self, who, transcript):
        return prf(self.master, who + b" finished", hashlib.sha256(transcript).digest(), 12)

    def export(self):
        """pairwiseE2EKeyID and pairwiseE2EKey (RFC 5705, TS-0003 10.3.1)."""
        material = prf(self.master, b"EXPORTER-oneM2M-ESCertKE", self.randoms, 48)
        return material[:16].hex(), material[16:]


# --- credentials ----------------------------------------------------------------------------------------

class Credential:
    def __init__(self, folder, name):
        self.certificate = x509.load_pem_x509_certificate((folder / f"{name}.pem").read_bytes())
        self.key = serialization.load_pem_private_key((folder / f"{name}.key").read_bytes(), None)
        self.der = self.certificate.public_bytes(serialization.Encoding.DER)
        self.spki = self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    def sign(self, data, digest=None):
        return self.key.sign(data, ec.ECDSA(digest or hashes.SHA256()))


def chain(*certificates):
    return vector(b"".join(vector(one, 3) for one in certificates), 3)

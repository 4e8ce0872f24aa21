#!/usr/bin/env python3
"""A second implementation of docs/key-tree.md, with nothing but the standard library.

  key_tree.py vectors             writes the test vectors (tests/vectors/key-tree.json) to standard output
  key_tree.py open FOLDER A:H ... opens sealed heads H bound to A (both hex) with the key folder; prints hex, or `destroyed`
"""

import hashlib
import hmac
import json
import os
import struct
import sys

DEPTH = 32
LABELS = {0: b"celosia/key-tree/1/left", 1: b"celosia/key-tree/1/right", "leaf": b"celosia/key-tree/1/leaf"}


def prf(seed, label):
    return hmac.new(seed, LABELS[label], hashlib.sha256).digest()


# --- the tree: nodes are named by (depth, index of the node in its level) ---------------------------------------------------------


class Tree:
    def __init__(self, live):
        self.live = dict(live)

    def key(self, leaf):
        for (depth, index), seed in self.live.items():
            if leaf >> (DEPTH - depth) == index:
                for level in range(depth + 1, DEPTH + 1):
                    seed = prf(seed, leaf >> (DEPTH - level) & 1)
                return prf(seed, "leaf")
        return None

    def puncture(self, leaf):
        for depth in range(DEPTH + 1):
            seed = self.live.pop((depth, leaf >> (DEPTH - depth)), None)
            if seed is None:
                continue
            for level in range(depth + 1, DEPTH + 1):
                node = leaf >> (DEPTH - level)
                self.live[(level, node ^ 1)] = prf(seed, (node ^ 1) & 1)
                seed = prf(seed, node & 1)
            return

    def encode(self):
        entries = sorted((index << (DEPTH - depth), depth, seed) for (depth, index), seed in self.live.items())
        out = struct.pack(">I", len(entries))
        for first, depth, seed in entries:
            out += struct.pack(">BI", depth, first) + seed
        return out

    @staticmethod
    def decode(state):
        (count,) = struct.unpack(">I", state[:4])
        assert len(state) == 4 + 37 * count, "length"
        live, free = {}, 0
        for at in range(4, len(state), 37):
            depth, first = struct.unpack(">BI", state[at : at + 5])
            assert depth <= DEPTH and first % (1 << (DEPTH - depth)) == 0 and first >= free, "order"
            free = first + (1 << (DEPTH - depth))
            live[(depth, first >> (DEPTH - depth))] = state[at + 5 : at + 37]
        return Tree(live)


# --- XChaCha20-Poly1305: RFC 8439 and draft-irtf-cfrg-xchacha-03 -------------------------------------------------------------------


def rounds(state):
    x = list(state)

    def quarter(a, b, c, d):
        for into, other, rotated, by in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[into] = (x[into] + x[other]) & 0xFFFFFFFF
            mixed = x[rotated] ^ x[into]
            x[rotated] = (mixed << by | mixed >> (32 - by)) & 0xFFFFFFFF

    for _ in range(10):
        for column in range(4):
            quarter(column, column + 4, column + 8, column + 12)
        for diagonal in range(4):
            quarter(diagonal, 4 + (diagonal + 1) % 4, 8 + (diagonal + 2) % 4, 12 + (diagonal + 3) % 4)
    return x


CONSTANTS = struct.unpack("<4I", b"expand 32-byte k")


def hchacha20(key, nonce):
    x = rounds(CONSTANTS + struct.unpack("<8I", key) + struct.unpack("<4I", nonce))
    return struct.pack("<8I", *x[:4], *x[12:])


def block(key, counter, nonce):
    state = CONSTANTS + struct.unpack("<8I", key) + (counter,) + struct.unpack("<3I", nonce)
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(rounds(state), state)))


def poly1305(key, message):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for at in range(0, len(message), 16):
        total = (total + int.from_bytes(message[at : at + 16] + b"\x01", "little")) * r % ((1 << 130) - 5)
    return ((total + int.from_bytes(key[16:], "little")) % (1 << 128)).to_bytes(16, "little")


def aead(key, nonce, aad, text, opening):
    key, nonce = hchacha20(key, nonce[:16]), bytes(4) + nonce[16:]
    stream = b"".join(block(key, 1 + n, nonce) for n in range((len(text) + 63) // 64))
    other = bytes(a ^ b for a, b in zip(text, stream))
    ciphertext = text if opening else other
    pad = lambda data: data + bytes(-len(data) % 16)
    lengths = struct.pack("<QQ", len(aad), len(ciphertext))
    return other, poly1305(block(key, 0, nonce)[:32], pad(aad) + pad(ciphertext) + lengths)


def unseal(key, aad, sealed):
    nonce, ciphertext, tag = sealed[:24], sealed[24:-16], sealed[-16:]
    plaintext, expected = aead(key, nonce, aad, ciphertext, True)
    assert hmac.compare_digest(tag, expected), "does not verify"
    return plaintext


def self_test():
    """draft-irtf-cfrg-xchacha-03, sections 2.2.1 and A.3.1."""
    key = bytes(range(32))
    nonce = bytes.fromhex("000000090000004a0000000031415927")
    assert hchacha20(key, nonce).hex() == "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"
    key, nonce = bytes(range(0x80, 0xA0)), bytes(range(0x40, 0x58))
    text = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."
    ciphertext, tag = aead(key, nonce, bytes.fromhex("50515253c0c1c2c3c4c5c6c7"), text, False)
    assert ciphertext[:16].hex() == "bd6d179d3e83d43b9576579493c0e939" and tag.hex() == "c0875924c1c7987947deafd8780acf49"


# --- files -------------------------------------------------------------------------------------------------------------------------


def load(folder, number):
    with open(os.path.join(folder, f"tree-{number:08x}.key"), "rb") as file:
        data = file.read()
    header, sealed = data[:20], data[20:]
    magic, tree, _day, generation = struct.unpack(">4sIQI", header)
    assert magic == b"CKT1" and tree == number, "header"
    with open(os.path.join(folder, f"root-{generation}.key"), "rb") as file:
        root = file.read()
    return Tree.decode(unseal(root, header, sealed))


def open_heads(folder, heads):
    trees = {}
    for argument in heads:
        aad, head = (bytes.fromhex(part) for part in argument.split(":"))
        version, number, leaf = struct.unpack(">BII", head[:9])
        assert version == 1, "version"
        if number not in trees:
            trees[number] = load(folder, number)
        key = trees[number].key(leaf)
        print("destroyed" if key is None else unseal(key, head[:9] + aad, head[9:]).hex())


# --- vectors -----------------------------------------------------------------------------------------------------------------------


def vector(name, seed, punctured, leaves):
    tree = Tree({(0, 0): seed})
    for leaf in punctured:
        tree.puncture(leaf)
    assert Tree.decode(tree.encode()).live == tree.live
    keys = [{"leaf": leaf, "key": key.hex() if (key := tree.key(leaf)) else None} for leaf in leaves]
    return {"name": name, "seed": seed.hex(), "punctured": punctured, "state": tree.encode().hex(), "leaves": keys}


def vectors():
    last = (1 << 32) - 1
    zero, count, random = bytes(32), bytes(range(32)), hashlib.sha256(b"celosia").digest()
    probes = [0, 1, 2, 3, 1000, 0x7FFFFFFF, 0x80000000, 0xDEADBEEF, last - 1, last]
    scattered = sorted({int.from_bytes(hashlib.sha256(bytes([n])).digest()[:4], "big") for n in range(20)})
    trees = [
        vector("whole", zero, [], probes),
        vector("first leaf punctured", count, [0], probes),
        vector("last leaf punctured", count, [last], probes),
        vector("punctured twice", random, [2, 2], probes),
        vector("a run of 64 collapses", random, list(range(64)), probes + [63, 64]),
        vector("scattered, unordered", random, scattered[::-1], probes + scattered[:3] + [scattered[0] ^ 1]),
    ]
    entry = lambda depth, first: struct.pack(">BI", depth, first) + bytes([1]) * 32
    state = lambda *entries: struct.pack(">I", len(entries)) + b"".join(entries)
    refused = {
        "empty": b"",
        "count without entries": struct.pack(">I", 1),
        "entry without count": state() + entry(1, 0),
        "truncated": state(entry(1, 0))[:-1],
        "trailing byte": state(entry(1, 0)) + b"\0",
        "depth beyond the leaves": state(entry(33, 0)),
        "misaligned": state(entry(1, 4)),
        "unordered": state(entry(32, 5), entry(32, 4)),
        "twice the same": state(entry(32, 5), entry(32, 5)),
        "one inside the other": state(entry(0, 0), entry(32, 5)),
        "largest count": b"\xff\xff\xff\xff" + entry(1, 0),
    }
    return {
        "about": "made by tests/vectors/key_tree.py vectors; format: docs/key-tree.md",
        "trees": trees,
        "refused": [{"name": name, "state": data.hex()} for name, data in refused.items()],
    }


def main(arguments):
    self_test()
    if arguments[:1] == ["vectors"]:
        json.dump(vectors(), sys.stdout, indent=1)
        print()
    elif arguments[:1] == ["open"]:
        open_heads(arguments[1], arguments[2:])
    else:
        sys.exit(__doc__)


main(sys.argv[1:])

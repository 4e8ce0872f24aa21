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


def hmac_sha256(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


# --- derivation: nodes are named by (depth, index of the node in its level) -------------------------------------------------------


class First:
    """Seeds of 32 bytes, nothing bound to a place."""

    version, seed_length = 1, 32

    def child(self, seed, depth, index, right):
        return hmac_sha256(seed, b"celosia/key-tree/1/" + (b"right" if right else b"left"))

    def leaf_key(self, seed, leaf):
        return hmac_sha256(seed, b"celosia/key-tree/1/leaf")


class Second:
    """Seeds of 16 bytes, bound to the tree's key and the node's place."""

    version, seed_length = 2, 16

    def __init__(self, key):
        self.key = key

    def derive(self, seed, depth, index):
        return hmac_sha256(self.key + seed, b"celosia/key-tree/2" + struct.pack(">BI", depth, index))

    def child(self, seed, depth, index, right):
        both = self.derive(seed, depth, index)
        return both[16:] if right else both[:16]

    def leaf_key(self, seed, leaf):
        return self.derive(seed, DEPTH, leaf)


# --- numbers of seven bits a byte, the least significant first --------------------------------------------------------------------


def number(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def take_number(data, at):
    value = 0
    for nth in range(5):
        byte = data[at + nth]
        value |= (byte & 0x7F) << 7 * nth
        if byte < 0x80:
            assert byte or nth == 0, "shortest form"
            return value, at + nth + 1
    raise AssertionError("long number")


# --- the tree ----------------------------------------------------------------------------------------------------------------------


class Tree:
    def __init__(self, scheme, live):
        self.scheme, self.live = scheme, dict(live)

    def key(self, leaf):
        for (depth, index), seed in self.live.items():
            if leaf >> (DEPTH - depth) == index:
                for level in range(depth, DEPTH):
                    seed = self.scheme.child(seed, level, leaf >> (DEPTH - level), leaf >> (DEPTH - level - 1) & 1)
                return self.scheme.leaf_key(seed, leaf)
        return None

    def puncture(self, leaf):
        for depth in range(DEPTH + 1):
            seed = self.live.pop((depth, leaf >> (DEPTH - depth)), None)
            if seed is None:
                continue
            for level in range(depth, DEPTH):
                node, below = leaf >> (DEPTH - level), leaf >> (DEPTH - level - 1)
                self.live[(level + 1, below ^ 1)] = self.scheme.child(seed, level, node, ~below & 1)
                seed = self.scheme.child(seed, level, node, below & 1)
            return

    def ordered(self):
        return sorted((index << (DEPTH - depth), depth, seed) for (depth, index), seed in self.live.items())

    def encode(self):
        return encode_first(self) if self.scheme.version == 1 else encode_second(self)


def decode(version, state):
    return decode_first(state) if version == 1 else decode_second(state)


def encode_first(tree):
    entries = tree.ordered()
    return struct.pack(">I", len(entries)) + b"".join(struct.pack(">BI", depth, first) + seed for first, depth, seed in entries)


def decode_first(state):
    (count,) = struct.unpack(">I", state[:4])
    assert len(state) == 4 + 37 * count, "length"
    live, free = {}, 0
    for at in range(4, len(state), 37):
        depth, first = struct.unpack(">BI", state[at : at + 5])
        assert depth <= DEPTH and first % (1 << (DEPTH - depth)) == 0 and first >= free, "order"
        free = first + (1 << (DEPTH - depth))
        live[(depth, first >> (DEPTH - depth))] = state[at + 5 : at + 37]
    return Tree(First(), live)


def encode_second(tree):
    runs, seeds, free = [], b"", 0
    for first, depth, seed in tree.ordered() + [(1 << DEPTH, DEPTH, b"")]:
        if first > free:
            runs.append((free, first))
        free = first + (1 << (DEPTH - depth))
        seeds += seed
    places, end = b"", 0
    for start, stop in runs:
        places += number((start - end) * 2 + (stop - start > 1))
        if stop - start > 1:
            places += number(stop - start - 2)
        end = stop
    return tree.scheme.key + struct.pack(">I", len(runs)) + places + seeds


def decode_second(state):
    (count,) = struct.unpack(">I", state[32:36])
    at, end, live = 36, 0, {}

    def keep(start, stop):
        nonlocal at
        while start < stop:
            level = DEPTH
            while start % (1 << level) or start + (1 << level) > stop:
                level -= 1
            live[(DEPTH - level, start >> level)] = at
            at += 16
            start += 1 << level

    gaps = []
    for nth in range(count):
        word, at = take_number(state, at)
        length = 1
        if word & 1:
            more, at = take_number(state, at)
            length = more + 2
        start = end + (word >> 1)
        assert start > end or nth == 0, "runs that touch"
        assert start + length <= 1 << DEPTH, "beyond the leaves"
        gaps.append((end, start))
        end = start + length
    gaps.append((end, 1 << DEPTH))
    for gap in gaps:
        keep(*gap)
    assert at == len(state), "length"
    return Tree(Second(state[:32]), {node: state[at : at + 16] for node, at in live.items()})


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
    assert magic in (b"CKT1", b"CKT2") and tree == number, "header"
    with open(os.path.join(folder, f"root-{generation}.key"), "rb") as file:
        root = file.read()
    return decode(1 if magic == b"CKT1" else 2, unseal(root, header, sealed))


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


def vector(scheme, name, seed, punctured, leaves):
    seed = seed[: scheme.seed_length]
    tree = Tree(scheme, {(0, 0): seed})
    for leaf in punctured:
        tree.puncture(leaf)
    assert decode(scheme.version, tree.encode()).live == tree.live
    keys = [{"leaf": leaf, "key": key.hex() if (key := tree.key(leaf)) else None} for leaf in leaves]
    about = {"version": scheme.version, "name": name, "seed": seed.hex(), "punctured": punctured}
    if scheme.version == 2:
        about["key"] = scheme.key.hex()
    return about | {"state": tree.encode().hex(), "leaves": keys}


def trees(scheme):
    last = (1 << 32) - 1
    zero, count, random = bytes(32), bytes(range(32)), hashlib.sha256(b"celosia").digest()
    probes = [0, 1, 2, 3, 1000, 0x7FFFFFFF, 0x80000000, 0xDEADBEEF, last - 1, last]
    scattered = sorted({int.from_bytes(hashlib.sha256(bytes([n])).digest()[:4], "big") for n in range(20)})
    near = sorted({int.from_bytes(hashlib.sha256(b"near" + bytes([n])).digest()[:4], "big") % 1000 for n in range(60)})
    return [
        vector(scheme, "whole", zero, [], probes),
        vector(scheme, "first leaf punctured", count, [0], probes),
        vector(scheme, "last leaf punctured", count, [last], probes),
        vector(scheme, "punctured twice", random, [2, 2], probes),
        vector(scheme, "a run of 64 collapses", random, list(range(64)), probes + [63, 64]),
        vector(scheme, "a run of 200 across a boundary", random, list(range(900, 1100)), probes + [899, 900, 1099, 1100]),
        vector(scheme, "scattered, unordered", random, scattered[::-1], probes + scattered[:3] + [scattered[0] ^ 1]),
        vector(scheme, "near to each other", random, near[::-1], probes + near[:3] + [near[0] ^ 1]),
    ]


def refused_first():
    entry = lambda depth, first: struct.pack(">BI", depth, first) + bytes([1]) * 32
    state = lambda *entries: struct.pack(">I", len(entries)) + b"".join(entries)
    return {
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


def refused_second():
    state = lambda count, places, seeds: bytes([7]) * 32 + struct.pack(">I", count) + places + bytes([1]) * 16 * seeds
    return {
        "empty": b"",
        "key alone": bytes(32),
        "no seed": state(0, b"", 0),
        "a seed too many": state(0, b"", 2),
        "truncated": state(0, b"", 1)[:-1],
        "trailing byte": state(0, b"", 1) + b"\0",
        "a run and a seed too few": state(1, b"\0", 31),
        "a run and a seed too many": state(1, b"\0", 33),
        "count without runs": state(2, b"\0", 0),
        "runs that touch": state(2, b"\0\0", 31),
        "number in a longer form": state(1, b"\x80\0", 32),
        "number without an end": state(1, b"\xff" * 6, 40),
        "run beyond the leaves": state(1, number(((1 << 32) - 1) * 2 + 1) + b"\0", 32),
        "gap beyond the leaves": state(1, number((1 << 32) * 2), 1),
        "largest count": state((1 << 32) - 1, b"\0", 32),
    }


def vectors():
    key = hashlib.sha256(b"celosia tree key").digest()
    refused = [(1, name, data) for name, data in refused_first().items()] + [(2, name, data) for name, data in refused_second().items()]
    for version, name, data in refused:
        try:
            decode(version, data)
        except (AssertionError, IndexError, struct.error):
            continue
        sys.exit(f"not refused: {version} {name}")
    return {
        "about": "made by tests/vectors/key_tree.py vectors; format: docs/key-tree.md",
        "trees": trees(First()) + trees(Second(key)),
        "refused": [{"version": version, "name": name, "state": data.hex()} for version, name, data in refused],
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

#!/usr/bin/env python3
"""Reads a ledger's checkpoint, policy, tiles and receipts, from the C2SP texts alone.

It shares nothing with our Swift code, so that a mistake there is not repeated here. Needs `cryptography`.

    read_log.py policy POLICY                         prints what is trusted
    read_log.py checkpoint POLICY NOTE                verifies the log's signature and the quorum
    read_log.py proof POLICY PROOF --leaf FILE        verifies a tlog-proof for the leaf in FILE (--leaf-hash HEX)
    read_log.py tiles POLICY NOTE DIR_OR_URL          reads every tile and entry bundle of the checkpoint's tree
                                                      and compares the roots (--cafile PEM for https)

Exit status: 0 verified, 1 refused.
"""
import argparse, base64, hashlib, pathlib, ssl, sys, urllib.request

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Refused(Exception):
    pass


def check(condition, reason):
    if not condition:
        raise Refused(reason)


def b64(text):
    data = base64.b64decode(text, validate=True)
    check(base64.b64encode(data).decode() == text, f"base64 in another form: {text!r}")
    return data


def number(text):
    check(text.isascii() and text.isdigit() and str(int(text)) == text, f"not a decimal number: {text!r}")
    return int(text)


# signed-note


class Key:
    def __init__(self, vkey):
        self.name, key_id, material = vkey.split("+", 2)
        material = b64(material)
        self.id, self.type, self.key = bytes.fromhex(key_id), material[0], material[1:]
        digest = hashlib.sha256(self.name.encode() + b"\n" + material).digest()
        check(len(key_id) == 8 and digest[:4] == self.id, f"the id of {vkey} is not its hash")
        check(self.type in (1, 4) and len(self.key) == 32, f"{vkey} is not an Ed25519 key of type 01 or 04")

    def verify(self, signature, text):
        if self.type == 4:
            check(len(signature) == 72, f"the cosignature of {self.name} has not 72 bytes")
            time, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            check(time < 2**63, f"the time of {self.name} is over 63 bits")
            text = b"cosignature/v1\ntime %d\n" % time + text
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, text)
        except InvalidSignature:
            raise Refused(f"the signature of {self.name} is not valid") from None


class Note:
    def __init__(self, data):
        data.decode("utf-8")
        check(all(byte >= 0x20 or byte == 0x0A for byte in data), "a control character")
        check(data.endswith(b"\n"), "no newline at the end")
        text, blank, lines = data.rpartition(b"\n\n")
        check(blank, "no blank line")
        self.text, self.signatures = text + b"\n", []
        for line in lines.decode().removesuffix("\n").split("\n"):
            dash, name, signature = line.split(" ")
            check(dash == "\u2014", "a signature line without an em dash")
            signature = b64(signature)
            check(name and len(signature) > 4, "a signature line without name or signature")
            self.signatures.append((name, signature[:4], signature[4:]))

    def signed_by(self, key):
        lines = [s for name, key_id, s in self.signatures if (name, key_id) == (key.name, key.id)]
        for signature in lines:
            key.verify(signature, self.text)
        return bool(lines)


# tlog-checkpoint, tlog-policy


class Checkpoint:
    def __init__(self, text):
        lines = text.decode().removesuffix("\n").split("\n")
        check(len(lines) >= 3 and all(lines), "a checkpoint has three lines or more, none of them empty")
        self.origin, self.size, self.root, self.extensions = lines[0], number(lines[1]), b64(lines[2]), lines[3:]
        check(len(self.root) == 32, "the root has not 32 bytes")


class Policy:
    def __init__(self, data):
        self.logs, self.witnesses, self.groups, self.quorum = [], {}, {}, None
        used = set()
        check(data.endswith(b"\n"), "a policy's last line ends in a newline")
        for line in data.split(b"\n"):
            words = line.replace(b"\t", b" ").split()
            if not words or words[0].startswith(b"#"):
                continue
            names = self.witnesses.keys() | self.groups.keys()
            match words:
                case [b"log", vkey, *url] if len(url) <= 1:
                    self.logs.append(Key(vkey.decode()))
                case [b"witness", name, vkey, *url] if len(url) <= 1 and name not in names | {b"none"}:
                    self.witnesses[name] = Key(vkey.decode())
                    check(self.witnesses[name].type == 4, "a witness has a key of type 04")
                case [b"group", name, k, *members] if members and name not in names | {b"none"}:
                    check(set(members) <= names and not used & set(members), f"members of {name!r}")
                    check(len(set(members)) == len(members), f"members of {name!r}")
                    used |= set(members)
                    k = {b"any": 1, b"all": len(members)}.get(k) or number(k.decode())
                    check(1 <= k <= len(members), f"threshold of {name!r}")
                    self.groups[name] = (k, members)
                case [b"quorum", name] if self.quorum is None and name in names | {b"none"}:
                    self.quorum = name
                case _:
                    raise Refused(f"a policy line that is none: {line!r}")
        check(self.quorum is not None, "a policy has a quorum line")
        for keys in ([k.key for k in self.logs], [k.key for k in self.witnesses.values()]):
            check(len(set(keys)) == len(keys), "one key twice")

    def verify(self, note):
        checkpoint = Checkpoint(note.text)
        logs = [key for key in self.logs if key.name == checkpoint.origin and note.signed_by(key)]
        check(logs, f"no log of the policy signed {checkpoint.origin}")
        signed = {name for name, key in self.witnesses.items() if note.signed_by(key)}

        def holds(name):
            if name in self.groups:
                k, members = self.groups[name]
                return sum(holds(member) for member in members) >= k
            return name in signed or name == b"none"

        check(holds(self.quorum), f"{len(signed)} witnesses are no quorum")
        return checkpoint, sorted(name.decode() for name in signed)


# RFC 6962


def leaf_hash(leaf):
    return hashlib.sha256(b"\0" + leaf).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def tree_root(hashes):
    if len(hashes) < 2:
        return hashes[0] if hashes else hashlib.sha256(b"").digest()
    split = 1 << ((len(hashes) - 1).bit_length() - 1)
    return node_hash(tree_root(hashes[:split]), tree_root(hashes[split:]))


def root_from_path(leaf, index, size, path):
    """By the recursive definition, from the root down: RFC 6962 section 2.1.1."""
    if size == 1:
        check(not path, "a path that is too long")
        return leaf
    check(path, "a path that is too short")
    split = 1 << ((size - 1).bit_length() - 1)
    if index < split:
        return node_hash(root_from_path(leaf, index, split, path[:-1]), path[-1])
    return node_hash(path[-1], root_from_path(leaf, index - split, size - split, path[:-1]))


# tlog-proof, tlog-tiles


def verify_proof(policy, data, leaf):
    head, blank, note = data.partition(b"\n\n")
    check(blank, "no blank line above the checkpoint")
    lines = head.decode().split("\n")
    check(lines.pop(0) == "c2sp.org/tlog-proof@v1", "not a tlog-proof")
    if lines and lines[0].startswith("extra "):
        b64(lines.pop(0).removeprefix("extra "))
    check(lines and lines[0].startswith("index "), "no index")
    index, path = number(lines[0].removeprefix("index ")), [b64(line) for line in lines[1:]]
    check(all(len(digest) == 32 for digest in path), "a hash that has not 32 bytes")
    checkpoint, witnesses = policy.verify(Note(note))
    check(index < checkpoint.size, "an index beyond the tree")
    check(root_from_path(leaf, index, checkpoint.size, path) == checkpoint.root, "another root")
    return checkpoint, witnesses, index


def tile_path(folder, n, width):
    groups = []
    while True:
        groups.insert(0, ("x" if groups else "") + f"{n % 1000:03}")
        n //= 1000
        if not n:
            break
    return f"tile/{folder}/{'/'.join(groups)}" + (f".p/{width}" if width < 256 else "")


def verify_tiles(checkpoint, fetch):
    def rows(folder, count):
        for n in range((count + 255) // 256):
            width = min(256, count - 256 * n)
            yield n, width, fetch(tile_path(folder, n, width))

    level, count, below, leaves = 0, checkpoint.size, None, None
    while count:
        hashes = []
        for n, width, data in rows(level, count):
            check(len(data) == 32 * width, f"tile {n} of level {level} has {len(data)} bytes, not {32 * width}")
            hashes += [data[i : i + 32] for i in range(0, len(data), 32)]
        for i, digest in enumerate(hashes if below else []):
            check(tree_root(below[256 * i : 256 * i + 256]) == digest, f"hash {i} of level {level}")
        leaves, below = leaves or hashes, hashes
        level, count = level + 1, count // 256
    check(tree_root(leaves or []) == checkpoint.root, "the leaf hashes lead to another root")
    for n, width, data in rows("entries", checkpoint.size):
        for i in range(width):
            check(len(data) >= 2, f"bundle {n} is cut short")
            end = 2 + int.from_bytes(data[:2], "big")
            check(leaf_hash(data[2:end]) == leaves[256 * n + i], f"entry {256 * n + i} is not its leaf")
            data = data[end:]
        check(not data, f"bundle {n} has bytes too many")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, files in {"policy": [], "checkpoint": ["note"], "proof": ["proof"], "tiles": ["note", "source"]}.items():
        command = commands.add_parser(name)
        for argument in ["policy"] + files:
            command.add_argument(argument)
    commands.choices["proof"].add_argument("--leaf")
    commands.choices["proof"].add_argument("--leaf-hash")
    commands.choices["tiles"].add_argument("--cafile")
    options = parser.parse_args()

    read = lambda path: pathlib.Path(path).read_bytes()
    policy = Policy(read(options.policy))
    if options.command == "policy":
        print(f"{len(policy.logs)} logs, {len(policy.witnesses)} witnesses, quorum {policy.quorum.decode()}")
    elif options.command == "proof":
        check(options.leaf or options.leaf_hash, "--leaf or --leaf-hash is needed")
        leaf = leaf_hash(read(options.leaf)) if options.leaf else bytes.fromhex(options.leaf_hash)
        checkpoint, witnesses, index = verify_proof(policy, read(options.proof), leaf)
        print(f"entry {index} of {checkpoint.origin}, tree of {checkpoint.size}, signed by {', '.join(witnesses)}")
    else:
        checkpoint, witnesses = policy.verify(Note(read(options.note)))
        if options.command == "tiles":
            context = ssl.create_default_context(cafile=options.cafile) if options.cafile else None
            base = options.source.rstrip("/")

            def fetch(path):
                if "://" not in base:
                    return read(f"{base}/{path}")
                return urllib.request.urlopen(f"{base}/{path}", context=context).read()

            verify_tiles(checkpoint, fetch)
        print(f"{checkpoint.origin}, tree of {checkpoint.size}, signed by {', '.join(witnesses)}")


if __name__ == "__main__":
    try:
        main()
    except (Refused, ValueError, OSError) as reason:
        sys.exit(f"refused: {reason}")

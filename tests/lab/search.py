"""Looks for things that must not lie in files: as they are, as hex and base64 (every alignment,
both alphabets), and inside whatever can be decompressed (zstd, zlib and gzip, at any offset)."""
import base64
import ctypes
import ctypes.util
import json
import pathlib
import re
import zlib

INFLATED_MAX = 8 << 20  # bytes of one frame
DEPTH_MAX = 3           # a frame in a frame in a frame
ZLIB_START = re.compile(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08")
ZSTD_START = re.compile(rb"\x28\xb5\x2f\xfd")


def forms(name, secret):
    """(form, bytes) of all ways in which a text or bytes could be written down."""
    raw = secret.encode() if isinstance(secret, str) else secret
    yield name, raw
    yield f"{name} in hex", raw.hex().encode()
    yield f"{name} in HEX", raw.hex().upper().encode()
    yield f"{name} in UTF-16", raw.decode("latin-1").encode("utf-16-le")
    yield f"{name} backwards", raw[::-1]
    if isinstance(secret, str):
        escaped = json.dumps(secret)[1:-1].encode()
        if escaped != raw:
            yield f"{name} in JSON", escaped
    for shift in range(3):
        # What of the base64 depends on the secret alone, whatever stands before and after it.
        coded = base64.b64encode(b"\0" * shift + raw)
        first = -(-shift * 8 // 6)
        last = (shift + len(raw)) * 8 // 6
        part = coded[first:last]
        yield f"{name} in base64, {shift}", part
        url = part.translate(bytes.maketrans(b"+/", b"-_"))
        if url != part:
            yield f"{name} in base64url, {shift}", url


class Zstd:
    """libzstd's streaming decompression: takes a frame wherever it starts."""

    class Buffer(ctypes.Structure):
        _fields_ = [("place", ctypes.c_void_p), ("size", ctypes.c_size_t), ("pos", ctypes.c_size_t)]

    def __init__(self):
        self.lib = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
        self.lib.ZSTD_createDStream.restype = ctypes.c_void_p
        self.lib.ZSTD_freeDStream.argtypes = [ctypes.c_void_p]
        self.lib.ZSTD_decompressStream.argtypes = [ctypes.c_void_p, ctypes.c_void_p,
                                                   ctypes.c_void_p]
        self.lib.ZSTD_decompressStream.restype = ctypes.c_size_t
        self.lib.ZSTD_isError.argtypes = [ctypes.c_size_t]

    def inflate(self, data):
        stream = self.lib.ZSTD_createDStream()
        source = ctypes.create_string_buffer(data, len(data))
        room = ctypes.create_string_buffer(1 << 16)
        given = self.Buffer(ctypes.addressof(source), len(data), 0)
        out = b""
        try:
            while len(out) < INFLATED_MAX:
                taken = self.Buffer(ctypes.addressof(room), len(room), 0)
                left = self.lib.ZSTD_decompressStream(stream, ctypes.byref(taken),
                                                      ctypes.byref(given))
                out += room.raw[:taken.pos]
                if self.lib.ZSTD_isError(left) or left == 0 or \
                        (taken.pos == 0 and given.pos == given.size):
                    return out
            return out
        finally:
            self.lib.ZSTD_freeDStream(stream)


ZSTD = Zstd()


def inflated(data, depth=0):
    """What can be decompressed in `data`, and in that."""
    found = []
    for match in ZLIB_START.finditer(data):
        try:
            plain = zlib.decompressobj(47).decompress(data[match.start():], INFLATED_MAX)
        except zlib.error:
            continue
        found.append(plain)
    for match in ZSTD_START.finditer(data):
        found.append(ZSTD.inflate(data[match.start():]))
    for plain in found:
        if not plain:
            continue
        yield plain
        if depth + 1 < DEPTH_MAX:
            yield from inflated(plain, depth + 1)


class Search:
    """Needles by name; `allow` names the files where one of them belongs."""

    def __init__(self):
        self.needles = []
        self.allowed = {}

    def add(self, name, secret, allow=()):
        assert len(secret) >= 8, f"{name} is too short to be searched for"
        self.needles += [(name, form, needle) for form, needle in forms(name, secret)]
        self.allowed[name] = {str(path) for path in allow}

    def in_bytes(self, data, where):
        """Sentences: what lies where."""
        out = []
        data = data.rstrip(b"\0")  # room that is kept free
        for plain, how in [(data, ""), *((one, ", compressed") for one in inflated(data))]:
            out += [f"{form} lies in {where}{how}" for name, form, needle in self.needles
                    if needle in plain and str(where) not in self.allowed[name]]
        return out

    def in_folder(self, folder):
        folder = pathlib.Path(folder)
        files = [folder] if folder.is_file() else [p for p in folder.rglob("*") if p.is_file()]
        assert files, f"nothing to search in {folder}"
        return [line for path in files for line in
                self.in_bytes(path.read_bytes(), path) + self.in_bytes(path.name.encode(), path)]

    def in_process(self, pid):
        """What everybody on the machine can see of a process: its arguments; its environment."""
        return [line for name in ("cmdline", "environ") for line in
                self.in_bytes(pathlib.Path(f"/proc/{pid}/{name}").read_bytes(),
                              f"/proc/{pid}/{name}")]

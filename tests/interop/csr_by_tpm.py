"""Writes csr.der in the working folder: PKCS#10 for the P-256 key in key.ctx, signed by tpm2_sign."""
import hashlib
import subprocess


def wrap(tag, *parts):
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + body


def main():
    subprocess.run(["tpm2_readpublic", "-Q", "-c", "key.ctx", "-f", "der", "-o", "spki.der"], check=True)
    subprocess.run(["tpm2_flushcontext", "-t"], check=True)
    name = wrap(0x30, wrap(0x31, wrap(0x30, bytes.fromhex("0603550403"), wrap(0x0C, b"tpm lab"))))
    info = wrap(0x30, b"\x02\x01\x00", name, open("spki.der", "rb").read(), b"\xa0\x00")
    with open("digest.bin", "wb") as file:
        file.write(hashlib.sha256(info).digest())
    subprocess.run(["tpm2_sign", "-Q", "-c", "key.ctx", "-g", "sha256", "-s", "ecdsa", "-d", "-f", "plain",
                    "-o", "csr.sig", "digest.bin"], check=True)
    subprocess.run(["tpm2_flushcontext", "-t"], check=True)
    algorithm = wrap(0x30, bytes.fromhex("06082a8648ce3d040302"))
    signature = wrap(0x03, b"\x00", open("csr.sig", "rb").read())
    with open("csr.der", "wb") as file:
        file.write(wrap(0x30, info, algorithm, signature))


if __name__ == "__main__":
    main()

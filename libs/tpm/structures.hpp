// The structures of TPM 2.0 that attestation needs (TPM 2.0 Library, Part 2), read strictly:
// big-endian, exact sizes, nothing left over. Parsing says what is written; libs/tpm/checks.hpp
// says what it proves. Errors: Code::attestation_refused, with the structure and the field. Pure
// values; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libs/crypto/hash.hpp"
#include "libs/crypto/key.hpp"

namespace holdfast::tpm {

// TPM_ALG_ID (Part 2, 6.3), those that occur here.
enum Algorithm : std::uint16_t {
  kAlgRsa = 0x0001,
  kAlgAes = 0x0006,
  kAlgSha256 = 0x000B,
  kAlgSha384 = 0x000C,
  kAlgSha512 = 0x000D,
  kAlgNull = 0x0010,
  kAlgRsaSsa = 0x0014,
  kAlgRsaPss = 0x0016,
  kAlgEcdsa = 0x0018,
  kAlgEcc = 0x0023,
  kAlgCfb = 0x0043,
};
// TPM_ECC_CURVE (6.4).
inline constexpr std::uint16_t kCurveP256 = 0x0003;
inline constexpr std::uint16_t kCurveP384 = 0x0004;
// TPMA_OBJECT (8.3).
enum Attribute : std::uint32_t {
  kFixedTpm = 1U << 1,
  kStClear = 1U << 2,
  kFixedParent = 1U << 4,
  kSensitiveDataOrigin = 1U << 5,
  kUserWithAuth = 1U << 6,
  kAdminWithPolicy = 1U << 7,
  kRestricted = 1U << 16,
  kDecrypt = 1U << 17,
  kSign = 1U << 18,
};
// TPM_ST of attestation (6.9), and the magic before it (6.2).
inline constexpr std::uint32_t kGenerated = 0xFF544347;
inline constexpr std::uint16_t kAttestCertify = 0x8017;
inline constexpr std::uint16_t kAttestQuote = 0x8018;
inline constexpr std::uint16_t kAttestCreation = 0x801A;

inline constexpr std::size_t kPublicBytesMax = 1024;
inline constexpr std::size_t kAttestBytesMax = 1024;
inline constexpr std::size_t kSignatureBytesMax = 1024;
inline constexpr std::size_t kPcrBanksMax = 4;
inline constexpr unsigned kPcrsMax = 24;

struct Scheme {
  std::uint16_t algorithm = kAlgNull;
  std::uint16_t hash = kAlgNull;
  bool operator==(const Scheme&) const = default;
};

// TPMT_PUBLIC (12.2.4) of an RSA or ECC key.
struct Public {
  std::uint16_t type = 0;  // kAlgRsa, kAlgEcc
  std::uint16_t name_algorithm = 0;
  std::uint32_t attributes = 0;
  Bytes policy;
  std::uint16_t symmetric = kAlgNull;  // of a storage key: kAlgAes
  std::uint16_t symmetric_bits = 0;
  std::uint16_t symmetric_mode = kAlgNull;
  Scheme scheme;
  std::uint16_t rsa_bits = 0;
  Bytes modulus;
  std::uint16_t curve = 0;
  Bytes x, y;
  Bytes area;  // the TPMT_PUBLIC as it came: what the name is made of

  bool has(std::uint32_t bits) const { return (attributes & bits) == bits; }
};
// From TPM2B_PUBLIC: its size, then exactly one TPMT_PUBLIC.
Result<Public> parse_public(View tpm2b);
// nameAlg and the hash of the area (Part 1, 16). Only SHA-2 names are taken by parse_public().
Bytes name_of(const Public& key);
// The key as everybody else writes it; RSA with exponent 65537, P-256, P-384.
Result<crypto::PublicKey> key_of(const Public& key);

// TPMS_CLOCK_INFO (10.11.1).
struct ClockInfo {
  std::uint64_t clock_ms = 0;
  std::uint32_t reset_count = 0;
  std::uint32_t restart_count = 0;
  bool safe = false;
  bool operator==(const ClockInfo&) const = default;
};

struct PcrSelection {
  std::uint16_t hash = kAlgSha256;
  std::vector<unsigned> pcrs;  // rising
  bool operator==(const PcrSelection&) const = default;
};

// TPMS_ATTEST (10.12.12) of the kinds certify, creation and quote.
struct Attest {
  std::uint16_t type = 0;
  Bytes signer;  // qualified name of the signing key
  Bytes extra;   // qualifying data: the nonce
  ClockInfo clock;
  std::uint64_t firmware = 0;
  Bytes name;                        // of the certified or created object
  std::vector<PcrSelection> quoted;  // quote
  Bytes pcr_digest;                  // quote
};
Result<Attest> parse_attest(View tpms);

// TPMT_SIGNATURE (11.3.4): RSASSA or ECDSA over SHA-2.
struct Signature {
  std::uint16_t algorithm = 0;
  std::uint16_t hash = 0;
  Bytes bytes;  // PKCS#1 for RSASSA, DER for ECDSA: as crypto::PublicKey::verify takes it
};
Result<Signature> parse_signature(View tpmt);

std::optional<crypto::Digest> digest_of(std::uint16_t algorithm);

}  // namespace holdfast::tpm

#include "libs/crypto/spki.hpp"

#include <bit>

#include "libs/crypto/der.hpp"

namespace holdfast::crypto {
namespace {

constexpr std::string_view kOidEc = "1.2.840.10045.2.1";
constexpr std::string_view kOidP256 = "1.2.840.10045.3.1.7";
constexpr std::string_view kOidP384 = "1.3.132.0.34";
constexpr std::string_view kOidEd25519 = "1.3.101.112";
constexpr std::string_view kOidRsa = "1.2.840.113549.1.1.1";
constexpr unsigned kRsaBitsMin = 2048;
constexpr unsigned kRsaBitsMax = 4096;
constexpr std::size_t kRsaModulusBytesMax = 16384 / 8;  // beyond it nothing is even computed

struct SignatureRow {
  SignatureAlgorithm algorithm;
  std::string_view oid;
  bool null_parameters;  // RSA wants NULL (RFC 4055 5), ECDSA and Ed25519 nothing
};
constexpr SignatureRow kSignatures[] = {
    {SignatureAlgorithm::ecdsa_sha256, "1.2.840.10045.4.3.2", false},
    {SignatureAlgorithm::ecdsa_sha384, "1.2.840.10045.4.3.3", false},
    {SignatureAlgorithm::ecdsa_sha512, "1.2.840.10045.4.3.4", false},
    {SignatureAlgorithm::ed25519, kOidEd25519, false},
    {SignatureAlgorithm::rsa_sha256, "1.2.840.113549.1.1.11", true},
    {SignatureAlgorithm::rsa_sha384, "1.2.840.113549.1.1.12", true},
    {SignatureAlgorithm::rsa_sha512, "1.2.840.113549.1.1.13", true},
};

Status parse_ec(der::Reader& algorithm, View key, Spki& out) {
  if (algorithm.peek() != der::kOid) {
    return fail(Code::unsupported,
                "the key spells out its curve; use the named curve P-256 or P-384");
  }
  const std::string curve = TRY(der::oid_text(TRY(algorithm.take(der::kOid, "curve"))));
  if (curve != kOidP256 && curve != kOidP384) {
    return fail(Code::unsupported, "curve " + curve + " is not taken; use P-256 or P-384");
  }
  out.algorithm = curve == kOidP256 ? KeyAlgorithm::p256 : KeyAlgorithm::p384;
  out.bits = curve == kOidP256 ? 256 : 384;
  const std::size_t width = out.bits / 8;
  const bool uncompressed = key.size() == 1 + 2 * width && key[0] == 4;
  const bool compressed = key.size() == 1 + width && (key[0] == 2 || key[0] == 3);
  if (!uncompressed && !compressed) {
    return fail(Code::invalid_argument, "the key's point has the wrong length");
  }
  out.point = key;
  return {};
}

// A positive INTEGER's magnitude.
Result<View> positive(der::Reader& from, std::string_view what) {
  View content = TRY(der::integer(TRY(from.take(der::kInteger, what))));
  if (content[0] >= 0x80 || (content.size() == 1 && content[0] == 0)) {
    return fail(Code::invalid_argument, std::string(what) + " must be positive");
  }
  return content[0] == 0 ? content.subspan(1) : content;
}

Status parse_rsa(der::Reader& algorithm, View key, Spki& out) {
  if (!algorithm.done()) TRY(algorithm.take(der::kNull, "parameters"));
  der::Reader outer(key);
  der::Reader numbers = TRY(outer.enter(der::kSequence, "RSAPublicKey"));
  TRY(outer.end("RSAPublicKey"));
  out.algorithm = KeyAlgorithm::rsa;
  out.modulus = TRY(positive(numbers, "modulus"));
  out.exponent = TRY(positive(numbers, "exponent"));
  TRY(numbers.end("RSAPublicKey"));
  if (out.modulus.size() > kRsaModulusBytesMax || out.exponent.size() > out.modulus.size()) {
    return fail(Code::unsupported, "the RSA key is too long");
  }
  const auto top = static_cast<unsigned>(std::bit_width(out.modulus[0]));
  out.bits = static_cast<unsigned>(out.modulus.size() - 1) * 8 + top;
  return {};
}

unsigned modulo(View magnitude, unsigned divisor) {
  unsigned rest = 0;
  for (const std::uint8_t byte : magnitude) rest = (rest * 256 + byte) % divisor;
  return rest;
}

constexpr unsigned kPrimes[] = {3,   5,   7,   11,  13,  17,  19,  23,  29,  31,  37,  41,  43,
                                47,  53,  59,  61,  67,  71,  73,  79,  83,  89,  97,  101, 103,
                                107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};

// Infineon's RSALib made primes of the form k*M + (65537^a mod M), M a product of small primes:
// such a modulus is a power of 65537 modulo each of them, which a random one is with odds below
// 2^-27.
bool has_roca_fingerprint(View modulus) {
  for (const unsigned prime : kPrimes) {
    const unsigned rest = modulo(modulus, prime);
    unsigned power = 1;
    bool found = false;
    do {
      found = power == rest;
      power = power * (65537 % prime) % prime;
    } while (!found && power != 1);
    if (!found) return false;
  }
  return true;
}

Status check_rsa(const Spki& key) {
  const auto weak = [](const std::string& why) {
    return fail(Code::csr_key_weak, "RSA key: " + why);
  };
  if (key.bits < kRsaBitsMin) {
    return weak(std::to_string(key.bits) + " bits are too few; use 2048, or P-256");
  }
  if (key.bits > kRsaBitsMax) return weak("more than 4096 bits; use fewer, or P-256");
  if (key.bits % 8 != 0) return weak("the modulus is not a whole number of bytes long");
  if ((key.modulus.back() & 1U) == 0) return weak("the modulus is even");
  if (key.exponent.size() > 8) return weak("the exponent is above 2^64; use 65537");
  std::uint64_t exponent = 0;
  for (const std::uint8_t byte : key.exponent) exponent = (exponent << 8) | byte;
  if (exponent < 65537 || exponent % 2 == 0) {
    return weak("exponent " + std::to_string(exponent) + " is weak; use 65537");
  }
  for (const unsigned prime : kPrimes) {
    if (modulo(key.modulus, prime) == 0) {
      return weak("the modulus is divisible by " + std::to_string(prime));
    }
  }
  if (has_roca_fingerprint(key.modulus)) {
    return weak(
        "made by a generator with the ROCA weakness (CVE-2017-15361); update the chip's "
        "firmware and make a new key");
  }
  return {};
}

}  // namespace

Result<Spki> parse_spki(View bytes) {
  der::Reader outer(bytes);
  der::Reader info = TRY(outer.enter(der::kSequence, "SubjectPublicKeyInfo"));
  TRY(outer.end("SubjectPublicKeyInfo"));
  der::Reader algorithm = TRY(info.enter(der::kSequence, "algorithm"));
  const std::string oid = TRY(der::oid_text(TRY(algorithm.take(der::kOid, "algorithm"))));
  const View key = TRY(der::bit_string(TRY(info.take(der::kBitString, "subjectPublicKey"))));
  TRY(info.end("SubjectPublicKeyInfo"));
  Spki out;
  if (oid == kOidEc) {
    TRY(parse_ec(algorithm, key, out));
  } else if (oid == kOidRsa) {
    TRY(parse_rsa(algorithm, key, out));
  } else if (oid == kOidEd25519) {
    if (key.size() != 32) return fail(Code::invalid_argument, "an Ed25519 key has 32 bytes");
    out.algorithm = KeyAlgorithm::ed25519;
    out.bits = 256;
    out.point = key;
  } else {
    return fail(Code::unsupported,
                "key algorithm " + oid + " is not taken; use P-256, P-384, Ed25519 or RSA");
  }
  TRY(algorithm.end("algorithm"));
  return out;
}

Status check_key_policy(View spki_der) {
  auto key = parse_spki(spki_der);
  if (!key) return fail(Code::csr_key_weak, key.error().message);
  if (key->algorithm == KeyAlgorithm::rsa) return check_rsa(*key);
  return {};
}

Result<View> parse_spki_key_bits(View spki_der) {
  der::Reader outer(spki_der);
  der::Reader info = TRY(outer.enter(der::kSequence, "SubjectPublicKeyInfo"));
  TRY(info.take(der::kSequence, "algorithm"));
  return der::bit_string(TRY(info.take(der::kBitString, "subjectPublicKey")));
}

std::string_view oid_of(SignatureAlgorithm algorithm) {
  for (const SignatureRow& row : kSignatures) {
    if (row.algorithm == algorithm) return row.oid;
  }
  return {};
}

std::optional<SignatureAlgorithm> signature_algorithm_of(std::string_view oid) {
  for (const SignatureRow& row : kSignatures) {
    if (row.oid == oid) return row.algorithm;
  }
  return std::nullopt;
}

Bytes algorithm_identifier(SignatureAlgorithm algorithm) {
  for (const SignatureRow& row : kSignatures) {
    if (row.algorithm != algorithm) continue;
    if (!row.null_parameters) return der::sequence({der::put_oid(row.oid)});
    return der::sequence({der::put_oid(row.oid), der::wrap(der::kNull, View())});
  }
  return {};
}

}  // namespace holdfast::crypto

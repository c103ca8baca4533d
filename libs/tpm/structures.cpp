#include "libs/tpm/structures.hpp"

#include <algorithm>

#include "libs/crypto/der.hpp"
#include "libs/crypto/outside_key.hpp"

namespace holdfast::tpm {
namespace {

namespace der = crypto::der;

constexpr std::size_t kDigestBytesMax = 64;
constexpr std::size_t kNameBytesMax = 2 + kDigestBytesMax;
constexpr std::size_t kDataBytesMax = 64 + 2;
constexpr std::uint32_t kExponent = 65537;

std::unexpected<Error> refuse(std::string why) {
  return fail(Code::attestation_refused, std::move(why));
}

// ByteReader with the field's name in each refusal.
class Cursor {
 public:
  Cursor(View bytes, std::string what) : reader_(bytes), what_(std::move(what)) {}

  template <class T>
  Result<T> number(std::string_view field) {
    const auto part = reader_.take(sizeof(T));
    if (!part) return short_at(field);
    return load_be<T>(part->data());
  }
  Result<Bytes> sized(std::string_view field, std::size_t most) {
    const auto size = TRY(number<std::uint16_t>(field));
    if (size > most) return refuse(what_ + ": " + std::string(field) + " is too long");
    const auto part = reader_.take(size);
    if (!part) return short_at(field);
    return Bytes(part->begin(), part->end());
  }
  Result<View> exactly(std::string_view field, std::size_t size) {
    const auto part = reader_.take(size);
    if (!part) return short_at(field);
    return *part;
  }
  Status end() const {
    if (reader_.done()) return {};
    return refuse(what_ + ": " + std::to_string(reader_.left()) + " bytes too many");
  }
  std::unexpected<Error> unknown(std::string_view field) const {
    return refuse(what_ + ": " + std::string(field) + " is of a kind that is not taken");
  }

 private:
  std::unexpected<Error> short_at(std::string_view field) const {
    return refuse(what_ + ": it ends before " + std::string(field));
  }
  ByteReader reader_;
  std::string what_;
};

// TPMT_SYM_DEF_OBJECT (11.1.7): null or AES.
Status read_symmetric(Cursor& in, Public& out) {
  out.symmetric = TRY(in.number<std::uint16_t>("symmetric"));
  if (out.symmetric == kAlgNull) return {};
  if (out.symmetric != kAlgAes) return in.unknown("symmetric");
  out.symmetric_bits = TRY(in.number<std::uint16_t>("symmetric key bits"));
  out.symmetric_mode = TRY(in.number<std::uint16_t>("symmetric mode"));
  return {};
}

// TPMT_RSA_SCHEME, TPMT_ECC_SCHEME: null, or one with a hash.
Status read_scheme(Cursor& in, Public& out) {
  out.scheme.algorithm = TRY(in.number<std::uint16_t>("scheme"));
  if (out.scheme.algorithm == kAlgNull) return {};
  if (out.scheme.algorithm != kAlgRsaSsa && out.scheme.algorithm != kAlgRsaPss &&
      out.scheme.algorithm != kAlgEcdsa) {
    return in.unknown("scheme");
  }
  out.scheme.hash = TRY(in.number<std::uint16_t>("scheme's hash"));
  return {};
}

Status read_rsa(Cursor& in, Public& out) {
  out.rsa_bits = TRY(in.number<std::uint16_t>("key bits"));
  const auto exponent = TRY(in.number<std::uint32_t>("exponent"));
  if (exponent != 0 && exponent != kExponent) return in.unknown("exponent");
  out.modulus = TRY(in.sized("modulus", 512));
  if (out.rsa_bits < 2048 || out.modulus.size() * 8 != out.rsa_bits || out.modulus[0] < 0x80) {
    return in.unknown("modulus");
  }
  return {};
}

Status read_ecc(Cursor& in, Public& out) {
  out.curve = TRY(in.number<std::uint16_t>("curve"));
  if (out.curve != kCurveP256 && out.curve != kCurveP384) return in.unknown("curve");
  if (TRY(in.number<std::uint16_t>("kdf")) != kAlgNull) return in.unknown("kdf");
  const std::size_t width = out.curve == kCurveP256 ? 32 : 48;
  for (Bytes* to : {&out.x, &out.y}) {
    const Bytes read = TRY(in.sized("point", width));
    // Some TPMs drop leading zeros.
    to->assign(width - read.size(), 0);
    append(*to, read);
  }
  return {};
}

Result<ClockInfo> read_clock(Cursor& in) {
  ClockInfo out;
  out.clock_ms = TRY(in.number<std::uint64_t>("clock"));
  out.reset_count = TRY(in.number<std::uint32_t>("resetCount"));
  out.restart_count = TRY(in.number<std::uint32_t>("restartCount"));
  const auto safe = TRY(in.number<std::uint8_t>("safe"));
  if (safe > 1) return in.unknown("safe");
  out.safe = safe == 1;
  return out;
}

// TPML_PCR_SELECTION (10.9.7).
Status read_quote(Cursor& in, Attest& out) {
  const auto banks = TRY(in.number<std::uint32_t>("PCR banks"));
  if (banks > kPcrBanksMax) return in.unknown("PCR banks");
  for (std::uint32_t i = 0; i < banks; ++i) {
    PcrSelection bank;
    bank.hash = TRY(in.number<std::uint16_t>("PCR bank"));
    bank.pcrs.clear();
    const auto size = TRY(in.number<std::uint8_t>("PCR select"));
    if (size > kPcrsMax / 8) return in.unknown("PCR select");
    const View bits = TRY(in.exactly("PCR select", size));
    for (unsigned pcr = 0; pcr < size * 8U; ++pcr) {
      if ((bits[pcr / 8] >> (pcr % 8) & 1) != 0) bank.pcrs.push_back(pcr);
    }
    out.quoted.push_back(std::move(bank));
  }
  out.pcr_digest = TRY(in.sized("PCR digest", kDigestBytesMax));
  return {};
}

}  // namespace

std::optional<crypto::Digest> digest_of(std::uint16_t algorithm) {
  switch (algorithm) {
    case kAlgSha256:
      return crypto::Digest::sha256;
    case kAlgSha384:
      return crypto::Digest::sha384;
    case kAlgSha512:
      return crypto::Digest::sha512;
    default:
      return std::nullopt;
  }
}

Result<Public> parse_public(View tpm2b) {
  const std::string what = "TPM2B_PUBLIC";
  if (tpm2b.size() > kPublicBytesMax) return refuse(what + ": too long");
  Cursor outer(tpm2b, what);
  const auto size = TRY(outer.number<std::uint16_t>("size"));
  const View area = TRY(outer.exactly("the public area", size));
  TRY(outer.end());
  Public out;
  out.area.assign(area.begin(), area.end());
  Cursor in(area, what);
  out.type = TRY(in.number<std::uint16_t>("type"));
  if (out.type != kAlgRsa && out.type != kAlgEcc) return in.unknown("type");
  out.name_algorithm = TRY(in.number<std::uint16_t>("nameAlg"));
  if (!digest_of(out.name_algorithm)) return in.unknown("nameAlg");
  out.attributes = TRY(in.number<std::uint32_t>("objectAttributes"));
  out.policy = TRY(in.sized("authPolicy", kDigestBytesMax));
  TRY(read_symmetric(in, out));
  TRY(read_scheme(in, out));
  TRY(out.type == kAlgRsa ? read_rsa(in, out) : read_ecc(in, out));
  TRY(in.end());
  return out;
}

Bytes name_of(const Public& key) {
  Bytes out;
  store_be<std::uint16_t>(out, key.name_algorithm);
  append(out, crypto::hash(*digest_of(key.name_algorithm), key.area));
  return out;
}

Result<crypto::PublicKey> key_of(const Public& key) {
  Bytes spki;
  if (key.type == kAlgRsa) {
    const Bytes inner =
        der::sequence({der::put_unsigned(key.modulus), der::put_integer(kExponent)});
    spki = der::sequence(
        {der::sequence({der::put_oid("1.2.840.113549.1.1.1"), der::wrap(der::kNull, View())}),
         der::put_bit_string(inner)});
  } else {
    Bytes point{4};
    append(point, key.x);
    append(point, key.y);
    const std::string_view curve = key.curve == kCurveP256 ? "1.2.840.10045.3.1.7" : "1.3.132.0.34";
    spki = der::sequence({der::sequence({der::put_oid("1.2.840.10045.2.1"), der::put_oid(curve)}),
                          der::put_bit_string(point)});
  }
  auto made = crypto::PublicKey::from_spki(spki);
  if (!made) return refuse("TPM2B_PUBLIC: its key is none: " + made.error().message);
  return made;
}

Result<Attest> parse_attest(View tpms) {
  const std::string what = "TPMS_ATTEST";
  if (tpms.size() > kAttestBytesMax) return refuse(what + ": too long");
  Cursor in(tpms, what);
  if (TRY(in.number<std::uint32_t>("magic")) != kGenerated) {
    return refuse("TPMS_ATTEST: the magic is missing: no TPM made this");
  }
  Attest out;
  out.type = TRY(in.number<std::uint16_t>("type"));
  out.signer = TRY(in.sized("qualifiedSigner", kNameBytesMax));
  out.extra = TRY(in.sized("extraData", kDataBytesMax));
  out.clock = TRY(read_clock(in));
  out.firmware = TRY(in.number<std::uint64_t>("firmwareVersion"));
  switch (out.type) {
    case kAttestCertify:
      out.name = TRY(in.sized("name", kNameBytesMax));
      TRY(in.sized("qualifiedName", kNameBytesMax));
      break;
    case kAttestCreation:
      out.name = TRY(in.sized("objectName", kNameBytesMax));
      TRY(in.sized("creationHash", kDigestBytesMax));
      break;
    case kAttestQuote:
      TRY(read_quote(in, out));
      break;
    default:
      return in.unknown("type");
  }
  TRY(in.end());
  return out;
}

Result<Signature> parse_signature(View tpmt) {
  const std::string what = "TPMT_SIGNATURE";
  if (tpmt.size() > kSignatureBytesMax) return refuse(what + ": too long");
  Cursor in(tpmt, what);
  Signature out;
  out.algorithm = TRY(in.number<std::uint16_t>("algorithm"));
  if (out.algorithm != kAlgRsaSsa && out.algorithm != kAlgEcdsa) return in.unknown("algorithm");
  out.hash = TRY(in.number<std::uint16_t>("hash"));
  if (!digest_of(out.hash)) return in.unknown("hash");
  if (out.algorithm == kAlgRsaSsa) {
    out.bytes = TRY(in.sized("signature", 512));
  } else {
    const Bytes r = TRY(in.sized("r", 48));
    const Bytes s = TRY(in.sized("s", 48));
    out.bytes = der::sequence({der::put_unsigned(r), der::put_unsigned(s)});
  }
  TRY(in.end());
  return out;
}

}  // namespace holdfast::tpm

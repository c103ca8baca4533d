#include "libs/est/claim_code.hpp"

#include "libs/wire/cbor.hpp"

namespace holdfast::est {
namespace {

constexpr std::string_view kClaimPrefix = "hfc_";
constexpr std::string_view kCodePrefix = "hf1.";
constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t kClaimCharacters = 26;
constexpr std::size_t kGroup = 5;
constexpr std::size_t kJoinItemsMin = 4;

std::unexpected<Error> bad_claim(std::string why) {
  return fail(Code::invalid_argument, "not a claim: " + std::move(why));
}
std::unexpected<Error> bad_code(std::string why) {
  return fail(Code::invalid_argument, "not a join code: " + std::move(why));
}

// A character's value in GF(32); 32 when it is none.
unsigned value_of(char c) {
  return static_cast<unsigned>(std::min(kAlphabet.find(c), std::size_t{32}));
}

// Times the generator of GF(32) with x^5 = x^2 + 1.
unsigned times_generator(unsigned value) {
  value <<= 1;
  return value & 32U ? value ^ 0b100101U : value;
}

// Each character counts with a weight of its own, and no two weights are equal (the generator's
// powers repeat after 31), so a changed character and a swapped pair always change the sum.
unsigned check_value(std::string_view characters) {
  unsigned sum = 0;
  for (const char c : characters) sum = times_generator(sum ^ value_of(c));
  return sum;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// "host:port" or "[address]:port", printable ASCII.
bool is_endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon > kJoinHostBytesMax + 2) return false;
  const std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  const bool bracketed = host.starts_with('[') && host.ends_with(']') && host.size() > 2;
  if (host.contains(':') != bracketed) return false;
  for (const char c : bracketed ? host.substr(1, host.size() - 2) : host) {
    if (c <= ' ' || c > '~' || std::string_view("/@[]").contains(c)) return false;
  }
  unsigned number = 0;
  for (const char c : port) {
    if (c < '0' || c > '9' || number > 65535) return false;
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  return number >= 1 && number <= 65535;
}

Result<JoinCode> read_items(View bytes) {
  wire::CborReader reader(bytes);
  const auto array = TRY(reader.array());
  if (array.indefinite || array.number < kJoinItemsMin) {
    return bad_code("it holds too little; was it cut?");
  }
  JoinCode code;
  code.device = TRY(reader.text());
  code.mqtt = TRY(reader.text());
  const Bytes fingerprint = TRY(reader.byte_string());
  code.claim = TRY(reader.text());
  if (fingerprint.size() != code.ca_fingerprint.size()) return bad_code("its fingerprint is short");
  std::copy(fingerprint.begin(), fingerprint.end(), code.ca_fingerprint.begin());
  // What later versions add follows here, and is only read past.
  while (const auto item = TRY(reader.element())) TRY(reader.skip_rest(*item));
  if (!reader.done() || reader.left() != 0) return bad_code("something follows it");
  return code;
}

Status check(const JoinCode& code) {
  if (!is_endpoint(code.device) || !is_endpoint(code.mqtt)) {
    return bad_code("its addresses must be host:port");
  }
  if (TRY(parse_claim(code.claim)) != code.claim) return bad_code("its claim is not canonical");
  return {};
}

}  // namespace

std::string make_claim(std::span<const std::uint8_t, kClaimRandomBytes> random) {
  std::string claim(kClaimPrefix);
  unsigned held = 0, bits = 0;
  for (std::size_t at = 0; claim.size() < kClaimPrefix.size() + kClaimCharacters - 1;) {
    if (bits < 5) {
      held = (held << 8) | random[at++];
      bits += 8;
    }
    bits -= 5;
    claim.push_back(kAlphabet[(held >> bits) & 31U]);
  }
  const std::string_view characters = std::string_view(claim).substr(kClaimPrefix.size());
  claim.push_back(kAlphabet[check_value(characters)]);
  return claim;
}

Result<std::string> parse_claim(std::string_view typed) {
  if (typed.size() > kJoinCodeBytesMax) return bad_claim("it is too long");
  std::string flat;
  for (const char c : typed) {
    if (!is_blank(c) && c != '-' && c != '_') flat.push_back(lower(c));
  }
  if (flat.size() == kClaimCharacters + 3 && flat.starts_with("hfc")) flat.erase(0, 3);
  if (flat.size() != kClaimCharacters) {
    return bad_claim("it has 26 characters after hfc_, this has " + std::to_string(flat.size()) +
                     "; is it whole?");
  }
  for (char& c : flat) {
    if (c == 'o') c = '0';
    if (c == 'i' || c == 'l') c = '1';
    if (value_of(c) == 32) return bad_claim("it has only digits and letters, and no u");
  }
  if (check_value(std::string_view(flat).substr(0, kClaimCharacters - 1)) !=
      value_of(flat.back())) {
    return bad_claim("a character is wrong; compare it with the original");
  }
  return std::string(kClaimPrefix) + flat;
}

std::string grouped_claim(std::string_view canonical) {
  std::string out(kClaimPrefix);
  const std::string_view characters = canonical.substr(kClaimPrefix.size());
  for (std::size_t i = 0; i < characters.size(); ++i) {
    const bool group_starts = i % kGroup == 0 && i > 0 && i + 1 < characters.size();
    if (group_starts) out.push_back('-');
    out.push_back(characters[i]);
  }
  return out;
}

Result<std::string> encode_join_code(const JoinCode& code) {
  TRY(check(code));
  wire::CborWriter writer;
  writer.array(kJoinItemsMin).text(code.device).text(code.mqtt);
  writer.bytes(code.ca_fingerprint).text(code.claim);
  std::string out(kCodePrefix);
  out += to_base64url(writer.out());
  if (out.size() > kJoinCodeBytesMax) return bad_code("its addresses are too long");
  return out;
}

Result<JoinCode> parse_join_code(std::string_view text) {
  std::string flat;
  for (const char c : text) {
    if (is_blank(c)) continue;
    if (flat.size() == kJoinCodeBytesMax) return bad_code("it is too long");
    flat.push_back(c);
  }
  if (!flat.starts_with(kCodePrefix)) {
    const bool other = flat.starts_with("hf") && flat.contains('.');
    return bad_code(other ? "it is of another version; use a newer agent"
                          : "it starts with hf1.; copy all of it");
  }
  auto bytes = from_base64url(std::string_view(flat).substr(kCodePrefix.size()));
  if (!bytes) return bad_code("it has a character that is none of its own");
  auto code = read_items(*bytes);
  if (!code && code.error().code != Code::invalid_argument) {
    return bad_code("it is damaged; copy all of it");
  }
  if (code) TRY(check(*code));
  return code;
}

}  // namespace holdfast::est

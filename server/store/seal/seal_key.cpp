#include <algorithm>
#include <cassert>
#include <cctype>

#include "libs/crypto/aead.hpp"
#include "libs/crypto/hash.hpp"
#include "server/store/seal/ring.hpp"

namespace holdfast::seal {

namespace {

constexpr std::string_view kSealMagic = "HFSEAL1 ";
constexpr std::string_view kRecoveryMagic = "HFRECOV1";
constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";  // Crockford base32
constexpr std::size_t kKeyLetters = 52;                                     // 256 bits, 5 a letter
constexpr std::size_t kCheckLetters = 4;  // 20 bits of the key's SHA-256
constexpr std::size_t kFileBytesMax = 4'096;

std::string base32(View bytes, std::size_t letters) {
  std::string out;
  for (std::size_t i = 0; i < letters; ++i) {
    unsigned value = 0;
    for (std::size_t bit = i * 5; bit < i * 5 + 5; ++bit) {
      const bool set = bit / 8 < bytes.size() && ((bytes[bit / 8] >> (7 - bit % 8)) & 1U) != 0;
      value = value * 2 + (set ? 1U : 0U);
    }
    out += kAlphabet[value];
  }
  return out;
}

// What people read as one of the alphabet's letters; -1 for anything else.
int letter_value(char c) {
  char upper = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  if (upper == 'O') upper = '0';
  if (upper == 'I' || upper == 'L') upper = '1';
  const std::size_t at = kAlphabet.find(upper);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

std::string check_letters(View key) {
  return base32(crypto::sha256(key), kCheckLetters);
}

}  // namespace

SecretKey::SecretKey(View bytes) {
  assert(bytes.size() == kKeyBytes);
  std::copy(bytes.begin(), bytes.end(), bytes_.begin());
}

SecretKey::~SecretKey() {
  crypto::wipe(bytes_);
}

Result<SecretKey> load_seal_key(os::Files& files, const std::string& path) {
  auto content = os::read_file(files, path, kFileBytesMax);
  if (!content && content.error().code == Code::not_found) {
    return fail(Code::seal_key_missing,
                "no sealing key at " + path + ": put it back, or restore it with the recovery key");
  }
  if (!content) return std::unexpected(content.error());
  std::string_view text = text_of(*content);
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  auto bytes = text.starts_with(kSealMagic) ? from_hex(text.substr(kSealMagic.size()))
                                            : Result<Bytes>(Bytes{});
  crypto::wipe(*content);
  if (!bytes || bytes->size() != kKeyBytes) {
    return fail(Code::seal_key_wrong, path + " holds no sealing key");
  }
  SecretKey key(*bytes);
  crypto::wipe(*bytes);
  return key;
}

Status store_seal_key(const os::System& system, const std::string& path, const SecretKey& key) {
  if (os::exists(system.files, path)) return fail(Code::already_exists, path + " is there already");
  std::string text = std::string(kSealMagic) + to_hex(key.view()) + "\n";
  // Whole or not there: half a key, after a power cut, would stop every later start.
  Status written = os::replace_file(system.files, path, view_of(text));
  crypto::wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  return written;
}

Result<SecretKey> create_seal_key(const os::System& system, const std::string& path) {
  SecretKey key(system.entropy.bytes(kKeyBytes));
  TRY(store_seal_key(system, path, key));
  return key;
}

std::string recovery_text(const SecretKey& recovery) {
  const std::string letters = base32(recovery.view(), kKeyLetters) + check_letters(recovery.view());
  std::string out;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    if (i > 0 && i % 4 == 0) out += '-';
    out += letters[i];
  }
  return out;
}

Result<SecretKey> parse_recovery(std::string_view text) {
  std::string letters;
  for (const char c : text) {
    if (c == '-' || c == ' ' || c == '\t' || c == '\n' || c == '\r') continue;
    const int value = letter_value(c);
    if (value < 0 || letters.size() == kKeyLetters + kCheckLetters) {
      return fail(Code::invalid_argument, "not a recovery key: 14 groups of 4 letters and digits");
    }
    letters += kAlphabet[static_cast<std::size_t>(value)];
  }
  if (letters.size() != kKeyLetters + kCheckLetters) {
    return fail(Code::invalid_argument, "the recovery key is incomplete: it has 14 groups of 4");
  }
  Bytes key(kKeyBytes);
  unsigned spare = 0;  // the last letter holds one bit of the key and four that are zero
  for (std::size_t bit = 0; bit < kKeyLetters * 5; ++bit) {
    const auto value = static_cast<unsigned>(letter_value(letters[bit / 5]));
    const unsigned set = (value >> (4 - bit % 5)) & 1U;
    if (bit / 8 < key.size()) {
      key[bit / 8] = static_cast<std::uint8_t>(key[bit / 8] | (set << (7 - bit % 8)));
    } else {
      spare |= set;
    }
  }
  const SecretKey parsed(key);
  crypto::wipe(key);
  if (spare != 0 || letters.substr(kKeyLetters) != check_letters(parsed.view())) {
    return fail(Code::invalid_argument,
                "the recovery key has a typing error: its check group does not fit");
  }
  return parsed;
}

Status write_recovery(const os::System& system, const std::string& path, const SecretKey& seal_key,
                      const SecretKey& recovery) {
  Bytes out = bytes_of(kRecoveryMagic);
  const Bytes nonce = system.entropy.bytes(crypto::kAeadNonceBytes);
  const Bytes wrapped =
      TRY(crypto::aead_seal(recovery.view(), nonce, view_of(kRecoveryMagic), seal_key.view()));
  append(out, nonce);
  append(out, wrapped);
  return os::replace_file(system.files, path, out);
}

Result<SecretKey> recover_seal_key(os::Files& files, const std::string& path,
                                   const SecretKey& recovery) {
  const Bytes content = TRY(os::read_file(files, path, kFileBytesMax));
  ByteReader reader(content);
  const View magic = TRY(with_context(reader.take(kRecoveryMagic.size()), path));
  if (text_of(magic) != kRecoveryMagic) return fail(Code::corrupt, path + " is no recovery file");
  const View nonce = TRY(with_context(reader.take(crypto::kAeadNonceBytes), path));
  const View wrapped = TRY(reader.take(reader.left()));
  auto key = crypto::aead_open(recovery.view(), nonce, view_of(kRecoveryMagic), wrapped);
  if (!key || key->size() != kKeyBytes) {
    return fail(Code::seal_key_wrong, "this recovery key does not open " + path);
  }
  SecretKey opened(*key);
  crypto::wipe(*key);
  return opened;
}

}  // namespace holdfast::seal

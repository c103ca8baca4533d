#include "server/store/seal/sealer.hpp"

#include "libs/crypto/aead.hpp"
#include "server/store/seal/ring.hpp"

namespace holdfast::seal {

namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kPrefixBytes = 1 + 8;  // version, key id

// What binds a value to its place; lengths keep ("ab","c") apart from ("a","bc").
Bytes associated(View prefix, const Place& place) {
  Bytes out(prefix.begin(), prefix.end());
  for (const View part : {view_of(place.table), place.row, view_of(place.column)}) {
    store_le(out, static_cast<std::uint32_t>(part.size()));
    append(out, part);
  }
  return out;
}

}  // namespace

Result<Bytes> Sealer::seal(const Place& place, View plain, std::string_view purpose) const {
  const KeyId id = TRY(ring_.current(purpose));
  const SecretKey key = TRY(ring_.get(id));
  Bytes out{kVersion};
  store_le(out, id);
  const Bytes nonce = entropy_.bytes(crypto::kAeadNonceBytes);
  const Bytes sealed = TRY(crypto::aead_seal(key.view(), nonce, associated(out, place), plain));
  append(out, nonce);
  append(out, sealed);
  return out;
}

Result<Bytes> Sealer::open(const Place& place, View sealed) const {
  const std::string where =
      "sealed value of " + std::string(place.table) + "." + std::string(place.column);
  ByteReader reader(sealed);
  const View prefix = TRY(with_context(reader.take(kPrefixBytes), where));
  if (prefix[0] != kVersion) return fail(Code::corrupt, where + " has an unknown version");
  const KeyId id = load_le<KeyId>(prefix.data() + 1);
  const View nonce = TRY(with_context(reader.take(crypto::kAeadNonceBytes), where));
  auto key = ring_.get(id);
  if (!key && key.error().code == Code::not_found) {
    return fail(Code::corrupt, where + ": its key is gone");
  }
  if (!key) return std::unexpected(key.error());
  const View body = TRY(reader.take(reader.left()));
  return with_context(crypto::aead_open(key->view(), nonce, associated(prefix, place), body),
                      where);
}

Result<std::string> Sealer::open_text(const Place& place, View sealed) const {
  const Bytes plain = TRY(open(place, sealed));
  return string_of(plain);
}

}  // namespace holdfast::seal

#include "server/store/seal/ring.hpp"

#include <algorithm>

#include "libs/crypto/aead.hpp"
#include "libs/crypto/hash.hpp"

namespace holdfast::seal {

namespace {

constexpr std::string_view kRingMagic = "HFRING1\n";
constexpr std::size_t kFileIdBytes = 16;
constexpr std::size_t kHeaderBytes = 8 + 8 + 8 + kFileIdBytes;  // without its tag
constexpr std::size_t kWrappedBytes = kKeyBytes + crypto::kAeadTagBytes;
constexpr std::size_t kFrameBytesMax =
    8 + 8 + 2 + kPurposeBytesMax + crypto::kAeadNonceBytes + kWrappedBytes;
constexpr std::size_t kRingBytesMax =
    kHeaderBytes + crypto::kAeadTagBytes + kKeysMax * kFrameBytesMax;
constexpr std::array<std::uint8_t, crypto::kAeadNonceBytes> kZeroNonce{};

Result<SecretKey> wrap_key_of(const SecretKey& seal_key, View file_id) {
  Bytes derived = TRY(crypto::hkdf(crypto::Digest::sha256, seal_key.view(), file_id,
                                   view_of("holdfast ring"), kKeyBytes));
  const SecretKey key(derived);
  crypto::wipe(derived);
  return key;
}

View tail(const Bytes& bytes, std::size_t count) {
  return View(bytes).last(count);
}

// One frame as it lies in the file: what is authenticated, then nonce and wrapped key.
struct RingFrame {
  KeyId id = 0;
  WallTime created;
  std::string purpose;
  View authenticated;
  View nonce;
  View wrapped;
};

Result<RingFrame> read_ring_frame(ByteReader& reader, View file) {
  RingFrame frame;
  const std::size_t start = reader.position();
  frame.id = TRY(reader.le<std::uint64_t>());
  frame.created.us = TRY(reader.le<std::int64_t>());
  const auto length = TRY(reader.le<std::uint16_t>());
  if (length > kPurposeBytesMax)
    return fail(Code::corrupt, "a purpose of the key ring is too long");
  frame.purpose = string_of(TRY(reader.take(length)));
  frame.authenticated = file.subspan(start, reader.position() - start);
  frame.nonce = TRY(reader.take(crypto::kAeadNonceBytes));
  frame.wrapped = TRY(reader.take(kWrappedBytes));
  return frame;
}

Bytes chained(View last_tag, View authenticated) {
  Bytes out(last_tag.begin(), last_tag.end());
  append(out, authenticated);
  return out;
}

}  // namespace

Result<std::unique_ptr<Ring>> Ring::make(const os::System& system, const std::string& path,
                                         const SecretKey& seal_key) {
  if (os::exists(system.files, path)) {
    return fail(Code::already_exists, "there is a key ring at " + path + " already");
  }
  std::unique_ptr<Ring> ring(new Ring(system, path));
  TRY(ring->file_.with([&](File& file) {
    file.seal_key = seal_key;
    return ring->keys_.with([&](Keys& keys) { return ring->write_whole(file, keys); });
  }));
  return ring;
}

Result<std::unique_ptr<Ring>> Ring::open(const os::System& system, const std::string& path,
                                         const SecretKey& seal_key) {
  const Bytes file =
      TRY(with_context(os::read_file(system.files, path, kRingBytesMax), "reading the key ring"));
  std::unique_ptr<Ring> ring(new Ring(system, path));
  TRY(with_context(ring->load(file, seal_key), "opening the key ring " + path));
  if (ring->cut_bytes_ > 0) TRY(os::replace_file(system.files, path + ".damaged", file));
  return ring;
}

Status Ring::load(View bytes, const SecretKey& seal_key) {
  return file_.with([&](File& file) -> Status {
    ByteReader reader(bytes);
    if (bytes.size() < kHeaderBytes + crypto::kAeadTagBytes ||
        text_of(bytes.first(kRingMagic.size())) != kRingMagic) {
      return fail(Code::corrupt, "this is no key ring");
    }
    const View header = TRY(reader.take(kHeaderBytes));
    const View tag = TRY(reader.take(crypto::kAeadTagBytes));
    file.generation = load_le<std::uint64_t>(header.data() + 8);
    file.next = load_le<std::uint64_t>(header.data() + 16);
    file.seal_key = seal_key;
    file.wrap_key = TRY(wrap_key_of(seal_key, header.last(kFileIdBytes)));
    if (!crypto::aead_open(file.wrap_key.view(), kZeroNonce, header, tag)) {
      return fail(Code::seal_key_wrong, "the sealing key does not fit this key ring");
    }
    file.last_tag.assign(tag.begin(), tag.end());
    return keys_.with([&](Keys& keys) { return load_frames(file, keys, bytes); });
  });
}

Status Ring::load_frames(File& file, Keys& keys, View bytes) {
  ByteReader reader(bytes);
  TRY(reader.take(kHeaderBytes + crypto::kAeadTagBytes));
  while (true) {
    file.size = reader.position();
    if (reader.done()) return {};
    const std::size_t left = reader.left();
    auto frame = read_ring_frame(reader, bytes);
    auto opened =
        frame ? crypto::aead_open(file.wrap_key.view(), frame->nonce,
                                  chained(file.last_tag, frame->authenticated), frame->wrapped)
              : Result<Bytes>(std::unexpected(frame.error()));
    if (!opened && left <= kFrameBytesMax) {
      // The last append was cut by a crash; no one was told of its key.
      cut_bytes_ = left;
      file.rewrite = true;
      return {};
    }
    if (!opened)
      return fail(Code::corrupt, "the key ring is damaged at byte " + std::to_string(file.size));
    file.last_tag.assign(frame->wrapped.end() - crypto::kAeadTagBytes, frame->wrapped.end());
    file.next = std::max(file.next, frame->id + 1);
    keys.by_purpose.emplace(frame->purpose, frame->id);
    keys.by_id.insert_or_assign(frame->id, Key{frame->created, frame->purpose, SecretKey(*opened)});
    crypto::wipe(*opened);
  }
}

Result<Bytes> Ring::frame(const SecretKey& wrap_key, View last_tag, KeyId id,
                          const Key& key) const {
  Bytes out;
  store_le(out, id);
  store_le(out, key.created.us);
  store_le(out, static_cast<std::uint16_t>(key.purpose.size()));
  holdfast::append(out, view_of(key.purpose));
  const Bytes nonce = system_.entropy.bytes(crypto::kAeadNonceBytes);
  const Bytes wrapped =
      TRY(crypto::aead_seal(wrap_key.view(), nonce, chained(last_tag, out), key.secret.view()));
  holdfast::append(out, nonce);
  holdfast::append(out, wrapped);
  return out;
}

Result<Ring::Image> Ring::image(const File& file, const Keys& keys) const {
  Image image;
  Bytes& out = image.bytes;
  out = bytes_of(kRingMagic);
  store_le(out, file.generation + 1);
  store_le(out, file.next);
  const Bytes file_id = system_.entropy.bytes(kFileIdBytes);
  holdfast::append(out, file_id);
  image.wrap_key = TRY(wrap_key_of(file.seal_key, file_id));
  image.last_tag = TRY(crypto::aead_seal(image.wrap_key.view(), kZeroNonce, out, {}));
  holdfast::append(out, image.last_tag);
  for (const auto& [id, key] : keys.by_id) {
    const Bytes more = TRY(frame(image.wrap_key, image.last_tag, id, key));
    holdfast::append(out, more);
    const View tag = tail(more, crypto::kAeadTagBytes);
    image.last_tag.assign(tag.begin(), tag.end());
  }
  return image;
}

Status Ring::write_whole(File& file, const Keys& keys) const {
  Image written = TRY(image(file, keys));
  file.rewrite = true;  // until it is known to have worked
  TRY(os::replace_file(system_.files, path_, written.bytes));
  file.rewrite = false;
  file.generation += 1;
  file.wrap_key = written.wrap_key;
  file.last_tag = std::move(written.last_tag);
  file.size = written.bytes.size();
  return {};
}

Status Ring::append(File& file, const Bytes& frames, const Bytes& last_tag) const {
  file.rewrite = true;  // until it is known to have worked
  const auto opened = TRY(system_.files.open(path_, os::Open::write));
  TRY(opened->write_at(file.size, frames));
  TRY(opened->sync());
  file.rewrite = false;
  file.size += frames.size();
  file.last_tag = last_tag;
  return {};
}

Result<std::vector<KeyId>> Ring::create_locked(File& file,
                                               const std::vector<std::string>& purposes) {
  const std::size_t have = keys_.with([](const Keys& keys) { return keys.by_id.size(); });
  if (have + purposes.size() > kKeysMax) {
    return fail(Code::quota_exceeded,
                "the key ring is full: " + std::to_string(kKeysMax) + " keys");
  }
  if (file.rewrite) {
    TRY(keys_.with([&](Keys& keys) { return write_whole(file, keys); }));
  }
  std::vector<std::pair<KeyId, Key>> made;
  Bytes frames;
  Bytes last_tag = file.last_tag;
  KeyId next = file.next;
  for (const std::string& purpose : purposes) {
    if (purpose.size() > kPurposeBytesMax)
      return fail(Code::invalid_argument, "the purpose of a key is too long");
    made.emplace_back(
        next, Key{system_.clock.wall(), purpose, SecretKey(system_.entropy.bytes(kKeyBytes))});
    const Bytes more = TRY(frame(file.wrap_key, last_tag, next, made.back().second));
    holdfast::append(frames, more);
    const View tag = tail(more, crypto::kAeadTagBytes);
    last_tag.assign(tag.begin(), tag.end());
    ++next;
  }
  TRY(append(file, frames, last_tag));
  file.next = next;
  std::vector<KeyId> ids;
  keys_.with([&](Keys& keys) {
    for (auto& [id, key] : made) {
      ids.push_back(id);
      keys.by_purpose.emplace(key.purpose, id);
      keys.by_id.emplace(id, std::move(key));
    }
  });
  return ids;
}

Result<KeyId> Ring::create(std::string_view purpose) {
  const auto ids = TRY(create_all({std::string(purpose)}));
  return ids.front();
}

Result<std::vector<KeyId>> Ring::create_all(const std::vector<std::string>& purposes) {
  if (purposes.empty()) return std::vector<KeyId>{};
  return file_.with([&](File& file) { return create_locked(file, purposes); });
}

Result<SecretKey> Ring::get(KeyId id) const {
  return keys_.with([&](const Keys& keys) -> Result<SecretKey> {
    const auto at = keys.by_id.find(id);
    if (at == keys.by_id.end()) {
      return fail(Code::not_found,
                  "key " + std::to_string(id) + " is not in the ring: what it encrypted is erased");
    }
    return at->second.secret;
  });
}

Status Ring::destroy_all(const std::vector<KeyId>& ids) {
  return file_.with([&](File& file) -> Status {
    Keys left;
    std::size_t gone = 0;
    keys_.with([&](const Keys& keys) { left = keys; });
    for (const KeyId id : ids) {
      const auto at = left.by_id.find(id);
      if (at == left.by_id.end()) continue;
      left.by_purpose.erase({at->second.purpose, id});
      left.by_id.erase(at);
      ++gone;
    }
    // After a failed write the old file may still hold keys that are gone here: write again.
    if (gone == 0 && !file.rewrite) return {};
    TRY(write_whole(file, left));
    keys_.with([&](Keys& keys) { keys = std::move(left); });
    return {};
  });
}

std::vector<KeyInfo> Ring::list(std::string_view purpose_prefix) const {
  return keys_.with([&](const Keys& keys) {
    std::vector<KeyInfo> out;
    for (auto at = keys.by_purpose.lower_bound({std::string(purpose_prefix), 0});
         at != keys.by_purpose.end() && at->first.starts_with(purpose_prefix); ++at) {
      const Key& key = keys.by_id.at(at->second);
      out.push_back({at->second, key.purpose, key.created});
    }
    return out;
  });
}

Result<KeyId> Ring::current(std::string_view purpose) {
  const auto newest = [&](const Keys& keys) -> KeyId {
    const auto after = keys.by_purpose.upper_bound({std::string(purpose), UINT64_MAX});
    if (after == keys.by_purpose.begin()) return 0;
    const auto& [name, id] = *std::prev(after);
    return name == purpose ? id : 0;
  };
  if (const KeyId id = keys_.with(newest); id != 0) return id;
  return file_.with([&](File& file) -> Result<KeyId> {
    // Another caller may have made it meanwhile.
    if (const KeyId id = keys_.with(newest); id != 0) return id;
    const auto ids = TRY(create_locked(file, {std::string(purpose)}));
    return ids.front();
  });
}

Status Ring::rewrap(const SecretKey& seal_key) {
  return file_.with([&](File& file) -> Status {
    File next = file;
    next.seal_key = seal_key;
    const Status written = keys_.with([&](const Keys& keys) { return write_whole(next, keys); });
    if (written) {
      file = next;
    } else {
      file.rewrite = true;
    }
    return written;
  });
}

Result<Bytes> Ring::export_file() {
  return file_.with([&](File& file) -> Result<Bytes> {
    if (file.rewrite) {
      TRY(keys_.with([&](Keys& keys) { return write_whole(file, keys); }));
    }
    return os::read_file(system_.files, path_, kRingBytesMax);
  });
}

std::uint64_t Ring::generation() const {
  return file_.with([](const File& file) { return file.generation; });
}

}  // namespace holdfast::seal

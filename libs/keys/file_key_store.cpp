// Keys in files. Format of one, version 1:
//   8 bytes  "HFKEY1" and two zero bytes
//   8 bytes  which sealing key: the front of SHA-256("holdfast sealing key id" | sealing key)
//   12 bytes nonce
//   the rest PKCS#8 DER under AES-256-GCM; associated data: the first 16 bytes and the key's name,
//            so that no file can be passed off as another
#include "libs/crypto/aead.hpp"
#include "libs/keys/key_names.hpp"
#include "libs/keys/key_store.hpp"

namespace holdfast::keys {
namespace {

constexpr std::string_view kMagic{"HFKEY1\0\0", 8};
constexpr std::string_view kSuffix = ".key";
constexpr std::size_t kIdBytes = 8;
constexpr std::size_t kHeadBytes = 8 + kIdBytes;
constexpr std::size_t kFileBytesMax = 16 * 1024;

Bytes head_for(View sealing_key) {
  Bytes tagged = bytes_of("holdfast sealing key id");
  append(tagged, sealing_key);
  const crypto::Sha256 digest = crypto::sha256(tagged);
  crypto::wipe(tagged);
  Bytes head = bytes_of(kMagic);
  append(head, View(digest).first(kIdBytes));
  return head;
}

class FileKeyStore final : public KeyStore {
 public:
  FileKeyStore(os::Files& files, os::Entropy& entropy, std::string folder, View sealing_key)
      : files_(files),
        entropy_(entropy),
        folder_(std::move(folder)),
        sealing_key_(sealing_key.begin(), sealing_key.end()),
        head_(head_for(sealing_key)) {}

  ~FileKeyStore() override { crypto::wipe(sealing_key_); }

  Result<StoredKey> create(std::string_view name, crypto::KeyAlgorithm algorithm) override {
    TRY(check_key_name(name));
    if (os::exists(files_, path_of(name))) {
      return fail(Code::already_exists, "there is a key \"" + std::string(name) + "\" already");
    }
    auto key = TRY(crypto::PrivateKey::generate(algorithm));
    TRY(put(name, key));
    return StoredKey{std::move(key), Evidence::software};
  }

  Status put(std::string_view name, const crypto::PrivateKey& key) override {
    TRY(check_key_name(name));
    Bytes plain = TRY(key.pkcs8_der());
    Bytes file = head_;
    const Bytes nonce = entropy_.bytes(crypto::kAeadNonceBytes);
    append(file, nonce);
    auto sealed = crypto::aead_seal(sealing_key_, nonce, associated(name), plain);
    crypto::wipe(plain);
    append(file, TRY(std::move(sealed)));
    return os::replace_file(files_, path_of(name), file);
  }

  Result<StoredKey> load(std::string_view name) override {
    TRY(check_key_name(name));
    const Bytes file = TRY(os::read_file(files_, path_of(name), kFileBytesMax));
    const View all(file);
    if (all.size() < kHeadBytes + crypto::kAeadNonceBytes || !text_of(all).starts_with(kMagic)) {
      return damaged(name);
    }
    if (!std::equal(head_.begin(), head_.end(), all.begin())) {
      return fail(Code::seal_key_wrong,
                  "the key \"" + std::string(name) + "\" was sealed under another sealing key");
    }
    const View nonce = all.subspan(kHeadBytes, crypto::kAeadNonceBytes);
    auto plain = crypto::aead_open(sealing_key_, nonce, associated(name),
                                   all.subspan(kHeadBytes + crypto::kAeadNonceBytes));
    if (!plain) return damaged(name);
    auto key = crypto::PrivateKey::from_pkcs8(*plain);
    crypto::wipe(*plain);
    if (!key) return damaged(name);
    return StoredKey{*std::move(key), Evidence::software};
  }

  // The name is sealed in, so this writes anew. A crash between leaves both, which is harmless.
  Status rename(std::string_view from, std::string_view to) override {
    TRY(put(to, TRY(load(from)).key));
    if (from == to) return {};
    return remove(from);
  }

  Status remove(std::string_view name) override {
    TRY(check_key_name(name));
    TRY(files_.remove(path_of(name)));
    return files_.sync_dir(folder_);
  }

  Result<std::vector<std::string>> list() override {
    std::vector<std::string> names;
    for (const os::Entry& entry : TRY(files_.list(folder_))) {
      if (entry.folder || !entry.name.ends_with(kSuffix)) continue;
      std::string name = entry.name.substr(0, entry.name.size() - kSuffix.size());
      if (check_key_name(name)) names.push_back(std::move(name));
    }
    return names;
  }

 private:
  std::string path_of(std::string_view name) const {
    return os::join(folder_, std::string(name) + std::string(kSuffix));
  }
  Bytes associated(std::string_view name) const {
    Bytes out = head_;
    append(out, view_of(name));
    return out;
  }
  static std::unexpected<Error> damaged(std::string_view name) {
    return fail(Code::corrupt, "the file of the key \"" + std::string(name) + "\" is damaged");
  }

  os::Files& files_;
  os::Entropy& entropy_;
  const std::string folder_;
  Bytes sealing_key_;
  const Bytes head_;
};

}  // namespace

Result<std::unique_ptr<KeyStore>> make_file_key_store(os::Files& files, os::Entropy& entropy,
                                                      std::string folder, View sealing_key32) {
  if (sealing_key32.size() != crypto::kAeadKeyBytes) {
    return fail(Code::invalid_argument, "a sealing key has 32 bytes");
  }
  if (!os::exists(files, folder)) {
    TRY(files.make_folder(folder));
    // Else a power cut could take the folder with the keys that were synced inside it.
    TRY(files.sync_dir(os::folder_of(folder)));
  }
  return std::make_unique<FileKeyStore>(files, entropy, std::move(folder), sealing_key32);
}

Result<Bytes> load_or_make_sealing_key(os::Files& files, os::Entropy& entropy,
                                       const std::string& path) {
  auto found = os::read_file(files, path, 2 * crypto::kAeadKeyBytes);
  if (found) {
    if (found->size() == crypto::kAeadKeyBytes) return found;
    return fail(Code::seal_key_wrong, "\"" + path + "\" is no sealing key: it has " +
                                          std::to_string(found->size()) + " bytes instead of 32");
  }
  if (found.error().code != Code::not_found) return found;
  Bytes made = entropy.bytes(crypto::kAeadKeyBytes);
  TRY(os::replace_file(files, path, made));
  return made;
}

}  // namespace holdfast::keys

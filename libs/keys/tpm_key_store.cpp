#include "libs/keys/tpm_key_store.hpp"

#include <algorithm>

#include "libs/crypto/outside_key.hpp"
#include "libs/keys/key_names.hpp"

namespace holdfast::keys {
namespace {

constexpr std::string_view kTpmMagic{"HFTPM1\0\0", 8};
constexpr std::string_view kSealedMagic = "HFTSEAL1";
constexpr std::string_view kTpmSuffix = ".tpm";
constexpr std::size_t kTpmFileBytesMax = 8 * 1024;

Bytes file_of(std::string_view magic, const TpmDevice::Blob& blob) {
  Bytes out = bytes_of(magic);
  append(out, blob.public_area);
  append(out, blob.private_area);
  return out;
}

Result<Bytes> sized_part(ByteReader& from) {
  const View head = TRY(from.take(2));
  const std::size_t size = load_be<std::uint16_t>(head.data());
  Bytes out(head.begin(), head.end());
  append(out, TRY(from.take(size)));
  return out;
}

Result<TpmDevice::Blob> blob_of(std::string_view magic, View file, std::string_view what) {
  const auto damaged = [&] { return fail(Code::corrupt, std::string(what) + " is damaged"); };
  if (!text_of(file).starts_with(magic)) return damaged();
  ByteReader reader(file.subspan(magic.size()));
  auto public_area = sized_part(reader);
  auto private_area = sized_part(reader);
  if (!public_area || !private_area || !reader.done()) return damaged();
  return TpmDevice::Blob{*std::move(public_area), *std::move(private_area)};
}

class TpmSigner final : public crypto::OutsideSigner {
 public:
  TpmSigner(std::shared_ptr<TpmDevice> device, TpmDevice::Blob blob)
      : device_(std::move(device)), blob_(std::move(blob)) {}
  Result<Bytes> sign_digest(View digest) override { return device_->sign(blob_, digest); }

 private:
  const std::shared_ptr<TpmDevice> device_;
  const TpmDevice::Blob blob_;
};

class TpmStore final : public TpmKeyStore {
 public:
  TpmStore(os::Files& files, std::string folder, std::shared_ptr<TpmDevice> device)
      : files_(files), folder_(std::move(folder)), device_(std::move(device)) {}

  Result<StoredKey> create(std::string_view name, crypto::KeyAlgorithm algorithm) override {
    TRY(check_key_name(name));
    if (os::exists(files_, path_of(name))) {
      return fail(Code::already_exists, "there is a key \"" + std::string(name) + "\" already");
    }
    const auto blob = TRY(device_->create_key(algorithm));
    TRY(os::replace_file(files_, path_of(name), file_of(kTpmMagic, blob)));
    return key_of_blob(blob);
  }

  Status put(std::string_view, const crypto::PrivateKey&) override {
    return fail(Code::unsupported, "keys of a TPM are born in it");
  }

  // Only a signature tells whether this TPM can load the blob; loading is cheap beside what
  // follows.
  Result<StoredKey> load(std::string_view name) override {
    const auto blob = TRY(read_blob(name));
    auto key = TRY(key_of_blob(blob));
    TRY(with_context(device_->sign(blob, crypto::sha256(view_of("holdfast key check"))),
                     "key \"" + std::string(name) + "\""));
    return key;
  }

  Status rename(std::string_view from, std::string_view to) override {
    TRY(check_key_name(from));
    TRY(check_key_name(to));
    TRY(files_.rename(path_of(from), path_of(to)));
    return files_.sync_dir(folder_);
  }

  Status remove(std::string_view name) override {
    TRY(check_key_name(name));
    TRY(files_.remove(path_of(name)));
    return files_.sync_dir(folder_);
  }

  Result<std::vector<std::string>> list() override {
    std::vector<std::string> out;
    for (const auto& entry : TRY(files_.list(folder_))) {
      if (!entry.name.ends_with(kTpmSuffix)) continue;
      std::string name = entry.name.substr(0, entry.name.size() - kTpmSuffix.size());
      if (check_key_name(name)) out.push_back(std::move(name));
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  Result<Certified> certify(std::string_view name, View nonce) override {
    const auto blob = TRY(read_blob(name));
    return Certified{blob.public_area, TRY(device_->certify(blob, nonce))};
  }
  const std::shared_ptr<TpmDevice>& device() const override { return device_; }

 private:
  std::string path_of(std::string_view name) const {
    return os::join(folder_, std::string(name) + std::string(kTpmSuffix));
  }
  Result<TpmDevice::Blob> read_blob(std::string_view name) {
    TRY(check_key_name(name));
    const Bytes file = TRY(os::read_file(files_, path_of(name), kTpmFileBytesMax));
    return blob_of(kTpmMagic, file, "key \"" + std::string(name) + "\"");
  }
  Result<StoredKey> key_of_blob(const TpmDevice::Blob& blob) {
    const auto area = tpm::parse_public(blob.public_area);
    if (!area) return fail(Code::corrupt, area.error().message);
    const auto key = TRY(tpm::key_of(*area));
    return StoredKey{TRY(crypto::make_outside_key(key, std::make_shared<TpmSigner>(device_, blob))),
                     Evidence::tpm};
  }

  os::Files& files_;
  const std::string folder_;
  const std::shared_ptr<TpmDevice> device_;
};

}  // namespace

Result<std::unique_ptr<TpmKeyStore>> make_tpm_key_store(os::Files& files, std::string folder,
                                                        std::shared_ptr<TpmDevice> device) {
  TRY(files.make_folder(folder));
  return std::unique_ptr<TpmKeyStore>(new TpmStore(files, std::move(folder), std::move(device)));
}

bool is_tpm_sealed(View file) {
  return text_of(file).starts_with(kSealedMagic);
}

Result<Bytes> load_or_make_tpm_sealed(os::Files& files, os::Entropy& entropy, TpmDevice& device,
                                      const std::string& path, std::size_t size) {
  const auto file = os::read_file(files, path, kTpmFileBytesMax);
  if (file) {
    Bytes secret = TRY(with_context(device.unseal(TRY(blob_of(kSealedMagic, *file, path))), path));
    if (secret.size() == size) return secret;
    return fail(Code::corrupt, path + " holds a secret of another size");
  }
  if (file.error().code != Code::not_found) return std::unexpected(file.error());
  Bytes secret = entropy.bytes(size);
  const auto blob = TRY(device.seal(secret));
  TRY(os::replace_file(files, path, file_of(kSealedMagic, blob)));
  return secret;
}

}  // namespace holdfast::keys

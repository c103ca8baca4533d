#include "agent/join/key_choice.hpp"

#include <algorithm>

namespace holdfast::agent {
namespace {

// New keys are made in `first`; what is asked for by name is looked for there, then in `second`.
class TwoStores final : public keys::KeyStore {
 public:
  TwoStores(std::unique_ptr<KeyStore> first, std::unique_ptr<KeyStore> second)
      : first_(std::move(first)), second_(std::move(second)) {}

  Result<keys::StoredKey> create(std::string_view name, crypto::KeyAlgorithm algorithm) override {
    return first_->create(name, algorithm);
  }
  Status put(std::string_view name, const crypto::PrivateKey& key) override {
    return second_->put(name, key);
  }
  Result<keys::StoredKey> load(std::string_view name) override {
    auto found = first_->load(name);
    if (found || found.error().code != Code::not_found) return found;
    return second_->load(name);
  }
  Status rename(std::string_view from, std::string_view to) override {
    const Status done = first_->rename(from, to);
    if (done || done.error().code != Code::not_found) return done;
    return second_->rename(from, to);
  }
  Status remove(std::string_view name) override {
    const Status done = first_->remove(name);
    if (done || done.error().code != Code::not_found) return done;
    return second_->remove(name);
  }
  Result<std::vector<std::string>> list() override {
    auto out = TRY(first_->list());
    for (auto& name : TRY(second_->list())) out.push_back(std::move(name));
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
  }

 private:
  std::unique_ptr<KeyStore> first_, second_;
};

}  // namespace

Result<Hardware> find_hardware(const os::System& system, const KeyOptions& options) {
  using Store = KeyOptions::Store;
  Hardware out;
  if (options.store == Store::file) {
    out.why = "in files, as the settings say";
    return out;
  }
  if (options.store != Store::token) {
    auto tpm = keys::open_tpm(options.tcti);
    if (tpm) {
      out.tpm = *std::move(tpm);
      out.why = "in the TPM at " + options.tcti;
      return out;
    }
    if (options.store == Store::tpm) return std::unexpected(tpm.error());
    out.why = "no TPM (" + tpm.error().message + ")";
  }
  if (options.store == Store::token || !options.token.module.empty()) {
    auto token = keys::open_token(system.files, system.entropy, options.token);
    if (token) {
      out.token = *std::move(token);
      out.why =
          "in the token \"" + options.token.token + "\"" + (out.why.empty() ? "" : ": " + out.why);
      return out;
    }
    if (options.store == Store::token) return std::unexpected(token.error());
    out.why += ", no token (" + token.error().message + ")";
  }
  out.why = "in files: " + out.why;
  return out;
}

Result<ChosenKeys> choose_keys(const os::System& system, Hardware hardware,
                               const std::string& folder, std::unique_ptr<keys::KeyStore> files) {
  ChosenKeys out;
  if (hardware.tpm) {
    auto tpm = TRY(keys::make_tpm_key_store(system.files, folder, hardware.tpm));
    out.tpm = tpm.get();
    out.all = std::make_unique<TwoStores>(std::move(tpm), std::move(files));
  } else if (hardware.token) {
    out.all = std::make_unique<TwoStores>(std::move(hardware.token), std::move(files));
  } else {
    out.all = std::move(files);
  }
  return out;
}

}  // namespace holdfast::agent

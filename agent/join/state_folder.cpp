#include "agent/join/state_folder.hpp"

#include <algorithm>

#include "libs/crypto/aead.hpp"
#include "libs/crypto/csr.hpp"
#include "libs/crypto/hash.hpp"

namespace holdfast::agent {
namespace {

constexpr std::string_view kIdentityFile = "identity.json";
constexpr std::string_view kErasingFile = "erasing";

Result<Bytes> base64_member(const wire::JsonObject& object, std::string_view key) {
  return from_base64(TRY(wire::get_string(object, key)));
}

wire::JsonObject json_of(const Certified& certified) {
  return {{"key", certified.key_name}, {"certificate", to_base64(certified.certificate_der)}};
}

Result<Certified> certified_of(const wire::JsonObject& object) {
  return Certified{TRY(wire::get_string(object, "key")), TRY(base64_member(object, "certificate"))};
}

Result<Identity> identity_of(const wire::Json& json) {
  const auto& object = *TRY(wire::as_object(json));
  Identity out;
  out.device_id = TRY(wire::get_string(object, "device_id"));
  out.device = TRY(wire::get_string(object, "device"));
  out.mqtt = TRY(wire::get_string(object, "mqtt"));
  out.root_der = TRY(base64_member(object, "root"));
  out.join_digest = TRY(wire::get_string(object, "join_digest"));
  out.current = TRY(certified_of(*TRY(wire::get_object(object, "current"))));
  if (const auto* next = TRY(wire::find_object(object, "next")))
    out.next = TRY(certified_of(*next));
  out.renew_at = WallTime{TRY(wire::get_int(object, "renew_at_us"))};
  return out;
}

Error damaged(Error error, const std::string& path) {
  error.code = Code::corrupt;
  error.message = path + " is damaged: " + error.message + "; remove it and join again";
  return error;
}

Result<std::optional<wire::Json>> load_json(os::Files& files, const std::string& file) {
  auto bytes = os::read_file(files, file, StateFolder::kFileBytesMax);
  if (!bytes && bytes.error().code == Code::not_found) return std::nullopt;
  if (!bytes) return std::unexpected(bytes.error());
  auto json = wire::parse_json(*bytes);
  if (!json) return std::unexpected(damaged(json.error(), file));
  return *std::move(json);
}

// A folder that began without a TPM keeps its plain sealing key; one that began with it needs that
// TPM.
Result<Bytes> load_seal(const os::System& system, const Hardware& hardware,
                        const std::string& path) {
  const auto file = os::read_file(system.files, path, 64 * 1024);
  const bool sealed = file && keys::is_tpm_sealed(*file);
  if (hardware.tpm && (sealed || !file)) {
    return keys::load_or_make_tpm_sealed(system.files, system.entropy, *hardware.tpm, path,
                                         crypto::kAeadKeyBytes);
  }
  if (sealed)
    return fail(Code::key_store_unavailable, path + " is sealed to a TPM: " + hardware.why);
  return keys::load_or_make_sealing_key(system.files, system.entropy, path);
}

}  // namespace

Result<std::unique_ptr<StateFolder>> StateFolder::open(os::System system, std::string folder,
                                                       std::string seal_path,
                                                       const KeyOptions& options) {
  TRY(with_context(system.files.make_folder(folder), "making the state folder"));
  if (seal_path.empty()) seal_path = folder + ".seal";
  auto hardware = TRY(with_context(find_hardware(system, options), "looking for the key store"));
  std::string where = hardware.why;
  Bytes key = TRY(with_context(load_seal(system, hardware, seal_path), "sealing key"));
  const std::string key_folder = os::join(folder, "keys");
  TRY(system.files.make_folder(key_folder));
  TRY(system.files.sync_dir(folder));
  auto files = TRY(keys::make_file_key_store(system.files, system.entropy, key_folder, key));
  auto chosen = TRY(choose_keys(system, std::move(hardware), key_folder, std::move(files)));
  return std::unique_ptr<StateFolder>(new StateFolder(system, std::move(folder),
                                                      std::move(seal_path), std::move(key),
                                                      std::move(chosen), std::move(where)));
}

StateFolder::StateFolder(os::System system, std::string folder, std::string seal_path,
                         Bytes sealing_key, ChosenKeys keys, std::string keys_where)
    : system_(system),
      folder_(std::move(folder)),
      seal_path_(std::move(seal_path)),
      sealing_key_(std::move(sealing_key)),
      keys_(std::move(keys.all)),
      tpm_(keys.tpm),
      keys_where_(std::move(keys_where)) {}

bool StateFolder::in_tpm(const std::string& key_name) const {
  return tpm_ != nullptr && os::exists(system_.files, os::join(path("keys"), key_name + ".tpm"));
}

StateFolder::~StateFolder() {
  crypto::wipe(sealing_key_);
}

Result<std::optional<Identity>> StateFolder::read_identity(os::Files& files,
                                                           const std::string& folder) {
  const std::string file = os::join(folder, kIdentityFile);
  const auto json = TRY(load_json(files, file));
  if (!json) return std::nullopt;
  auto identity = identity_of(*json);
  if (!identity) return std::unexpected(damaged(identity.error(), file));
  return *std::move(identity);
}

Status StateFolder::save(const Identity& identity) {
  wire::JsonObject object{{"device_id", identity.device_id},
                          {"device", identity.device},
                          {"mqtt", identity.mqtt},
                          {"root", to_base64(identity.root_der)},
                          {"join_digest", identity.join_digest},
                          {"current", json_of(identity.current)},
                          {"renew_at_us", identity.renew_at.us}};
  if (identity.next) object["next"] = json_of(*identity.next);
  return os::replace_file(system_.files, path(kIdentityFile),
                          view_of(wire::json_pretty(object) + "\n"));
}

Result<crypto::Credential> StateFolder::credential(const Certified& certified) const {
  return crypto::Credential{{certified.certificate_der}, TRY(keys_->load(certified.key_name)).key};
}

Result<std::optional<PendingRequest>> StateFolder::load_request(const std::string& purpose) const {
  const auto json = TRY(load_json(system_.files, path(purpose + ".json")));
  if (!json) return std::nullopt;
  const auto& object = *TRY(wire::as_object(*json));
  PendingRequest out{TRY(wire::get_string(object, "key")), TRY(base64_member(object, "csr"))};
  // A key that is gone makes the request worthless: a new one is made.
  if (!keys_->load(out.key_name)) return std::nullopt;
  return out;
}

Result<PendingRequest> StateFolder::request(const std::string& purpose,
                                            const std::string& common_name) {
  if (auto pending = TRY(load_request(purpose))) return *std::move(pending);
  PendingRequest out;
  out.key_name = "device-" + to_hex(system_.entropy.bytes(8));
  const auto key = TRY(keys_->create(out.key_name, crypto::KeyAlgorithm::p256));
  crypto::CsrSpec spec;
  spec.common_name = common_name.substr(0, 64);
  out.csr_der = TRY(crypto::make_csr(spec, key.key));
  const wire::JsonObject object{{"key", out.key_name}, {"csr", to_base64(out.csr_der)}};
  TRY(os::replace_file(system_.files, path(purpose + ".json"), view_of(wire::json_text(object))));
  return out;
}

Status StateFolder::forget_request(const std::string& purpose) {
  const auto removed = system_.files.remove(path(purpose + ".json"));
  if (!removed && removed.error().code != Code::not_found) return removed;
  return system_.files.sync_dir(folder_);
}

Status StateFolder::drop_unused_keys() {
  std::vector<std::string> used;
  if (const auto known = TRY(identity())) {
    used.push_back(known->current.key_name);
    if (known->next) used.push_back(known->next->key_name);
  }
  for (const char* purpose : {"join", "renewal"}) {
    if (const auto pending = TRY(load_request(purpose))) used.push_back(pending->key_name);
  }
  for (const auto& name : TRY(keys_->list())) {
    if (std::ranges::find(used, name) == used.end()) TRY(keys_->remove(name));
  }
  return {};
}

Status StateFolder::erase_data() {
  for (const auto& entry : TRY(system_.files.list(folder_))) {
    const std::string at = path(entry.name);
    if (entry.folder && entry.name != "keys") TRY(os::remove_tree(system_.files, at));
    const bool kept = entry.name == kIdentityFile || entry.name == "lock" || entry.folder;
    if (!kept) TRY(system_.files.remove(at));
  }
  TRY(system_.files.sync_dir(folder_));
  return drop_unused_keys();
}

bool StateFolder::erasing(os::Files& files, const std::string& folder) {
  return os::exists(files, os::join(folder, kErasingFile));
}

Status StateFolder::erase_identity() {
  TRY(os::replace_file(system_.files, path(kErasingFile), View()));
  for (const auto& name : TRY(keys_->list())) TRY(keys_->remove(name));
  const auto forget = [&](const std::string& file) -> Status {
    const auto removed = system_.files.remove(file);
    return !removed && removed.error().code != Code::not_found ? removed : Status();
  };
  TRY(forget(seal_path_));
  TRY(forget(path(kIdentityFile)));
  TRY(system_.files.sync_dir(folder_));
  TRY(forget(path(kErasingFile)));
  return system_.files.sync_dir(folder_);
}

Result<Bytes> StateFolder::derive_key(std::string_view use) const {
  return crypto::hkdf(crypto::Digest::sha256, sealing_key_, {}, view_of(use),
                      crypto::kAeadKeyBytes);
}

Result<std::optional<Bytes>> StateFolder::load_sealed(const std::string& name) const {
  const std::string file = path(name + ".sealed");
  auto bytes = os::read_file(system_.files, file, kFileBytesMax);
  if (!bytes && bytes.error().code == Code::not_found) return std::nullopt;
  if (!bytes) return std::unexpected(bytes.error());
  if (bytes->size() < crypto::kAeadNonceBytes) return fail(Code::corrupt, file + " is too short");
  const View all(*bytes);
  Bytes key = TRY(derive_key("holdfast agent state"));
  auto plain = crypto::aead_open(key, all.first(crypto::kAeadNonceBytes), view_of(name),
                                 all.subspan(crypto::kAeadNonceBytes));
  crypto::wipe(key);
  return with_context(std::move(plain), "opening " + file);
}

Status StateFolder::save_sealed(const std::string& name, View content) {
  Bytes out = system_.entropy.bytes(crypto::kAeadNonceBytes);
  Bytes key = TRY(derive_key("holdfast agent state"));
  const auto sealed = crypto::aead_seal(key, out, view_of(name), content);
  crypto::wipe(key);
  if (!sealed) return std::unexpected(sealed.error());
  append(out, *sealed);
  return os::replace_file(system_.files, path(name + ".sealed"), out);
}

}  // namespace holdfast::agent

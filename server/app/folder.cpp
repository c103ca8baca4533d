#include "server/app/folder.hpp"

#include "server/core/settings.hpp"

namespace holdfast::app {
namespace {

std::string trimmed(std::string folder) {
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  return folder;
}

Result<seal::SecretKey> first_seal_key(const os::System& system, const std::string& seal_path,
                                       const std::string& data, const Log& log) {
  // A start that was cut short may have left the key, and perhaps not its recovery: made anew,
  // because nothing was sealed yet. Whoever brings a key of his own has one too.
  const auto key = os::exists(system.files, seal_path)
                       ? TRY(seal::load_seal_key(system.files, seal_path))
                       : TRY(seal::create_seal_key(system, seal_path));
  const seal::SecretKey recovery(system.entropy.bytes(seal::kKeyBytes));
  TRY(seal::write_recovery(system, os::join(data, "recovery.sealed"), key, recovery));
  const std::string note =
      "Recovery key of this Holdfast server. Write it down, keep it apart, and remove this "
      "file.\n" +
      seal::recovery_text(recovery) + "\n";
  TRY(os::replace_file(system.files, recovery_note(data), view_of(note)));
  log.info("a recovery key was made: write it down and remove its file",
           {{"file", recovery_note(data)}});
  return key;
}

// A restored folder without its sealing key: the recovery key that someone put into
// `<data>.recovery` (the last line that is one) opens the copy in the folder.
Result<seal::SecretKey> recovered_seal_key(const os::System& system, const std::string& seal_path,
                                           const std::string& data, const Log& log) {
  const auto missing = [&](std::string_view why) {
    return fail(Code::seal_key_missing,
                "the sealing key " + seal_path + " is not there" + std::string(why) +
                    ": put it back, or write the recovery key into " + recovery_note(data));
  };
  const auto note = os::read_file(system.files, recovery_note(data), 4096);
  if (!note) return missing("");
  std::string_view rest = text_of(*note);
  std::optional<seal::SecretKey> recovery;
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    if (auto parsed = seal::parse_recovery(line)) recovery = *parsed;
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  }
  if (!recovery) return missing(", and " + recovery_note(data) + " holds no recovery key");
  const auto key =
      TRY(seal::recover_seal_key(system.files, os::join(data, "recovery.sealed"), *recovery));
  TRY(seal::store_seal_key(system, seal_path, key));
  log.info("the sealing key was recovered; remove the file with the recovery key",
           {{"file", recovery_note(data)}});
  return key;
}

}  // namespace

std::string database_path(std::string_view data) {
  return os::join(data, "holdfast.db");
}
std::string recovery_note(std::string_view data) {
  return std::string(data) + ".recovery";
}

Result<Folder> open_folder(const os::System& system, const config::Config& config, const Log& log) {
  Folder folder;
  folder.data = trimmed(config.text("data"));
  TRY(with_context(system.files.make_folder(folder.data), "making the data folder " + folder.data));
  const std::string seal_path = core::seal_file(config);
  const std::string ring_path = core::ring_file(config);
  const bool used = os::exists(system.files, os::join(folder.data, "ca/root.pem"));
  const bool ringed = os::exists(system.files, ring_path);
  if (used && !ringed) {
    return fail(Code::seal_key_missing,
                "the key ring " + ring_path + " is not there: restore it from its backup");
  }
  const bool keyed = os::exists(system.files, seal_path);
  const auto key = !ringed  ? TRY(first_seal_key(system, seal_path, folder.data, log))
                   : !keyed ? TRY(recovered_seal_key(system, seal_path, folder.data, log))
                            : TRY(seal::load_seal_key(system.files, seal_path));
  folder.ring = ringed ? TRY(seal::Ring::open(system, ring_path, key))
                       : TRY(seal::Ring::make(system, ring_path, key));
  return folder;
}

}  // namespace holdfast::app

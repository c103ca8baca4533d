#include "agent/doctor/status.hpp"

#include "agent/join/state_folder.hpp"
#include "libs/crypto/evidence.hpp"

namespace holdfast::agent {
namespace {

std::uint64_t bytes_in(os::Files& files, const std::string& folder) {
  std::uint64_t total = 0;
  const auto entries = files.list(folder);
  if (!entries) return 0;
  for (const auto& entry : *entries) total += entry.size;
  return total;
}

}  // namespace

Result<std::string> status_text(os::System system, const std::string& folder) {
  const auto identity = TRY(StateFolder::read_identity(system.files, folder));
  if (!identity) {
    return "not joined\n  to join: holdfast-agent join - --state " + folder + "\n";
  }
  const auto leaf = TRY(crypto::parse_certificate(identity->current.certificate_der));
  std::string out = "device       " + identity->device_id + "\n";
  out += "server       " + identity->mqtt + " (MQTT), " + identity->device + " (HTTPS)\n";
  out += "certificate  until " + to_rfc3339(leaf.not_after) + ", renewal from " +
         to_rfc3339(identity->renew_at) + (identity->next ? ", renewed, not yet used" : "") + "\n";
  const bool hardware = os::exists(
      system.files, os::join(os::join(folder, "keys"), identity->current.key_name + ".tpm"));
  const auto evidence = crypto::evidence_of(leaf);
  out += std::string("key          ") + (hardware ? "in the TPM" : "in a file or a token") +
         (evidence && !evidence->empty() ? ", certified as " + *evidence : "") + "\n";
  const auto status = os::read_file(system.files, os::join(folder, "status.json"), 4096);
  const auto json = status ? wire::parse_json(*status) : Result<wire::Json>(wire::Json());
  if (const auto* object = json ? json->if_object() : nullptr) {
    const auto connected = wire::get_bool(*object, "connected");
    const auto since = wire::get_string(*object, "since");
    if (connected && since) {
      out += std::string("connection   ") + (*connected ? "up" : "down") + " since " + *since +
             ", when the agent last said so\n";
    }
  }
  out += "spool        " + std::to_string(bytes_in(system.files, os::join(folder, "spool"))) +
         " bytes on disk\n";
  return out;
}

}  // namespace holdfast::agent

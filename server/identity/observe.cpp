// What admissions and enrolments tell about identities; part of Registrar.
#include "libs/crypto/hash.hpp"
#include "server/core/peer.hpp"
#include "server/identity/registrar.hpp"

namespace holdfast::identity {
namespace {

// Refusals of somebody who proves nothing; the others are of a device that is known.
bool of_a_stranger(Code code) {
  return code == Code::claim_unknown || code == Code::certificate_invalid || code == Code::device_unknown;
}

}  // namespace

Result<Waited> Registrar::enrol_unknown(View csr_der, std::string_view peer_address) {
  auto answer = approvals_.enrol(csr_der, peer_address);
  if (!answer && answer.error().code == Code::conflict) {
    if (const auto csr = crypto::parse_csr(csr_der)) note_key_reuse(csr->key, core::host_of(peer_address));
  }
  return answer;
}

void Registrar::observe(const Result<Admission>& admission, const Shown& shown, const std::string& host) {
  const MonoTime now = store_.clock().mono();
  if (admission) {
    const auto addresses = sightings_.spoke(shown.serial, host, now);
    if (addresses.empty()) return;
    wire::JsonArray list;
    for (const std::string& address : addresses) list.emplace_back(address);
    return findings_.raise({FindingKind::certificate_in_two_places, shown.serial, admission->device, "error",
                            "one certificate speaks from two places in turn: its key was copied",
                            {{"serial", shown.serial}, {"addresses", std::move(list)}}, {}, {}, 0, {}, {}});
  }
  const Code code = admission.error().code;
  const wire::JsonObject evidence{{"serial", shown.serial}, {"address", host}, {"code", row_of(code).name}};
  if (!shown.serial.empty() && !shown.ours && code == Code::certificate_invalid) {
    findings_.raise({FindingKind::unknown_certificate, shown.serial, std::nullopt, "error",
                     "a certificate of this CA that is not on record: restored from an older backup, or its key is out",
                     evidence, {}, {}, 0, {}, {}});
  }
  if (of_a_stranger(code)) {
    if (const std::size_t count = sightings_.failed("source " + host, kFailuresOfSource, now); count != 0) {
      wire::JsonObject more = evidence;
      more["failures"] = count;
      findings_.raise({FindingKind::failures_by_source, host, std::nullopt, "warning",
                       "many refused proofs of identity from one address", std::move(more), {}, {}, 0, {}, {}});
    }
  } else if (shown.device) {
    if (const std::size_t count = sightings_.failed(shown.device->text(), kFailuresOfDevice, now); count != 0) {
      wire::JsonObject more = evidence;
      more["failures"] = count;
      findings_.raise({FindingKind::failures_by_device, shown.device->text(), shown.device, "warning",
                       "a device that may not come in keeps trying", std::move(more), {}, {}, 0, {}, {}});
    }
  }
}

void Registrar::note_key_reuse(const crypto::PublicKey& key, const std::string& host) {
  const auto hash = crypto::sha256(key.spki_der());
  std::optional<DeviceId> holder;
  const Status read = store_.read([&](sql::Tx& tx) -> Status {
    holder = TRY(find_holder(tx, hash));
    return {};
  });
  if (!read || !holder) return;
  findings_.raise({FindingKind::key_reuse, to_hex(hash), holder, "error",
                   "the key of this device asked to be another device: it was copied, or an image carries it",
                   {{"key_sha256", to_hex(hash)}, {"address", host}}, {}, {}, 0, {}, {}});
}

}  // namespace holdfast::identity

// Approvals: devices that come without a claim wait here (EST answers 202) until an operator decides, or a
// registration made beforehand lets them in: by serial, by a pattern of serials, or by the hash of their key.
// What is decided is the key that asked: a serial alone proves nothing, so it only opens the door for the first
// key that names it. A refusal is a state, not a memory: approved later, the next question gets the certificate.
//
// The evidence class of what is let in here is `software`.
// Threads: any; calls block on SQL.
#pragma once

#include <atomic>
#include <functional>

#include "libs/base/metrics.hpp"
#include "libs/crypto/csr.hpp"
#include "server/devices/service.hpp"
#include "server/identity/attempts.hpp"
#include "server/identity/service.hpp"
#include "server/identity/tables.hpp"

namespace holdfast::identity {

inline constexpr std::int64_t kWaitingMax = 10'000;  // devices that wait at once
inline constexpr std::size_t kRegistrationRowsMax = 10'000;
inline constexpr Duration kAskAgain = seconds(60);

enum class RequestState { waiting, approved, refused };
inline constexpr std::array kRequestStates{RequestState::waiting, RequestState::approved, RequestState::refused};
std::string_view name_of(RequestState state);
std::optional<RequestState> request_state_named(std::string_view name);

// What a device gets when it is let in.
struct Place {
  std::string name;
  std::optional<TypeId> type;
  std::optional<SiteId> site;
  devices::Tags tags;
};

struct EnrolmentRequest {
  Bytes key_hash;  // SHA-256 of its SubjectPublicKeyInfo: what the request is known by
  RequestState state = RequestState::waiting;
  std::string serial, name;  // as the CSR says; nothing proves them
  std::string key_algorithm;
  std::string address;
  WallTime first_at, last_at;
  std::int64_t asked = 0;
  Place place;  // once approved
  std::string decided_by, reason;
  std::optional<WallTime> decided_at;
  std::optional<DeviceId> device;
};

struct Registration {
  std::string serial;  // "E3-0042"; "E3-*" is every serial that begins so, again and again
  std::optional<Bytes> key_hash;
  Place place;
  std::string created_by;
  WallTime created_at;
  std::optional<DeviceId> device;  // that came in by it
  bool pattern() const { return serial.ends_with('*'); }
};

struct ImportProblem {
  std::size_t line = 0;
  std::string message;
};
struct Imported {
  std::size_t added = 0;
  std::vector<ImportProblem> problems;  // of each line that was not taken
};

// Columns: serial, and perhaps key_sha256, name, site_id, type_id, tags ("a=1;b=2"). Pure.
std::vector<Registration> read_registrations(std::string_view csv, std::vector<ImportProblem>& problems,
                                             std::vector<std::size_t>& lines);

class Approvals final {
 public:
  // Inside the change in which the device is let in.
  using Issue = std::function<Result<IssuedCertificate>(core::Change&, DeviceId, const crypto::Csr&, View csr_hash)>;
  Approvals(core::Store& store, devices::Service& devices, Metrics& metrics, Issue issue);

  // Whether devices without a claim may wait; off: they are unauthenticated.
  void let_wait(bool on) { open_ = on; }
  Result<Waited> enrol(View csr_der, std::string_view peer_address);

  // ---- operators
  struct Query {
    std::optional<RequestState> state;
    std::string after;  // hexadecimal key hash of the last of the page before
    std::size_t limit = 100;
  };
  Result<std::vector<EnrolmentRequest>> requests(const core::Caller& caller, const Query& query);
  Result<EnrolmentRequest> approve(const core::Caller& caller, View key_hash, const Place& place);
  Result<EnrolmentRequest> refuse(const core::Caller& caller, View key_hash, const std::string& reason);
  Result<Imported> import(const core::Caller& caller, std::string_view csv, bool only_check);
  Result<std::vector<Registration>> registrations(const core::Caller& caller, std::string_view after, std::size_t limit);
  Status forget_registration(const core::Caller& caller, const std::string& serial);

 private:
  Status attend(core::Change& change, const crypto::Csr& csr, View csr_hash, const std::string& host, Waited& out);
  Result<Bytes> let_in(core::Change& change, EnrolmentRequest& request, const crypto::Csr& csr, View csr_hash);
  Result<EnrolmentRequest> decide(const core::Caller& caller, std::string_view action, View key_hash,
                                  const std::function<Status(core::Change&, EnrolmentRequest&)>& change);

  core::Store& store_;
  devices::Service& devices_;
  const Issue issue_;
  std::atomic<bool> open_ = false;
  AttemptLimit limit_;  // new keys by address
  Counter& waiting_;
  Counter& let_in_;
  Counter& refused_;
};

}  // namespace holdfast::identity

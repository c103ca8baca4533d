// Decommissions: a device leaves for good, as one guided act with a receipt. In one transaction it becomes
// `decommissioned` (sessions close), its certificates are revoked, its claims void, and a wipe is ordered.
// What is left is a state machine, kept in SQL: the device fetches the order with its revoked certificate,
// destroys what it holds, and signs that it did; a deadline raises an alarm, and a late proof still counts.
//
//   erase_pending -> erased | erase_overdue      erase_overdue -> erased      not_erased: none was ordered
//
// The record of the device stays as a tombstone, with its history.
// Threads: any; calls block on SQL.
#pragma once

#include <functional>

#include "libs/base/metrics.hpp"
#include "server/core/jobs.hpp"
#include "server/devices/service.hpp"
#include "server/identity/service.hpp"
#include "server/identity/tables.hpp"
#include "server/telemetry/service.hpp"

namespace holdfast::identity {

inline constexpr Duration kEraseLimitMin = minutes(1);
inline constexpr Duration kEraseLimitMax = days(365);
inline constexpr std::size_t kStatementBytesMax = 4'096;
inline constexpr std::size_t kEraseNonceBytes = 32;

enum class EraseState { not_erased, erase_pending, erase_overdue, erased };
inline constexpr std::array kEraseStates{EraseState::not_erased, EraseState::erase_pending, EraseState::erase_overdue,
                                         EraseState::erased};
std::string_view name_of(EraseState state);
std::optional<EraseState> erase_state_named(std::string_view name);
enum class EraseEvent { deadline, proof };
// The machine: where it goes; nullopt: the event changes nothing. Pure.
std::optional<EraseState> after(EraseState state, EraseEvent event);

struct Farewell {
  std::string reason;
  bool erase = true;               // order a wipe, where the device has a certificate to prove it with
  Duration erase_limit = days(7);  // then an alarm
  bool erase_data = false;         // what the server holds: now, instead of by its retention class
};

struct EraseProof {
  Bytes statement, signature;  // as the device sent them
  std::string certificate;     // serial of the certificate whose key signed
  WallTime said_at;            // by the device's clock
};

struct Receipt {
  DeviceId device;
  EraseState state = EraseState::not_erased;
  std::string reason, ordered_by;
  WallTime ordered_at;
  std::optional<WallTime> deadline, fetched_at, overdue_at, erased_at;
  Bytes nonce;
  std::vector<std::string> certificates;  // serials revoked by this act
  std::int64_t claims = 0;                // voided by this act
  bool erase_data = false;
  std::optional<WallTime> data_erased_at;
  std::optional<EraseProof> proof;
};

// What a statement must be for this receipt, signed by this certificate's key. Pure. Errors: payload_malformed.
Result<EraseProof> check_proof(const Receipt& receipt, const crypto::Certificate& certificate, View statement,
                               View signature);

Result<std::optional<Receipt>> find_receipt(sql::Tx& tx, DeviceId device);

class Decommissions final {
 public:
  Decommissions(core::Store& store, devices::Service& devices, telemetry::Service& telemetry, Metrics& metrics);

  // Before the start: its jobs. `erase_data` destroys what the server keeps of a device's readings and
  // events; it may be called again after a crash.
  Status begin(core::Jobs& jobs);
  void on_erase_data(std::function<Status(DeviceId)> erase) { erase_data_ = std::move(erase); }

  Result<Receipt> decommission(const core::Caller& caller, DeviceId device, const Farewell& wanted);
  Result<Receipt> receipt(const core::Caller& caller, DeviceId device);

  // The device's side; by its certificate, which is revoked by now. not_found: nothing is ordered.
  Result<EraseOrder> order(View certificate_der);
  Status proven(View certificate_der, View statement, View signature);

 private:
  Status overdue(core::Change& change, DeviceId device);
  Result<Receipt> receipt_of(sql::Tx& tx, View certificate_der, crypto::Certificate& certificate);

  core::Store& store_;
  core::Jobs* jobs_ = nullptr;
  devices::Service& devices_;
  telemetry::Service& telemetry_;
  std::function<Status(DeviceId)> erase_data_;
  Counter& begun_;
  Counter& erased_;
  Counter& overdue_;
};

}  // namespace holdfast::identity

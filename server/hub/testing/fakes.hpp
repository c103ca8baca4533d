// The domains as the hub's tests need them: small stores in memory that survive a crash of the
// server, and that can be made to fail, to wait, or to have no room.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "libs/crypto/x509.hpp"
#include "libs/os/loop.hpp"
#include "server/control/service.hpp"
#include "server/devices/service.hpp"
#include "server/identity/service.hpp"
#include "server/store/journal/record.hpp"
#include "server/telemetry/service.hpp"

namespace holdfast::hub::testing {

class FakeDevices final : public devices::Service {
 public:
  Result<DeviceId> create(core::Change&, const devices::NewDevice&) override {
    return fail(Code::unsupported, "not here");
  }
  Status set_state(core::Change&, DeviceId, devices::State, std::string_view) override {
    return {};
  }
  Status set_serial(core::Change&, DeviceId, std::string_view) override { return {}; }
  Status set_certificate(core::Change&, DeviceId, const devices::Certificate&) override {
    return {};
  }
  Result<devices::Device> find(DeviceId) override { return fail(Code::not_found, "not here"); }
  Result<std::optional<devices::Device>> look(sql::Tx&, DeviceId) override { return std::nullopt; }
  Result<wire::Json> view(DeviceId) override { return fail(Code::not_found, "not here"); }

  Status hello(DeviceId device, const wire::Json& json) override {
    hellos.emplace_back(device, wire::json_text(json));
    return hello_answer;
  }
  Status inventory(DeviceId device, const wire::Json& json) override {
    inventories.emplace_back(device, wire::json_text(json));
    return {};
  }
  void connected(DeviceId device, std::string_view protocol, std::string_view, WallTime) override {
    ++online[device];
    log.push_back("+" + std::string(protocol));
  }
  void disconnected(DeviceId device, const devices::Disconnect& why, WallTime) override {
    --online[device];
    log.push_back("-" + why.reason);
  }
  void seen(DeviceId device, WallTime at) override { last_seen[device] = at; }
  void https_seen(DeviceId device, std::string_view, WallTime at) override {
    last_https[device] = at;
  }
  devices::Presence presence(DeviceId) const override { return {}; }
  void on_presence(std::function<void(DeviceId, bool)>) override {}

  Status hello_answer;
  std::vector<std::pair<DeviceId, std::string>> hellos, inventories;
  std::map<DeviceId, int> online;
  std::map<DeviceId, WallTime> last_seen, last_https;
  std::vector<std::string> log;
};

class FakeIdentity final : public identity::Service {
 public:
  Result<identity::Admission> admit(View der, identity::Purpose purpose,
                                    std::string_view) override {
    ++admissions;
    if (busy > 0) {
      --busy;
      return fail(Code::overloaded, "busy");
    }
    const auto certificate = TRY(crypto::parse_certificate(der));
    const auto device = TRY(DeviceId::parse(certificate.subject_cn));
    if (const auto bad = refused.find(device); bad != refused.end()) {
      const bool cured =
          purpose == identity::Purpose::renew && bad->second == Code::device_quarantined;
      if (!cured) return fail(bad->second, "refused");
    }
    identity::Admission admission;
    admission.device = device;
    admission.state = devices::State::active;
    admission.serial_hex = to_hex(certificate.serial);
    admission.not_after = ends_at.value_or(certificate.not_after);
    return admission;
  }
  Result<std::vector<Bytes>> ca_chain_der() override { return trust; }
  Result<Bytes> enrol(const identity::Enrolment& enrolment) override {
    enrolments.push_back(enrolment);
    return enrol_answer;
  }
  Result<identity::Waited> enrol_unknown(View csr, std::string_view) override {
    strangers.emplace_back(csr.begin(), csr.end());
    return unknown_answer;
  }
  std::vector<Bytes> strangers;
  Result<identity::Waited> unknown_answer = fail(Code::unauthenticated, "send the claim");
  Result<Bytes> renew(View, View csr, std::string_view) override {
    renewals.emplace_back(csr.begin(), csr.end());
    return enrol_answer;
  }
  Result<identity::EraseOrder> erase_order(View) override {
    if (!erase) return fail(Code::not_found, "no erasure is ordered");
    return *erase;
  }
  Status erase_proven(View, View statement, View signature) override {
    proofs.emplace_back(string_of(statement), string_of(signature));
    return {};
  }
  std::optional<identity::EraseOrder> erase;
  std::vector<std::pair<std::string, std::string>> proofs;
  Result<identity::Published> published(std::string_view name) override {
    if (name != "issuing.crl") return fail(Code::not_found, "none");
    return identity::Published{"application/pkix-crl", bytes_of("crl"), {}, {}, true};
  }
  Result<identity::Published> ocsp(View request) override {
    return identity::Published{
        "application/ocsp-response", {request.begin(), request.end()}, {}, {}, true};
  }
  Result<crypto::Credential> server_credential() override { return *credential; }
  Result<std::vector<Bytes>> device_trust_der() override { return trust; }

  std::map<DeviceId, Code> refused;
  std::optional<WallTime> ends_at;  // instead of what certificates say
  std::vector<Bytes> trust;
  std::optional<crypto::Credential> credential;
  std::vector<identity::Enrolment> enrolments;
  std::vector<Bytes> renewals;
  Result<Bytes> enrol_answer = Bytes{};
  int admissions = 0;
  int busy = 0;  // so many times it has no room
};

// Commands and twins, durable at once.
class FakeControl final : public control::Service {
 public:
  struct Command {
    control::Down message;
    std::string state = "queued";
  };

  Result<std::vector<control::Down>> pending(DeviceId device, std::size_t limit) override {
    ++questions;
    if (fails) return fail(Code::io_error, "disk");
    std::vector<control::Down> all;
    if (const auto found = twins.find(device); found != twins.end() && found->second.version > 0) {
      all.push_back(twin_message(found->second));
    }
    for (const auto& command : commands[device]) {
      if (command.state == "queued" || command.state == "sent") all.push_back(command.message);
    }
    if (all.size() > limit) all.resize(limit);
    return all;
  }
  Result<std::optional<control::Down>> find_down(DeviceId device, std::string_view key) override {
    if (const auto found = twins.find(device); found != twins.end()) {
      const auto message = twin_message(found->second);
      if (message.key == key) return message;
    }
    const auto* command = find(device, key);
    if (command == nullptr || (command->state != "queued" && command->state != "sent"))
      return std::nullopt;
    return command->message;
  }
  Result<control::TwinView> twin(DeviceId device) override {
    const auto found = twins.find(device);
    if (found == twins.end()) return control::TwinView{0, bytes_of("{}"), bytes_of("{}")};
    return found->second;
  }
  Status sent(DeviceId device, std::string_view key, WallTime) override {
    if (key.starts_with("twin:")) return {};
    // What has ended, or was never there, is no error: it changes nothing.
    auto* command = find(device, key);
    if (command != nullptr && command->state == "queued") command->state = "sent";
    return fails ? fail(Code::io_error, "disk") : Status{};
  }
  Status delivered(DeviceId device, std::string_view key, WallTime) override {
    delivered_keys.emplace_back(key);
    if (key.starts_with("twin:")) return {};
    auto* command = find(device, key);
    if (command != nullptr && command->state == "sent") command->state = "delivered";
    return {};
  }
  Status reply(DeviceId device, std::string_view id, View payload) override {
    auto* command = find(device, "command:" + std::string(id));
    if (command == nullptr) return fail(Code::topic_refused, "not a command of this device");
    if (payload.empty() || payload.front() != '{')
      return fail(Code::payload_malformed, "no object");
    command->state = "succeeded";
    replies.emplace_back(id, string_of(payload));
    return {};
  }
  Status twin_reported(DeviceId device, View payload) override {
    if (payload.empty() || payload.front() != '{')
      return fail(Code::payload_malformed, "no object");
    twins[device].reported = Bytes(payload.begin(), payload.end());
    reported.push_back(string_of(payload));
    return {};
  }

  void add(DeviceId device, const std::string& name, std::optional<WallTime> deadline = {}) {
    commands[device].push_back(
        {{"command:" + name, "command/blink/" + name, bytes_of(R"({"payload":null})"), deadline},
         "queued"});
  }
  void set_twin(DeviceId device, std::int64_t version) {
    auto& view = twins[device];
    view.version = version;
    view.desired = bytes_of("{\"v\":" + std::to_string(version) + "}");
    if (view.reported.empty()) view.reported = bytes_of("{}");
  }
  Command* find(DeviceId device, std::string_view key) {
    for (auto& command : commands[device]) {
      if (command.message.key == key) return &command;
    }
    return nullptr;
  }

  std::map<DeviceId, std::vector<Command>> commands;
  std::map<DeviceId, control::TwinView> twins;
  std::vector<std::string> delivered_keys, reported;
  std::vector<std::pair<std::string, std::string>> replies;
  bool fails = false;
  int questions = 0;

 private:
  static control::Down twin_message(const control::TwinView& view) {
    return {"twin:" + std::to_string(view.version),
            "twin/desired",
            bytes_of("{\"version\":" + std::to_string(view.version) +
                     ",\"desired\":" + string_of(view.desired) + "}"),
            {}};
  }
};

// A journal in memory: what was told as done is durable, what waits dies with the process. It knows
// a resend by DUP, packet id and payload in its session, like the real one.
class FakeTelemetry final : public telemetry::Service {
 public:
  struct Stored {
    DeviceId device;
    std::string kind;  // "reading", "event", "log"
    std::string name;
    std::string payload;
    std::uint64_t tag = 0;
    std::uint16_t packet_id = 0;
  };

  void reading(DeviceId device, std::string_view stream, View payload, telemetry::Delivery delivery,
               telemetry::Done done) override {
    take({device, "reading", std::string(stream), string_of(payload), delivery.session_tag,
          delivery.packet_id},
         delivery, std::move(done));
  }
  void event(DeviceId device, std::string_view name, View payload, telemetry::Delivery delivery,
             telemetry::Done done) override {
    take({device, "event", std::string(name), string_of(payload), delivery.session_tag,
          delivery.packet_id},
         delivery, std::move(done));
  }
  void log(DeviceId device, View payload, telemetry::Delivery delivery,
           telemetry::Done done) override {
    take({device, "log", "", string_of(payload), delivery.session_tag, delivery.packet_id},
         delivery, std::move(done));
  }
  void record(telemetry::ServerEvent event) override { events.push_back(std::move(event)); }
  void session_over(std::uint64_t session_tag) override { over.push_back(session_tag); }

  // With a loop, each is durable only some time after it came, and not always in order.
  void be_slow(os::Loop* loop, std::function<Duration()> delay) {
    loop_ = loop;
    delay_ = std::move(delay);
  }
  void crash() {
    ++life_;
    on_the_way = 0;
    loop_ = nullptr;
  }
  std::vector<std::string> kinds() const {
    std::vector<std::string> all;
    for (const auto& event : events) all.push_back(event.kind);
    return all;
  }
  const telemetry::ServerEvent* last(std::string_view kind) const {
    const telemetry::ServerEvent* found = nullptr;
    for (const auto& event : events) {
      if (event.kind == kind) found = &event;
    }
    return found;
  }

  std::vector<Stored> stored;
  std::vector<telemetry::ServerEvent> events;
  std::vector<std::uint64_t> over;  // sessions, by their tags
  std::size_t room = SIZE_MAX;      // messages on their way, at most
  std::size_t on_the_way = 0;
  std::size_t turned_away = 0;
  std::size_t resends = 0;
  Status answer;  // what is told

 private:
  void take(Stored message, const telemetry::Delivery& delivery, telemetry::Done done) {
    if (message.payload.starts_with("malformed"))
      return done(fail(Code::payload_malformed, "as it says"));
    if (on_the_way >= room) {
      ++turned_away;
      return done(fail(Code::overloaded, "no room"));
    }
    if (loop_ == nullptr) {
      keep(message, delivery);
      return done(answer);
    }
    ++on_the_way;
    loop_->after(delay_(), [this, life = life_, message = std::move(message), delivery,
                            done = std::move(done)]() mutable {
      if (life != life_) return;
      --on_the_way;
      keep(message, delivery);
      done(answer);
    });
  }
  void keep(const Stored& message, const telemetry::Delivery& delivery) {
    if (delivery.dup) {
      for (const auto& each : stored) {
        if (each.tag == delivery.session_tag && each.packet_id == delivery.packet_id &&
            each.payload == message.payload) {
          ++resends;
          return;
        }
      }
    }
    stored.push_back(message);
  }

  os::Loop* loop_ = nullptr;
  std::function<Duration()> delay_;
  unsigned life_ = 1;
};

}  // namespace holdfast::hub::testing

// What the events tests share: a machine with a journal and a store of events.
#pragma once

#include <algorithm>

#include "libs/os/sim/simulation.hpp"
#include "server/store/events/store.hpp"
#include "server/store/journal/memory_keys.hpp"

namespace holdfast::events {

inline Ulid device_of(unsigned number) {
  Ulid out{};
  out[0] = 1;
  out[15] = static_cast<std::uint8_t>(number);
  return out;
}

class World final {
 public:
  explicit World(std::uint64_t seed) : world(seed), keys(node().system().entropy) {}
  ~World() { stop(); }

  os::sim::Node& node() { return world.node("server"); }
  WallTime now() { return node().system().clock.wall(); }

  Status start() {
    Log log([](std::string_view) {});
    const auto alarm = [this](std::string_view what) { alarms.emplace_back(what); };
    journal =
        TRY(journal::Journal::open(node().system(), keys, log, metrics, journal_options, alarm));
    store = TRY(Store::open(node().system(), keys, *journal, log, metrics, options, alarm));
    journal->attach(*store);
    return journal->start();
  }
  void stop() {
    journal.reset();
    store.reset();
  }
  Status restart() {
    if (node().up()) node().crash();
    stop();
    node().restart();
    return start();
  }
  // True once it is durable.
  bool append(const Ulid& device, const NewEvent& event, const Ulid& subject = {}) {
    const auto body = encode_event(event, now());
    if (!body) return false;
    journal::Record record;
    record.kind = journal::Kind::event;
    record.device = device;
    record.subject = subject;
    record.body = *body;
    std::optional<Status> answer;
    if (!journal->append(record, nullptr, [&](const Status& status) { answer = status; }))
      return false;
    world.run_until([&] { return answer.has_value() || !node().up(); }, seconds(60));
    return answer && answer->has_value();
  }
  bool append(unsigned device, const std::string& message, const std::string& kind = "log",
              Severity severity = Severity::info) {
    NewEvent event;
    event.kind = kind;
    event.severity = severity;
    event.message = message;
    return append(device_of(device), event);
  }
  Answer ask(const Query& query) {
    auto answer = store->query(query);
    EXPECT_TRUE(answer);
    return answer ? std::move(*answer) : Answer{};
  }
  std::vector<std::string> messages(const Query& query = {}) {
    std::vector<std::string> out;
    for (const Event& event : ask(query).items) out.push_back(event.message);
    return out;
  }
  static Query query(std::string_view text) {
    Query out;
    auto node = query::parse(text);
    EXPECT_TRUE(node) << text;
    if (node) out.filter = *std::move(node);
    return out;
  }
  std::vector<std::string> find(std::string_view text) { return messages(query(text)); }
  std::vector<std::string> folder() {
    std::vector<std::string> out;
    const auto entries = node().system().files.list("/data/events");
    if (entries) {
      for (const os::Entry& entry : *entries) out.push_back("/data/events/" + entry.name);
    }
    return out;
  }
  void settle() { world.run_for(milliseconds(50)); }

  os::sim::Simulation world;
  journal::MemoryKeys keys;
  Metrics metrics;
  journal::Options journal_options{.folder = "/data/journal",
                                   .segment_bytes = 64 * 1024,
                                   .fill_bytes = 4096,
                                   .headroom_bytes = 4096};
  StoreOptions options{.folder = "/data/events"};
  std::vector<std::string> alarms;
  std::unique_ptr<Store> store;
  std::unique_ptr<journal::Journal> journal;
};

}  // namespace holdfast::events

// Connection: one MQTT connection. It moves bytes between an authenticated stream and the session's
// state machine, carries out what the session asks for, and gives the answers back. It holds little
// when idle: ids instead of certificates, no buffers.
//
// Reading stops, and the client is slowed down by TCP, while the session has enough, the device is
// over its message rate, telemetry has no room (the message at hand is kept and tried again), or
// the client takes no output. What is written in one turn of the loop goes out as one write.
// Threads: its loop only; Seat's calls come through its lane.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "libs/crypto/transport.hpp"
#include "libs/os/system.hpp"
#include "server/hub/counters.hpp"
#include "server/hub/directory.hpp"
#include "server/hub/lane.hpp"
#include "server/hub/session/session.hpp"
#include "server/hub/store/sessions.hpp"
#include "server/hub/upstream.hpp"
#include "server/identity/service.hpp"

namespace holdfast::hub {

// What all connections of one loop work with; outlives them.
struct Surroundings {
  os::Clock& clock;
  os::Loop& loop;  // touch it on the loop only, and never from a worker
  LanePtr lane;
  os::Workers& workers;
  os::Entropy& entropy;
  devices::Service& devices;
  identity::Service& identity;
  control::Service& control;
  telemetry::Service& telemetry;
  std::shared_ptr<SessionStore> sessions;
  std::shared_ptr<Directory> directory;
  std::shared_ptr<Upstream> upstream;
  std::shared_ptr<HubCounters> counters;
  Limits limits;
  Bucket events;      // entries in timelines about connections that were refused
  Bytes read_buffer;  // one read at a time

  Now now() const { return {clock.mono(), clock.wall()}; }
};

class Connection final : public Seat, public std::enable_shared_from_this<Connection> {
 public:
  using Gone = std::function<void(Connection&)>;  // destroys it, perhaps

  Connection(std::shared_ptr<Surroundings> around, std::unique_ptr<crypto::SecureStream> stream,
             std::uint64_t id, Gone gone);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start();
  void evict(const Error& why, bool continues) override;
  void wake() override;
  Phase phase() const { return session_.phase(); }

 private:
  struct Parked {  // a message that found no room
    std::uint64_t ticket = 0;
    Up kind = Up::hello;
    std::string name;
    Bytes payload;
    telemetry::Delivery delivery;
  };
  struct Ticket;

  // reading: connection.cpp
  void read();
  void take_packets();
  bool take_packet();
  bool wants_input() const;
  void charge();
  // After any input to the session: carries out, reads on where reading had stopped, writes.
  void go_on();
  // writing
  void flush();
  void flush_later();
  void drained();
  // time
  void arm();
  void tick();
  // what the session asks for: actions.cpp
  void apply();
  void perform(Enter& action);
  void perform(Open& action);
  void perform(Publish& action);
  void perform(SaveGranted& action);
  void perform(Fetch& action);
  void perform(Prepare& action);
  void perform(Settle& action);
  void perform(Forget& action);
  void perform(Record& action);
  void perform(FireWill& action);
  void perform(DropWill& action);
  void perform(Accepted& action);
  void perform(Close& action);
  bool submit(std::uint64_t ticket, UpTopic topic, View payload,
              const telemetry::Delivery& delivery);
  void stored(std::uint64_t ticket, Up kind, const Status& status);
  void unpark();
  void admit();
  void admitted(Result<identity::Admission> admission);
  void count();
  void say_online();
  void say_offline(const Close& close);
  void record(std::string_view kind, std::string_view severity, std::string message,
              const Close* close);
  // the end: actions.cpp
  void finalize();
  void linger();
  void release();
  // A function for any thread: runs `then` here with its argument. The end waits for it.
  template <class Answer>
  std::move_only_function<void(Answer)> answer(void (Connection::*then)(Answer));
  // Runs `work` on a worker, and `then` here with its answer.
  template <class Answer>
  void on_worker(std::move_only_function<Answer()> work, void (Connection::*then)(Answer));

  void on_seated(Result<Seated> seated);
  void on_opened(Result<std::optional<Kept>> kept);
  void on_saved(Status status);
  void on_fetched(Result<Fetched> fetched);
  void on_prepared(Result<Prepared> prepared);
  void on_settled(Status status);

  const std::shared_ptr<Surroundings> around_;
  std::unique_ptr<crypto::SecureStream> stream_;
  const std::uint64_t id_;
  const Gone gone_;
  wire::mqtt::Decoder decoder_;
  Session session_;
  Output out_;
  std::shared_ptr<DeviceShare> share_;
  std::unique_ptr<Parked> parked_;
  std::unique_ptr<Close> close_;
  DeviceId device_;
  std::string serial_;     // of the certificate, until a seat is taken
  std::uint64_t tag_ = 0;  // of the session as it is stored
  MonoTime asked_at_;      // when admission was asked for
  MonoTime armed_ = kNever;
  os::TimerId timer_ = os::TimerId::none;
  os::TimerId rate_timer_ = os::TimerId::none;
  os::TimerId park_timer_ = os::TimerId::none;
  std::uint32_t outstanding_ = 0;  // answers that the end waits for
  bool applying_ = false;
  bool waiting_ = false;   // for input
  bool reading_ = false;   // read() runs
  bool flushing_ = false;  // a flush is posted
  bool blocked_ = false;   // the client does not take its output
  bool rate_paused_ = false;
  bool one_busy_ = false;  // a message of those that go one at a time
  bool opened_ = false;
  bool seated_ = false;
  bool finalized_ = false;
  bool lingering_ = false;
};

}  // namespace holdfast::hub

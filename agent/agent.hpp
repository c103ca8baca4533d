// Agent: one joined device, running: connects, says hello, samples, reports, obeys. It reaches the
// world through os::System, a Transport and a Probe only, so that many of them run in a simulation.
//
// Life of a sample: Probe -> sample_of() -> Spool (durable) -> MqttLink (QoS 1) -> PUBACK -> done.
// Life of a command: MqttLink -> CommandBook (durable) -> carried out -> CommandBook (reply)
//   -> PUBACK and reply/<id>.
// Threads: everything on its loop. Callbacks never run inside start().
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "agent/control/attestation_check.hpp"
#include "agent/control/commands.hpp"
#include "agent/control/erasure.hpp"
#include "agent/control/renewal.hpp"
#include "agent/control/server_time.hpp"
#include "agent/control/twin.hpp"
#include "agent/join/state_folder.hpp"
#include "agent/join/state_lock.hpp"
#include "agent/metrics/probe.hpp"
#include "agent/metrics/sampler.hpp"
#include "agent/mqtt/link.hpp"
#include "agent/spool/spool.hpp"
#include "libs/config/config.hpp"
#include "libs/http/client.hpp"

namespace holdfast::agent {

struct AgentOptions {
  std::string version;  // "1.0.0"
  std::string state;    // folder
  KeyOptions keys;
  std::string seal_path;
  LiveSettings settings;  // as configured
  Duration inventory_interval = minutes(10);
  std::uint64_t spool_bytes = 64 * 1024 * 1024;
  std::uint16_t keep_alive_s = 60;
};
AgentOptions options_of(const config::Config& config, std::string version);

struct AgentCounters {
  std::uint64_t samples = 0;
  std::uint64_t connections = 0;
  std::uint64_t acknowledged = 0;  // messages from the spool
  std::uint64_t refused = 0;       // messages that the server will never take
  std::uint64_t commands_run = 0;
  std::uint64_t attested = 0;    // checks of the TPM that the server took
  std::uint64_t unattested = 0;  // those that failed
  std::uint64_t unspooled = 0;   // messages sent past a spool that could not be written
};

class Agent final {
 public:
  static Result<std::unique_ptr<Agent>> open(os::System system, os::Loop& loop,
                                             crypto::Transport& transport, Probe& probe,
                                             AgentOptions options, Log::Sink log);
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  void start();
  void stop(os::Task done);  // DISCONNECT; within two seconds

  // Decommissioned, and erased: call stop() then. Before start().
  void on_erased(std::function<void()> told) { told_erased_ = std::move(told); }

  bool online() const { return link_ && link_->online(); }
  const std::string& device_id() const { return identity_.device_id; }
  const AgentCounters& counters() const { return counters_; }
  const SpoolCounters& spool_counters() const { return spool_->counters(); }
  std::size_t waiting() const { return spool_->waiting(); }
  const LiveSettings& settings() const { return applied_.settings; }

 private:
  Agent(os::System system, os::Loop& loop, crypto::Transport& transport, Probe& probe,
        AgentOptions options, Log::Sink log);
  Status load();
  void make_link();
  void make_erasure();
  void make_attestation();
  keys::TpmDevice* attesting_tpm() const;

  // agent_link.cpp: the connection
  crypto::ClientSettings client_settings();
  void on_online(const Online& online);
  void on_down(Ending ending, const std::string& why, Duration wait);
  void on_acknowledged(const Acknowledged& acknowledged);
  void on_spooled(std::uint64_t tag, wire::mqtt::Reason reason);
  void pump();
  bool pump_state();
  bool pump_replies();
  bool send(std::string topic, std::string payload, std::uint64_t tag);
  void prove_certificate();
  void write_status();

  // agent_time.cpp: what time it is
  ServerTime::Now now() const {
    return server_time_.now(system_.clock.wall(), loop_.clock().mono());
  }
  void ask_time();
  void got_time(Result<http::ClientResponse> response);

  // agent_work.cpp: samples, inventory, what comes down
  void sample();
  void sample_timer();
  void inventory_timer();
  void refresh_inventory();
  void keep(std::vector<SpoolRecord> records);
  void on_incoming(const Incoming& message);
  void on_command(const Incoming& message, Command command);
  std::string carry_out(const Command& command);
  void on_desired(const Incoming& message);
  void use(Applied applied);
  void warn(std::string_view message, std::string_view detail);
  TimeMark mark() const;
  os::TimerId timer(Duration delay, void (Agent::*task)());

  os::System system_;
  os::Loop& loop_;
  crypto::Transport& transport_;
  Probe& probe_;
  const AgentOptions options_;
  const Log::Sink sink_;
  Log log_;
  std::unique_ptr<StateLock> lock_;
  std::unique_ptr<StateFolder> state_;
  Identity identity_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<CommandBook> book_;
  Desired desired_;
  Applied applied_;
  std::string reported_;   // payload to report
  std::string inventory_;  // payload
  // What the server has acknowledged in this run, so that nothing is sent twice for nothing.
  std::string reported_known_, inventory_known_;
  std::string reported_sent_, inventory_sent_;  // on the way
  bool hello_due_ = false;
  std::deque<std::string> replies_due_;                              // command ids
  std::vector<std::pair<std::uint64_t, std::string>> replies_sent_;  // tag, command id
  std::uint64_t next_reply_ = 0;
  std::optional<Snapshot> last_;
  MonoTime last_sample_{};
  bool sampled_ = false;
  bool try_next_ = true;  // of two certificates, the renewed one
  bool using_next_ = false;
  MonoTime hold_until_{};  // the server asked for patience
  MonoTime last_warning_{};
  bool warned_ = false;
  const std::uint64_t run_;
  AgentCounters counters_;
  std::shared_ptr<crypto::ClientSessions> sessions_;
  std::unique_ptr<MqttLink> link_;
  std::unique_ptr<Renewal> renewal_;
  std::unique_ptr<AttestationCheck> attestation_;
  std::unique_ptr<Erasure> erasure_;
  std::function<void()> told_erased_;
  ServerTime server_time_;
  std::unique_ptr<http::Client> time_client_;
  bool asking_time_ = false;
  os::TimerId sample_timer_{}, inventory_timer_{}, hold_timer_{}, time_timer_{};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace holdfast::agent

// Session: the MQTT rules of one connection and of the session behind it (MQTT 3.1.1; MQTT 5.0
// sections 3 and 4), as a state machine without I/O. Each input appends bytes for the client and
// actions for the shell to `out`; the shell carries them out at once and answers later.
//
// What it promises: a PUBACK goes out only after stored(), in the order in which the messages came;
// a message down is resent on reconnection only, in order, with its packet id and DUP; no input
// ever trips an assertion. Between CONNECT and CONNACK, and when it holds enough, wants_input()
// says no: the shell leaves bytes unread. Threads: one owner. Errors of the client end the
// connection by a Close action.
#pragma once

#include <memory>
#include <set>

#include "libs/os/entropy.hpp"
#include "server/hub/bucket.hpp"
#include "server/hub/session/model.hpp"

namespace holdfast::hub {

enum class Phase : std::uint8_t {
  connecting,  // CONNECT or the answer to who this is are awaited
  entering,    // a seat
  opening,     // what was kept
  live,
  closed,
};
std::string_view name_of(Phase phase);

class Session {
 public:
  Session(os::Entropy& entropy, Now now, MonoTime connect_by);

  // ---- from the network
  void packet(const wire::mqtt::Packet& packet, Now now, Output& out);
  // The decoder refused; `version` as it knows it.
  void refused(const wire::mqtt::Refusal& refusal, std::optional<wire::mqtt::Version> version,
               Now now, Output& out);
  void heard(Now now) { heard_ = now.mono; }          // any bytes
  void lost(const Error& why, Now now, Output& out);  // the connection broke, or the peer closed it
  // More (false) or no more (true) for the client until its output has drained.
  void blocked(bool blocked, Output& out);

  // ---- answers
  void admitted(Result<Admitted> admission, Now now, Output& out);
  void entered(Status seat, Now now, Output& out);
  void opened(Result<std::optional<Kept>> kept, Now now, Output& out);
  void stored(std::uint64_t ticket, const Status& status, Now now, Output& out);
  void saved(const Status& status, Now now, Output& out);
  void fetched(Result<Fetched> result, Now now, Output& out);
  void prepared(Result<Prepared> result, Now now, Output& out);

  // ---- from the server
  void wake(Output& out);  // something may wait
  // Ended from outside: taken over (`continues`: the session goes on elsewhere), quarantined, ...
  void evict(const Error& why, bool continues, Now now, Output& out);
  void time(Now now, Output& out);  // at deadline() or later

  // ---- asks
  Phase phase() const { return phase_; }
  bool wants_input() const;
  MonoTime deadline() const;
  bool kept() const { return kept_; }  // is it stored?
  const std::string& client_id() const { return client_id_; }
  wire::mqtt::Version version() const { return version_; }
  std::uint64_t tag() const { return tag_; }
  std::size_t in_flight() const { return in_flight_.size(); }
  Tally take_tally() { return std::exchange(tally_, {}); }
  void shrink();  // gives back what an idle session does not need

 private:
  enum class Sending : std::uint8_t { resend, preparing, sent };
  struct Down {
    std::uint16_t packet_id = 0;
    Sending state = Sending::preparing;
    std::string key;
  };
  struct Ack {
    std::uint16_t packet_id = 0;
    bool ready = false;
    Code code = Code::internal;
    bool failed = false;
  };
  struct Waiting {  // a SUBACK or UNSUBACK that waits for the store
    wire::mqtt::Packet answer;
    bool fetch = false;
    bool twin = false;
  };
  struct Outgoing {
    control::Down message;
    std::uint8_t qos = 0;
    std::uint16_t packet_id = 0;
  };

  // connect.cpp
  void connect(const wire::mqtt::Connect& packet, Now now, Output& out);
  void proceed(Now now, Output& out);
  Status check_connect(const wire::mqtt::Connect& packet) const;
  void refuse_connect(const Error& why, Output& out, std::optional<wire::mqtt::Reason> reason = {});
  void accept(bool present, Now now, Output& out);
  void take_up(Kept kept);
  void aim_at_certificate_end(Now now);
  // publish.cpp
  void publish(const wire::mqtt::Publish& packet, Now now, Output& out);
  Status check_publish(const wire::mqtt::Publish& packet) const;
  void refuse_publish(const wire::mqtt::Publish& packet, const Error& why, Now now, Output& out);
  void flush_acks(Now now, Output& out);
  void encode_ack(const Ack& ack, Output& out) const;
  // subscribe.cpp
  void subscribe(const wire::mqtt::Subscribe& packet, Now now, Output& out);
  void unsubscribe(const wire::mqtt::Unsubscribe& packet, Now now, Output& out);
  wire::mqtt::Reason grant(const wire::mqtt::Subscription& asked, Waiting& waiting, Now now,
                           Output& out);
  void changed(Waiting waiting, bool save, Output& out);
  void answer(Waiting& waiting, Output& out);
  // deliver.cpp
  void maybe_fetch(Output& out);
  void resend(Fetched& result, Now now, Output& out);
  void choose(Fetched& result, Now now);
  bool offer(control::Down& message, Now now);
  void prepare(Output& out);
  void forget_settled(const Fetched& result, Output& out);
  void send(const Outgoing& outgoing, bool dup, Now now, Output& out);
  void acknowledged(const wire::mqtt::Puback& packet, Now now, Output& out);
  void settle(std::string key, std::uint16_t packet_id, bool delivered, Output& out);
  std::optional<std::uint8_t> best_qos(std::string_view topic) const;
  std::uint16_t free_packet_id();
  bool flies(std::string_view key) const;
  std::size_t window_left() const;
  bool resends() const;
  // session.cpp
  void handle(const wire::mqtt::Connect& packet, Now now, Output& out);
  void handle(const wire::mqtt::Publish& packet, Now now, Output& out);
  void handle(const wire::mqtt::Puback& packet, Now now, Output& out);
  void handle(const wire::mqtt::Pubrec& packet, Now now, Output& out);
  void handle(const wire::mqtt::Pubrel& packet, Now now, Output& out);
  void handle(const wire::mqtt::Pubcomp& packet, Now now, Output& out);
  void handle(const wire::mqtt::Subscribe& packet, Now now, Output& out);
  void handle(const wire::mqtt::Unsubscribe& packet, Now now, Output& out);
  void handle(const wire::mqtt::Pingreq& packet, Now now, Output& out);
  void handle(const wire::mqtt::Disconnect& packet, Now now, Output& out);
  template <class ForClients>
  void handle(const ForClients& packet, Now now, Output& out);
  bool write(const wire::mqtt::Packet& packet, Output& out) const;
  void end(const Error& why, Output& out);
  void end_with(const Error& why, wire::mqtt::Reason reason, Output& out);
  void finish(Close close, bool fire_will, Output& out);
  void drop_will(Output& out);
  wire::mqtt::Properties reason_string(Code code) const;
  void record(Now now, Output& out, const Error& why, std::string_view topic);
  bool v5() const { return version_ == wire::mqtt::Version::v5; }

  os::Entropy& entropy_;
  DeviceId device_;  // once admitted
  Phase phase_ = Phase::connecting;
  wire::mqtt::Version version_ = wire::mqtt::Version::v3_1_1;
  bool problem_info_ = true;
  bool blocked_ = false;
  bool fetching_ = false;
  bool fetch_wanted_ = false;
  bool twin_wanted_ = false;
  bool preparing_ = false;
  bool kept_ = false;     // stored, as CONNECT asked
  bool listens_ = false;  // a subscription matches what flows down
  std::uint16_t keep_alive_s_ = 0;
  std::uint16_t window_ = 0;  // messages down in flight, at most
  std::uint16_t last_packet_id_ = 0;
  std::uint32_t expiry_s_ = 0;
  std::uint32_t peer_packet_max_ = 0;
  std::size_t fetch_limit_ = 0;
  std::size_t asked_ = 0;  // the limit of the last Fetch
  std::uint64_t tag_ = 0;
  std::uint64_t first_ticket_ = 1;  // of acks_.front()
  MonoTime heard_;
  MonoTime connect_by_;
  MonoTime retry_at_ = kNever;
  WallTime certificate_end_{INT64_MAX};
  MonoTime certificate_by_ = kNever;  // the same, as the clocks were when last looked at
  Bucket events_;
  std::string client_id_;
  std::unique_ptr<wire::mqtt::Connect> connect_;  // until it is answered
  std::optional<Result<Admitted>> admission_;     // until it is used
  std::unique_ptr<FireWill> will_;
  std::vector<Granted> granted_;
  std::vector<Ack> acks_;         // in order of receipt
  std::vector<Down> in_flight_;   // in order of sending
  std::vector<Outgoing> outbox_;  // being prepared
  std::vector<Waiting> waiting_;  // in order; each for one saved()
  std::set<std::string, std::less<>> settled_;
  Tally tally_;
};

}  // namespace holdfast::hub

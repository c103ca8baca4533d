// Directory: who is connected. It gives out the seats of live sessions (a session is device and
// client id; a device has kLiveSessionsMax), takes a seat over from an old connection for a new
// one, and finds a device's connections for those who wake or end them. Also the wills that wait,
// since a new connection of the session cancels them.
//
// One owner: its loop. Calls from other threads post; answers and orders are posted to the seat's
// lane.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "libs/base/id.hpp"
#include "libs/base/metrics.hpp"
#include "libs/base/result.hpp"
#include "server/hub/bucket.hpp"
#include "server/hub/lane.hpp"
#include "server/hub/session/model.hpp"

namespace holdfast::hub {

// What the connections of one device share.
struct DeviceShare {
  DeviceShare(const Limits& limits, MonoTime now) : messages(Bucket(limits.messages, now)) {}
  Guarded<Bucket> messages;
};

// A connection, as the directory sees it. Called on its lane.
class Seat {
 public:
  virtual ~Seat() = default;
  virtual void evict(const Error& why, bool continues) = 0;
  virtual void wake() = 0;
};

struct Seated {
  std::shared_ptr<DeviceShare> share;
  bool took_over = false;  // the device was not offline in between
};

struct SeatRequest {
  std::weak_ptr<Seat> seat;
  std::uint64_t seat_id = 0;  // unique in the hub
  LanePtr lane;
  DeviceId device;
  std::string client_id;
  std::string serial_hex;  // of the certificate
  bool continues = false;
  MonoTime asked_at;                                   // when the device's state was looked at
  std::move_only_function<void(Result<Seated>)> done;  // on the lane
};

// Why a long poll is called.
enum class Woken : std::uint8_t {
  message,
  over
};  // over: another poll came, or the device may not stay
using WatchFn = std::move_only_function<void(Woken)>;

class Directory final : public std::enable_shared_from_this<Directory> {
 public:
  // What becomes of wills: each that came in is told to one of them, once.
  struct WillFns {
    std::function<void(DeviceId device, const FireWill& will)> send;
    std::function<void(DeviceId device, std::uint64_t id)> drop;  // never to be published
  };

  Directory(os::Loop& loop, LanePtr lane, const Limits& limits, WillFns wills, Metrics& metrics);
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  // ---- from any thread
  // Errors: session_limit, overloaded (connects too often), server_shutting_down, and what an
  // eviction since `asked_at` said.
  void enter(SeatRequest request);
  // The connection has let go: what it wanted to store is queued.
  void leave(DeviceId device, std::string client_id, std::uint64_t seat_id);
  void wake(DeviceId device);
  void evict(DeviceId device, Error why);
  void evict_certificate(DeviceId device, std::string serial_hex, Error why);
  // Ends all, and refuses newcomers.
  void evict_all(Error why);
  void will(DeviceId device, std::string client_id, FireWill will);
  // A long poll waits: called once on its lane. One at a time: a newer one ends the older.
  void watch(DeviceId device, std::uint64_t id, LanePtr lane, WatchFn wake);
  void unwatch(DeviceId device, std::uint64_t id);

  // Of a seat or a poll: unique, rising.
  std::uint64_t new_id() { return ++last_id_; }

  // ---- on its loop
  void tick();  // each second or so
  std::size_t live() const { return live_; }

 private:
  struct Sitting {
    std::weak_ptr<Seat> seat;
    std::uint64_t id = 0;
    LanePtr lane;
    std::string client_id;
    std::string serial_hex;
    std::unique_ptr<SeatRequest> next;  // waits for this one to let go
  };
  struct Watch {
    std::uint64_t id = 0;
    LanePtr lane;
    WatchFn wake;
  };
  struct Entry {
    Entry(const Limits& limits, MonoTime now)
        : connections(limits.connections, now), share(std::make_shared<DeviceShare>(limits, now)) {}
    Bucket connections;
    std::shared_ptr<DeviceShare> share;
    std::vector<Sitting> seats;
    std::optional<Watch> watch;
  };
  struct Eviction {
    DeviceId device;
    std::string serial_hex;  // empty: all of the device's
    Error why;
    MonoTime at;
  };
  struct Delayed {
    DeviceId device;
    std::string client_id;
    FireWill will;
  };
  using WillKey = std::pair<DeviceId, std::string>;

  void do_enter(SeatRequest request);
  void do_leave(DeviceId device, const std::string& client_id, std::uint64_t seat_id);
  void do_evict(DeviceId device, const std::string& serial_hex, const Error& why);
  void do_will(DeviceId device, std::string client_id, FireWill will);
  const Error* refusal(const SeatRequest& request);
  void seat(Entry& entry, SeatRequest request, bool took_over);
  void take_over(Sitting& sitting, SeatRequest request);
  void settle_will(DeviceId device, const std::string& client_id, bool continues);
  static void answer(SeatRequest request, Result<Seated> result);
  static void call(std::optional<Watch>& watch, Woken why);
  static void order(const Sitting& sitting, const Error& why, bool continues);
  MonoTime now() const { return loop_.clock().mono(); }

  os::Loop& loop_;
  const LanePtr lane_;
  const Limits limits_;
  const WillFns will_fns_;
  Counter& take_overs_;
  Counter& refused_;
  Counter& evicted_;
  Counter& wills_;
  Counter& wills_at_once_;
  std::atomic<std::uint64_t> last_id_{0};
  bool stopping_ = false;
  unsigned ticks_ = 0;
  std::size_t live_ = 0;
  std::unordered_map<DeviceId, Entry> devices_;
  std::deque<Eviction> evictions_;  // recent ones: an admission may be older
  Error unsure_{
      Code::unavailable, "too many devices are being closed out; connect again", {}, {}, {}};
  MonoTime evictions_from_{INT64_MIN};  // admissions before this cannot be judged
  std::multimap<MonoTime, WillKey> due_;
  std::map<WillKey, std::pair<std::multimap<MonoTime, WillKey>::iterator, FireWill>> delayed_;
};

}  // namespace holdfast::hub

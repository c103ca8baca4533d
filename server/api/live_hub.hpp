// LiveHub: what changes, on its way to the browsers that look at it (GET /v1/stream). Each item has
// a number; the newest are kept, so that a stream that was cut resumes where it was. Where the gap
// is gone, the client is told `reset` and reads anew. Of what was missed, each metric comes once,
// as it is now. Ids are "<run>.<number>": those of an earlier run of the server are not understood,
// which is a reset too.
//
// What a caller may not see is left out: items carry the site, and readings and events need their
// own permissions. A device that moves out of a caller's sites is reported as removed.
//
// Threads: any. send() of a stream never blocks; a client that is too slow is cut off by its
// stream.
#pragma once

#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "libs/base/guarded.hpp"
#include "libs/base/metrics.hpp"
#include "libs/http/responder.hpp"
#include "server/core/authz.hpp"

namespace holdfast::api {

inline constexpr std::size_t kLiveItemsMax = 20'000;           // kept for resuming
inline constexpr std::size_t kLiveBytesMax = 8 * 1024 * 1024;  // of their data
inline constexpr Duration kLiveGrace = minutes(2);
inline constexpr std::size_t kLiveStreamsMax = 1'000;
inline constexpr std::size_t kLiveDevicesMax = 200;  // of one stream's filter

struct LiveItem {
  enum class Kind { device, reading, event };
  Kind kind = Kind::device;
  std::optional<DeviceId> device;  // none: an event of the server itself
  std::optional<SiteId> site;      // where the device is
  std::optional<SiteId> old_site;  // kind device: where it was, if it moved
  std::string data;                // JSON, as the contract has it
  std::string removed;             // kind device: what those get who may no longer see it
  std::string metric;              // kind reading: which one's
};

class LiveHub final {
 public:
  // `run` tells this run of the server from others: random, letters and digits.
  LiveHub(std::string run, Metrics& metrics);

  struct Wish {
    core::Caller caller;
    std::set<DeviceId> devices;  // empty: all that the caller may see
    std::string last_event_id;   // empty: from now on
  };
  // overloaded beyond kLiveStreamsMax. The stream is forgotten when it ends.
  Status join(Wish wish, std::shared_ptr<http::EventStream> stream);

  void publish(LiveItem item);
  // Does anyone look, or has done so within kLiveGrace? If not, feeds may save the work: who
  // resumes later is told to read anew.
  bool watched(MonoTime now);

  // What this caller gets of the item; nullopt: nothing. Pure.
  static std::optional<http::Event> view(const LiveItem& item, const Wish& wish);

 private:
  struct Numbered {
    std::uint64_t number = 0;
    LiveItem item;
  };
  struct Member {
    Wish wish;
    std::shared_ptr<http::EventStream> stream;
  };
  struct State {
    std::uint64_t next = 1;
    std::size_t bytes = 0;
    std::deque<Numbered> recent;
    std::vector<std::shared_ptr<Member>> members;
    MonoTime looked_at{INT64_MIN};  // when watched() last found a member
    bool resting = true;            // nothing is kept because nobody looks
  };
  std::string id_of(std::uint64_t number) const { return run_ + '.' + std::to_string(number); }
  // The number that an id of this run stands for.
  std::optional<std::uint64_t> number_of(std::string_view id) const;
  void greet(State& state, const Member& member) const;
  bool pass(const Numbered& numbered, const Member& member) const;

  const std::string run_;
  const std::shared_ptr<Guarded<State>> state_;  // shared with the ends of streams
  Counter& published_;
  Counter& resets_;
};

}  // namespace holdfast::api

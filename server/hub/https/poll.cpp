// The long poll: `GET /device/v1/next?wait_s=30`. It looks, and if there is nothing waits to be
// woken by the directory, until its time is over. One at a time for each device: a newer one ends
// the older.
#include <algorithm>
#include <charconv>

#include "libs/base/log.hpp"
#include "server/hub/down.hpp"
#include "server/hub/https/https.hpp"

namespace holdfast::hub {
namespace {

Result<Duration> wait_of(const http::Request& request) {
  const auto text = request.query_value("wait_s");
  if (!text) return Duration{};
  std::uint32_t number = 0;
  const auto end = text->data() + text->size();
  const auto [at, error] = std::from_chars(text->data(), end, number);
  if (error != std::errc{} || at != end || number > kPollWaitMax_s) {
    return fail(Code::invalid_argument, "wait_s is a whole number from 0 to 55");
  }
  return seconds(number);
}

std::string answer_text(const std::vector<control::Down>& messages) {
  std::string text = "{\"messages\":[";
  for (const auto& message : messages) {
    if (text.back() != '[') text += ',';
    text += "{\"id\":\"" + json_escape(message.key) + "\",\"topic\":\"" +
            json_escape(message.topic) + "\",\"payload\":" + string_of(message.payload) + "}";
  }
  return text + "]}";
}

// What waits and was not acknowledged, oldest first. On a worker.
Result<std::vector<control::Down>> look(Surroundings& around, DeviceId device) {
  const auto settled = TRY(around.sessions->mailbox(device));
  auto messages = TRY(around.control.pending(device, kPollMessagesMax + settled.size()));
  const auto now = around.now().wall;
  std::erase_if(messages, [&](const control::Down& each) {
    return std::ranges::find(settled, each.key) != settled.end() ||
           (each.deadline && *each.deadline <= now);
  });
  if (messages.size() > kPollMessagesMax) messages.resize(kPollMessagesMax);
  std::vector<std::string> keys;
  for (const auto& each : messages) keys.push_back(each.key);
  const auto told = TRY(tell_sent(around.control, device, keys, now));
  std::erase_if(messages, [&](const control::Down& each) {
    return std::ranges::find(told.dropped, each.key) != told.dropped.end();
  });
  return messages;
}

// On its loop, but for look().
class Poll final : public std::enable_shared_from_this<Poll> {
 public:
  Poll(std::shared_ptr<Surroundings> around, Asked asked, Duration wait)
      : around_(std::move(around)),
        asked_(std::move(asked)),
        wait_(wait),
        id_(around_->directory->new_id()) {}

  void start() {
    if (wait_ > Duration{}) {
      const Duration left = asked_.until - around_->now().wall;
      timer_ = around_->loop.after(std::min(wait_, left), [self = shared_from_this()] {
        if (self->around_->now().wall < self->asked_.until)
          return self->answer(std::vector<control::Down>{});
        self->answer(fail(Code::certificate_expired, "the certificate has ended during the poll"));
      });
      asked_.responder.on_gone([weak = weak_from_this(), lane = around_->lane] {
        lane->post([weak] {
          if (const auto self = weak.lock()) self->answer(std::vector<control::Down>{});
        });
      });
      watch();
    }
    find();
  }

 private:
  using Found = Result<std::vector<control::Down>>;

  void watch() {
    around_->directory->watch(asked_.device, id_, around_->lane,
                              [weak = weak_from_this()](Woken why) {
                                const auto self = weak.lock();
                                if (!self || self->done_) return;
                                if (why == Woken::over)
                                  return self->answer(std::vector<control::Down>{});
                                self->watch();  // before looking, so that nothing slips between
                                self->find();
                              });
  }

  void find() {
    if (std::exchange(finding_, true)) {
      again_ = true;
      return;
    }
    const bool taken = around_->workers.post([self = shared_from_this()] {
      auto found = look(*self->around_, self->asked_.device);
      self->around_->lane->post(
          [self, found = std::move(found)]() mutable { self->found(std::move(found)); });
    });
    if (!taken) answer(fail(Code::overloaded, "all workers are busy"));
  }

  void found(Found found) {
    finding_ = false;
    if (done_) return;
    if (!found || !found->empty() || wait_ == Duration{}) return answer(std::move(found));
    if (std::exchange(again_, false)) find();
  }

  void answer(Found found) {
    if (std::exchange(done_, true)) return;
    around_->loop.cancel(timer_);
    around_->directory->unwatch(asked_.device, id_);
    around_->devices.https_seen(asked_.device, asked_.request.peer.address, around_->now().wall);
    if (!found) return refuse(asked_, found.error());
    asked_.responder.send(http::json(200, answer_text(*found)));
  }

  const std::shared_ptr<Surroundings> around_;
  Asked asked_;
  const Duration wait_;
  const std::uint64_t id_;
  os::TimerId timer_ = os::TimerId::none;
  bool finding_ = false;
  bool again_ = false;
  bool done_ = false;
};

}  // namespace

void serve_next(Https& https, Asked asked) {
  const auto wait = wait_of(asked.request);
  if (!wait) return refuse(asked, wait.error());
  auto poll = std::make_shared<Poll>(https.shared_around(), std::move(asked), *wait);
  https.around().lane->post([poll] { poll->start(); });
}

}  // namespace holdfast::hub

#include "server/core/bus.hpp"

#include <map>
#include <mutex>

#include "libs/base/guarded.hpp"
#include "server/core/nats_bus.hpp"

namespace holdfast::core {

Status check_bus_message(std::string_view subject, std::string_view payload) {
  const bool good = !subject.empty() && subject.size() <= 128 &&
                    subject.find_first_not_of(
                        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
                        std::string_view::npos;
  if (!good)
    return fail(Code::invalid_argument,
                "not a subject of the bus: " + std::string(subject.substr(0, 40)));
  if (payload.size() > kBusPayloadBytesMax)
    return fail(Code::body_too_large, "a bus message holds 64 KiB at most");
  return {};
}

namespace {

// One subscriber: callbacks run under its lock, so that none runs or starts after it is gone. The
// lock is recursive because a callback may publish to its own subject.
struct LocalSubscriber {
  std::recursive_mutex mutex;
  Bus::Callback callback;  // empty: gone
};
using Subscribers = std::multimap<std::string, std::shared_ptr<LocalSubscriber>, std::less<>>;

class LocalSubscription final : public BusSubscription {
 public:
  explicit LocalSubscription(std::shared_ptr<LocalSubscriber> subscriber)
      : subscriber_(std::move(subscriber)) {}
  ~LocalSubscription() override {
    const std::scoped_lock lock(subscriber_->mutex);
    subscriber_->callback = nullptr;
  }

 private:
  std::shared_ptr<LocalSubscriber> subscriber_;
};

class LocalBus final : public Bus {
 public:
  Status publish(std::string_view subject, std::string_view payload) override {
    TRY(check_bus_message(subject, payload));
    std::vector<std::shared_ptr<LocalSubscriber>> targets;
    subscribers_.with([&](Subscribers& all) {
      std::erase_if(all, [](const auto& one) { return one.second.use_count() == 1; });
      const auto [first, last] = all.equal_range(subject);
      for (auto at = first; at != last; ++at) targets.push_back(at->second);
    });
    for (const auto& target : targets) {
      const std::scoped_lock lock(target->mutex);
      if (target->callback) target->callback(payload);
    }
    return {};
  }

  Result<std::unique_ptr<BusSubscription>> subscribe(std::string_view subject,
                                                     Callback callback) override {
    TRY(check_bus_message(subject, {}));
    auto subscriber = std::make_shared<LocalSubscriber>();
    subscriber->callback = std::move(callback);
    subscribers_.with([&](Subscribers& all) { all.emplace(std::string(subject), subscriber); });
    return std::make_unique<LocalSubscription>(std::move(subscriber));
  }

 private:
  Guarded<Subscribers> subscribers_;
};

}  // namespace

std::unique_ptr<Bus> make_local_bus() {
  return std::make_unique<LocalBus>();
}

Result<std::unique_ptr<Bus>> open_bus(const std::string& url) {
  if (!url.empty()) return make_nats_bus(url);
  return make_local_bus();
}

}  // namespace holdfast::core

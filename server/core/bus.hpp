// The `bus` port: wake-ups between the processes of one site. The outbox keeps notices, the bus
// only says that there are new ones (decision 14): a lost message delays, it never loses. Adapters:
// in process; NATS JetStream. Threads: any; callbacks come on a thread of the adapter's, or on the
// publisher's in process: post elsewhere at once.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"

namespace holdfast::core {

class Bus {
 public:
  using Callback = std::function<void(std::string_view payload)>;
  virtual ~Bus() = default;
  // Subjects: letters, digits, '.', '_', '-'; payload at most 64 KiB.
  virtual Status publish(std::string_view subject, std::string_view payload) = 0;
  // Until the answer is destroyed; no callback runs or starts after that.
  virtual Result<std::unique_ptr<class BusSubscription>> subscribe(std::string_view subject,
                                                                   Callback callback) = 0;
};

class BusSubscription {
 public:
  virtual ~BusSubscription() = default;
};

inline constexpr std::size_t kBusPayloadBytesMax = 64 * 1024;

// What every adapter asks first: subject and payload within bounds.
Status check_bus_message(std::string_view subject, std::string_view payload);

std::unique_ptr<Bus> make_local_bus();
// The adapter that the configuration names: NATS at `url`, or in process when it is empty.
Result<std::unique_ptr<Bus>> open_bus(const std::string& url);

}  // namespace holdfast::core

// Operator: a person at another machine who speaks to the server through the API: makes claims,
// sends commands, reads what there is. Each wish has an Idempotency-Key and is asked again until
// the server has answered it. One thread; callbacks run inside events.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "libs/http/client.hpp"
#include "libs/http/target.hpp"
#include "libs/wire/json.hpp"
#include "sim/server_host.hpp"

namespace holdfast::sim {

class Operator {
 public:
  using Done = std::move_only_function<void(Result<wire::Json>)>;

  Operator(os::sim::Simulation& world, ServerHost& server);

  // One try. `key`: "" for none. What is no 2xx is an error.
  void ask(const std::string& method, const std::string& target, const wire::Json& body,
           const std::string& key, Done done);
  // Drives the simulation until the answer is there, asking again for up to `patience` whatever
  // may pass. From outside of events; `between` runs every quarter of a second.
  Result<wire::Json> insist(const std::string& method, const std::string& target,
                            const wire::Json& body, const std::string& key, Duration patience,
                            const std::function<void()>& between);
  // All of a list's items, page after page.
  Result<wire::JsonArray> all(const std::string& path, http::Params query, std::string_view member,
                              const std::function<void()>& between);
  std::uint64_t answered() const { return answered_; }

 private:
  Status connect();
  static constexpr Duration kAnswerLimit = seconds(10);
  static constexpr Duration kPatience = minutes(2);

  os::sim::Simulation& world_;
  ServerHost& server_;
  os::sim::Node& node_;
  Metrics metrics_;
  std::unique_ptr<crypto::Transport> transport_;
  std::unique_ptr<http::Client> client_;
  std::uint64_t answered_ = 0;
};

}  // namespace holdfast::sim

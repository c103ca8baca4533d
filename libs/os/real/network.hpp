// TCP over non-blocking sockets, waited for by the loop (real/loop.hpp). Sockets are close-on-exec,
// have TCP_NODELAY and never raise SIGPIPE.
// Threads: listen() from any, connect() on its loop.
#pragma once

#include <memory>
#include <set>

#include "libs/base/guarded.hpp"
#include "libs/os/network.hpp"

namespace holdfast::os::real {

class Resolver;

class RealNetwork final : public Network {
 public:
  RealNetwork();
  ~RealNetwork() override;
  Result<std::unique_ptr<Listener>> listen(Loop& loop, const Endpoint& at,
                                           AcceptFn accept) override;
  void connect(Loop& loop, const Endpoint& to, MonoTime deadline, ConnectFn done) override;
  std::string host_name() const override;
  std::vector<std::string> interface_addresses() const override;

 private:
  // Ports that this object listens on: their further listeners join in, strangers' do not.
  const std::shared_ptr<Guarded<std::multiset<std::uint16_t>>> ports_;
  const std::shared_ptr<Resolver> resolver_;
};

}  // namespace holdfast::os::real

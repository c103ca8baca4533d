#include "libs/os/real/network.hpp"

#include <ifaddrs.h>
#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <deque>

#include "libs/os/real/errno.hpp"
#include "libs/os/real/loop.hpp"
#include "libs/os/real/resolver.hpp"
#include "libs/os/real/stream.hpp"

namespace holdfast::os::real {
namespace {

constexpr int kBacklog = 4096;  // connections; the kernel lowers it to net.core.somaxconn
constexpr Duration kTryMax = seconds(20);  // for one of several addresses of a name

std::shared_ptr<LoopCore> core_of(Loop& loop) {
  auto* real = dynamic_cast<RealLoop*>(&loop);
  assert(real != nullptr);  // a simulated loop has a simulated network
  return real->core();
}

Status set_on(const Fd& socket, int option) {
  const int on = 1;
  if (::setsockopt(socket.get(), SOL_SOCKET, option, &on, sizeof on) < 0) {
    return socket_error(errno, "set up a socket");
  }
  return {};
}

Result<Fd> bind_and_listen(const Address& at, bool join) {
  Fd socket(::socket(at.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return socket_error(errno, "make a socket");
  TRY(set_on(socket, SO_REUSEADDR));
  // The first listener binds alone, so that a second program on the same port is an error and not a
  // thief of half the connections; those that follow in this program join it.
  if (join) TRY(set_on(socket, SO_REUSEPORT));
  if (at.family() == AF_INET6) {
    const int only =
        IN6_IS_ADDR_UNSPECIFIED(&reinterpret_cast<const sockaddr_in6&>(at.storage).sin6_addr) ? 0
                                                                                              : 1;
    ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
  }
  const std::string action = "listen on " + at.text();
  if (::bind(socket.get(), at.get(), at.size) < 0) return socket_error(errno, action);
  if (!join) TRY(set_on(socket, SO_REUSEPORT));
  if (::listen(socket.get(), kBacklog) < 0) return socket_error(errno, action);
  return socket;
}

Result<Fd> open_listener(const Endpoint& at, bool join) {
  if (!at.host.empty()) {
    const auto found = TRY(look_up(at, Lookup::names, true));
    return bind_and_listen(found.front(), join);
  }
  auto both = bind_and_listen(any_address(AF_INET6, at.port), join);
  if (both || ::access("/proc/net/if_inet6", F_OK) == 0) return both;
  return bind_and_listen(any_address(AF_INET, at.port), join);  // a kernel without IPv6
}

// One connect() under way: its addresses in turn, each with a share of the time.
class Connecting final : public std::enable_shared_from_this<Connecting> {
 public:
  Connecting(std::shared_ptr<LoopCore> core, Endpoint to, MonoTime deadline, ConnectFn done)
      : core_(std::move(core)), to_(std::move(to)), deadline_(deadline), done_(std::move(done)) {}

  void start(Resolver& resolver) {
    // The timer owns what `done` owns: when the loop ends, it must not live on in a look-up.
    std::shared_ptr<void> last(nullptr, [self = shared_from_this()](void*) { self->done_ = {}; });
    deadline_timer_ = core_->at(deadline_, [self = shared_from_this(), last] {
      self->finish(fail(Code::deadline_exceeded,
                        "no connection to " + self->to_.text() + " in time; is it reachable?"));
    });
    if (auto numeric = look_up(to_, Lookup::numeric)) return post_found(std::move(numeric));
    // The loop may end first: what is then posted is dropped.
    const auto queued = resolver.look_up(
        to_, [self = shared_from_this()](auto found) { self->post_found(std::move(found)); });
    if (!queued) post_found(std::unexpected(queued.error()));
  }

 private:
  void post_found(Result<std::vector<Address>> found) {
    core_->post([self = shared_from_this(), found = std::move(found)]() mutable {
      if (!found) return self->finish(std::unexpected(std::move(found).error()));
      self->addresses_.assign(found->begin(), found->end());
      self->next();
    });
  }

  void next() {
    if (!done_) return;
    if (addresses_.empty()) return finish(std::unexpected(last_error_));
    const Address address = addresses_.front();
    addresses_.pop_front();
    Fd socket(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const std::string action = "connect to " + to_.text() + " at " + address.text();
    if (!socket.valid()) return failed(errno, action);
    const int result = ::connect(socket.get(), address.get(), address.size);
    if (result < 0 && errno != EINPROGRESS) return failed(errno, action);
    watch_ = Watch::make(core_, socket.release());
    watch_->wait(Watch::kWritable, [self = shared_from_this(), action] { self->arrived(action); });
    if (addresses_.empty()) return;
    const MonoTime now = RealClock{}.mono();
    const auto rounds = static_cast<std::int64_t>(addresses_.size()) + 1;
    const Duration share = std::min(Duration{(deadline_ - now).us / rounds}, kTryMax);
    try_timer_ = core_->at(
        now + share, [self = shared_from_this(), action] { self->failed(ETIMEDOUT, action); });
  }

  void arrived(const std::string& action) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(watch_->fd(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return failed(error, action);
    finish(make_stream(core_, Fd(watch_->release())));
  }

  void failed(int error, const std::string& action) {
    core_->cancel(std::exchange(try_timer_, TimerId::none));
    if (watch_) watch_->close();
    // The deadline is the caller's; that the kernel gave up is one more way to be unavailable.
    last_error_ = socket_error(error, action).error();
    last_error_.code = Code::unavailable;
    next();
  }

  void finish(Result<std::unique_ptr<Stream>> result) {
    auto done = std::exchange(done_, {});
    if (!done) return;
    core_->cancel(deadline_timer_);
    core_->cancel(try_timer_);
    if (watch_) watch_->close();
    done(std::move(result));
  }

  const std::shared_ptr<LoopCore> core_;
  const Endpoint to_;
  const MonoTime deadline_;
  ConnectFn done_;
  TimerId deadline_timer_ = TimerId::none;
  TimerId try_timer_ = TimerId::none;
  std::deque<Address> addresses_;
  std::shared_ptr<Watch> watch_;
  Error last_error_{Code::unavailable, "no address", {}, {}, {}};
};

bool worth_telling(const ifaddrs& row) {
  if (row.ifa_addr == nullptr || (row.ifa_flags & IFF_UP) == 0) return false;
  if ((row.ifa_flags & IFF_LOOPBACK) != 0) return false;
  if (row.ifa_addr->sa_family == AF_INET) {
    const auto address = ntohl(reinterpret_cast<const sockaddr_in*>(row.ifa_addr)->sin_addr.s_addr);
    return address >> 16 != 0xA9FE;  // 169.254/16, RFC 3927
  }
  if (row.ifa_addr->sa_family == AF_INET6) {
    return !IN6_IS_ADDR_LINKLOCAL(&reinterpret_cast<const sockaddr_in6*>(row.ifa_addr)->sin6_addr);
  }
  return false;
}

}  // namespace

RealNetwork::RealNetwork()
    : ports_(std::make_shared<Guarded<std::multiset<std::uint16_t>>>()),
      resolver_(std::make_shared<Resolver>()) {}
RealNetwork::~RealNetwork() = default;

Result<std::unique_ptr<Listener>> RealNetwork::listen(Loop& loop, const Endpoint& at,
                                                      AcceptFn accept) {
  const bool join = ports_->with([&](const auto& ports) { return ports.contains(at.port); });
  Fd socket = TRY(open_listener(at, join));
  Address own;
  if (::getsockname(socket.get(), own.get(), &own.size) < 0) return socket_error(errno, "listen");
  const std::uint16_t port = own.port();
  ports_->with([&](auto& ports) { ports.insert(port); });
  return make_listener(core_of(loop), std::move(socket), std::move(accept), [ports = ports_, port] {
    ports->with([&](auto& all) { all.extract(port); });
  });
}

void RealNetwork::connect(Loop& loop, const Endpoint& to, MonoTime deadline, ConnectFn done) {
  std::make_shared<Connecting>(core_of(loop), to, deadline, std::move(done))->start(*resolver_);
}

std::string RealNetwork::host_name() const {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) < 0) return "localhost";
  return name.data();
}

std::vector<std::string> RealNetwork::interface_addresses() const {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) < 0) return {};
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owned(first, &::freeifaddrs);
  std::vector<std::string> out;
  for (const ifaddrs* row = first; row != nullptr; row = row->ifa_next) {
    if (!worth_telling(*row)) continue;
    Address address;
    address.size = row->ifa_addr->sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    std::memcpy(&address.storage, row->ifa_addr, address.size);
    out.push_back(address.host());
  }
  std::ranges::sort(out);
  const auto repeated = std::ranges::unique(out);
  out.erase(repeated.begin(), repeated.end());
  return out;
}

}  // namespace holdfast::os::real

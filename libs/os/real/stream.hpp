// A connected TCP socket, and a listening one. On their loop only.
#pragma once

#include <memory>

#include "libs/os/network.hpp"
#include "libs/os/real/address.hpp"
#include "libs/os/real/errno.hpp"
#include "libs/os/real/loop.hpp"

namespace holdfast::os::real {

// Takes a connected, non-blocking socket.
std::unique_ptr<Stream> make_stream(std::shared_ptr<LoopCore> core, Fd socket);

// Takes a listening, non-blocking socket. `ended` runs when the listener is gone.
std::unique_ptr<Listener> make_listener(std::shared_ptr<LoopCore> core, Fd socket, AcceptFn accept,
                                        Task ended);

}  // namespace holdfast::os::real

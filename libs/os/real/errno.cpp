#include "libs/os/real/errno.hpp"

#include <string>
#include <system_error>

namespace holdfast::os::real {
namespace {

std::string text_of(int error, std::string_view action) {
  return std::string(action) + ": " + std::generic_category().message(error);
}

}  // namespace

std::unexpected<Error> file_error(int error, std::string_view action, std::string_view path) {
  const std::string text = text_of(error, std::string(action) + " " + std::string(path));
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return fail(Code::not_found, text);
    case EEXIST:
    case ENOTEMPTY:
      return fail(Code::already_exists, text);
    case ENOSPC:
    case EDQUOT:
      return fail(Code::disk_full, text + "; free some space or move the data folder");
    case EACCES:
    case EPERM:
    case EROFS:
      return fail(Code::forbidden, text + "; check who owns it and its mode");
    default:
      return fail(Code::io_error, text);
  }
}

std::unexpected<Error> socket_error(int error, std::string_view action) {
  const std::string text = text_of(error, action);
  switch (error) {
    case EAGAIN:
#if EAGAIN != EWOULDBLOCK
    case EWOULDBLOCK:
#endif
      return fail(Code::would_block, text);
    case EPIPE:
    case ECONNRESET:
    case ECONNABORTED:
    case ENOTCONN:
    case EBADF:
      return fail(Code::closed, text);
    case ETIMEDOUT:
      return fail(Code::deadline_exceeded, text);
    case EACCES:
    case EPERM:
      return fail(Code::forbidden, text + "; ports below 1024 need CAP_NET_BIND_SERVICE");
    case EADDRINUSE:
      return fail(Code::unavailable,
                  text + "; stop the program that uses it or choose another port");
    default:
      return fail(Code::unavailable, text);
  }
}

}  // namespace holdfast::os::real

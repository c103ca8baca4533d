#include "libs/http/request_parser.hpp"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

namespace holdfast::http {

namespace beast = boost::beast;
using beast::error_code;

namespace {

// Room reserved for a body at first: Content-Length is only a promise.
constexpr std::size_t kBodyReserveMax = 64 * 1024;

std::string text_from(beast::string_view text) {
  return {text.data(), text.size()};
}

std::unexpected<Error> refuse_as(Code code, std::string_view what) {
  return fail(code, "The request " + std::string(what) + ".");
}

Error error_from(error_code ec) {
  if (ec == beast::http::error::header_limit) {
    return Error{Code::header_too_large, "The request's header is too large.", {}, {}, {}};
  }
  if (ec == beast::http::error::bad_version) {
    return Error{Code::malformed_body, "The request is not HTTP/1.0 or HTTP/1.1.", {}, {}, {}};
  }
  return Error{
      Code::malformed_body, "The request cannot be read: " + ec.message() + ".", {}, {}, {}};
}

}  // namespace

struct RequestParser::Reader final : beast::http::basic_parser<true> {
  Request request;
  std::string target;
  std::optional<Error> refused;  // why a call-back stopped the parser
  std::size_t body_max = 0;
  bool header_done = false;

  explicit Reader(std::size_t header_max) {
    header_limit(static_cast<std::uint32_t>(header_max));
    body_limit(boost::none);  // counted in take()
    eager(false);
  }

  bool stop(Code code, std::string_view message, error_code& ec) {
    refused = Error{code, std::string(message), {}, {}, {}};
    ec = beast::http::error::bad_value;
    return false;
  }

  void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view uri,
                       int version, error_code&) override {
    request.method = text_from(method);
    request.http11 = version >= 11;
    target = text_from(uri);
  }

  void on_response_impl(int, beast::string_view, int, error_code& ec) override {
    ec = beast::http::error::bad_version;
  }

  void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value,
                     error_code& ec) override {
    if (header_done) return;  // trailers are read and dropped
    if (request.headers.size() == kHeaderCountMax) {
      stop(Code::header_too_large, "The request has more than 100 headers.", ec);
      return;
    }
    request.headers.add(text_from(name), text_from(value));
  }

  void on_header_impl(error_code& ec) override {
    header_done = true;
    ec = {};
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code& ec) override {
    ec = {};
    if (length) request.body.reserve(std::min<std::uint64_t>(*length, kBodyReserveMax));
  }

  std::size_t take(beast::string_view piece, error_code& ec) {
    ec = {};
    if (piece.size() > body_max - request.body.size()) {
      stop(Code::body_too_large, too_large(), ec);
      return 0;
    }
    const auto* data = reinterpret_cast<const std::uint8_t*>(piece.data());
    request.body.insert(request.body.end(), data, data + piece.size());
    return piece.size();
  }

  std::string too_large() const {
    return "The body may have " + std::to_string(body_max) + " bytes here.";
  }

  std::size_t on_body_impl(beast::string_view piece, error_code& ec) override {
    return take(piece, ec);
  }

  void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code& ec) override { ec = {}; }

  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view piece, error_code& ec) override {
    return take(piece, ec);
  }

  void on_finish_impl(error_code& ec) override { ec = {}; }
};

RequestParser::RequestParser(std::size_t header_max)
    : reader_(std::make_unique<Reader>(header_max)) {}
RequestParser::~RequestParser() = default;

Result<std::size_t> RequestParser::feed(View bytes) {
  std::size_t taken = 0;
  const bool had_head = reader_->is_header_done();
  while (taken < bytes.size() && !reader_->is_done()) {
    error_code ec;
    const View rest = bytes.subspan(taken);
    taken += reader_->put(boost::asio::const_buffer(rest.data(), rest.size()), ec);
    if (ec == beast::http::error::need_more) break;
    if (ec) {
      return std::unexpected(reader_->refused ? *reader_->refused : error_from(ec));
    }
    if (!had_head && reader_->is_header_done()) break;
  }
  return taken;
}

bool RequestParser::head_done() const {
  return reader_->is_header_done();
}
bool RequestParser::done() const {
  return reader_->is_done();
}
Request& RequestParser::request() {
  return reader_->request;
}
bool RequestParser::keep_alive() const {
  return reader_->keep_alive();
}

bool RequestParser::expects_continue() const {
  return reader_->request.http11 && reader_->request.headers.lists("Expect", "100-continue");
}

bool RequestParser::has_body() const {
  return reader_->chunked() || reader_->content_length().value_or(0) > 0;
}

Status RequestParser::finish_head() {
  Request& request = reader_->request;
  if (request.headers.has("Transfer-Encoding")) {
    // Anything else than "chunked" alone is read in two ways by two programs in a row.
    const bool chunked = same_name(*request.headers.get("Transfer-Encoding"), "chunked");
    if (!chunked || !request.http11 || !reader_->chunked()) {
      return refuse_as(Code::malformed_body, "has a Transfer-Encoding other than chunked");
    }
  }
  const auto hosts = std::ranges::count_if(
      request.headers, [](const Header& header) { return same_name(header.name, "Host"); });
  if (hosts > 1 || (hosts == 0 && request.http11)) {
    return refuse_as(Code::malformed_body, "must have exactly one Host header");
  }
  Target target = TRY(parse_target(reader_->target));
  request.path = std::move(target.path);
  request.segments = std::move(target.segments);
  request.query = std::move(target.query);
  return {};
}

Status RequestParser::set_body_max(std::size_t bytes) {
  reader_->body_max = bytes;
  if (reader_->content_length().value_or(0) > bytes) {
    return fail(Code::body_too_large, reader_->too_large());
  }
  return {};
}

}  // namespace holdfast::http

#include "libs/http/request_parser.hpp"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "libs/http/chunk_reader.hpp"

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
  std::size_t body_max = 0;
  bool header_done = false;
  std::uint64_t left = 0;  // bytes of a body with a length
  ChunkReader chunks{Code::malformed_body};

  explicit Reader(std::size_t header_max) {
    header_limit(static_cast<std::uint32_t>(header_max));
    body_limit(boost::none);  // counted in take()
    eager(false);
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
    if (request.headers.size() == kHeaderCountMax) {
      ec = beast::http::error::header_limit;
      return;
    }
    request.headers.add(text_from(name), text_from(value));
  }

  void on_header_impl(error_code& ec) override {
    header_done = true;
    left = content_length().value_or(0);
    ec = {};
  }

  // Beast reads headers only: these are never called.
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(beast::string_view, error_code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view, error_code&) override {
    return 0;
  }
  void on_finish_impl(error_code& ec) override { ec = {}; }

  bool whole() const {
    if (!header_done) return false;
    return chunked() ? chunks.done() : left == 0;
  }

  Status take(View piece) {
    if (piece.size() > body_max - request.body.size()) {
      return fail(Code::body_too_large, too_large());
    }
    append(request.body, piece);
    return {};
  }

  std::string too_large() const {
    return "The body may have " + std::to_string(body_max) + " bytes here.";
  }
};

RequestParser::RequestParser(std::size_t header_max)
    : reader_(std::make_unique<Reader>(header_max)) {}
RequestParser::~RequestParser() = default;

Result<std::size_t> RequestParser::feed(View bytes) {
  if (!reader_->header_done) return feed_head(bytes);
  if (reader_->chunked()) {
    return reader_->chunks.feed(bytes, [this](View piece) { return reader_->take(piece); });
  }
  const View piece = bytes.first(std::min<std::uint64_t>(reader_->left, bytes.size()));
  TRY(reader_->take(piece));
  reader_->left -= piece.size();
  return piece.size();
}

Result<std::size_t> RequestParser::feed_head(View bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size() && !reader_->header_done) {
    error_code ec;
    const View rest = bytes.subspan(taken);
    taken += reader_->put(boost::asio::const_buffer(rest.data(), rest.size()), ec);
    if (ec == beast::http::error::need_more) break;
    if (ec) return std::unexpected(error_from(ec));
  }
  return taken;
}

bool RequestParser::head_done() const {
  return reader_->header_done;
}
bool RequestParser::done() const {
  return reader_->whole();
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
  reader_->request.body.reserve(std::min<std::uint64_t>(reader_->left, kBodyReserveMax));
  return {};
}

}  // namespace holdfast::http

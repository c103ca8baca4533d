// ClientPool and ClientConnection: what is behind a Client. Private to it.
//
// The pool holds the requests that wait and the connections. A connection carries one request at a
// time and tells the pool how it ended. All on one loop.
#pragma once

#include <deque>
#include <list>
#include <memory>

#include "libs/http/client.hpp"

namespace holdfast::http {

struct ClientJob {
  RequestTag tag = RequestTag::none;
  ClientRequest request;
  ResponseFn done;
  bool repeated = false;  // was sent once more already
  os::TimerId timer = os::TimerId::none;
};

class ClientPool;

class ClientConnection final : public std::enable_shared_from_this<ClientConnection> {
 public:
  ClientConnection(ClientPool& pool, std::unique_ptr<crypto::SecureStream> stream,
                   std::uint64_t generation)
      : pool_(&pool), stream_(std::move(stream)), generation_(generation) {}

  void run(std::shared_ptr<ClientJob> job, std::string_view host);
  bool idle() const { return job_ == nullptr && stream_ != nullptr; }
  std::uint64_t generation() const { return generation_; }
  const std::shared_ptr<ClientJob>& job() const { return job_; }
  // Closes at once, without a word to the pool. The job, if any, is the caller's.
  void drop();
  void rest();  // waits, idle, for the server to close or the idle limit

 private:
  void send_more();
  void on_readable();
  Result<std::size_t> take(View bytes);
  Status take_piece(View piece);
  Status report_head();
  void on_end(Error why);
  void finish(bool clean);
  void fail(Error error);
  void watch_silence();
  void wait_readable();
  void stop_timer();

  ClientPool* pool_;  // null after drop()
  std::unique_ptr<crypto::SecureStream> stream_;
  const std::uint64_t generation_;
  std::shared_ptr<ClientJob> job_;
  std::size_t used_ = 0;  // requests before this one
  std::string out_;       // head of the request, until it is written
  std::size_t body_at_ = 0;
  bool sending_ = false;
  bool waits_readable_ = false;
  bool head_reported_ = false;
  ResponseParser parser_;
  Bytes body_;
  MonoTime heard_{};  // when the last piece came
  os::TimerId timer_ = os::TimerId::none;
};

class ClientPool final : public std::enable_shared_from_this<ClientPool> {
 public:
  ClientPool(os::Loop& on, crypto::Transport& over, os::Endpoint server,
             crypto::ClientSettings settings, ClientOptions options);

  RequestTag send(ClientRequest request, ResponseFn done);
  void cancel(RequestTag tag);
  void replace(crypto::ClientSettings settings);
  void stop();

  // For connections.
  void answered(const std::shared_ptr<ClientJob>& job, Result<ClientResponse> result);
  void repeat(std::shared_ptr<ClientJob> job);
  void ended(ClientConnection& connection);  // it is closed: forget it
  void idle(ClientConnection& connection);   // it can take another request

  os::Loop& loop;
  const ClientOptions options;
  Bytes scratch;  // what one read brings; used within one call only

 private:
  void dispatch();
  void connect();
  void connected(std::uint64_t generation, Result<std::unique_ptr<crypto::SecureStream>> stream);
  void give_up(RequestTag tag, Error error);

  crypto::Transport& transport_;
  const os::Endpoint server_;
  const std::string host_;  // the Host header
  crypto::ClientSettings settings_;
  std::uint64_t generation_ = 0;  // of the settings
  std::uint64_t next_tag_ = 0;
  std::deque<std::shared_ptr<ClientJob>> waiting_;
  std::list<std::shared_ptr<ClientConnection>> connections_;
  std::size_t connecting_ = 0;
  bool stopped_ = false;
};

}  // namespace holdfast::http

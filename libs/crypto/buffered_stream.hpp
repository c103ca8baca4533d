// The half of a SecureStream that TLS and plain share: a bounded buffer of pending writes, flushed
// once a turn of the loop, waiting, breaking and shutting down. Private to libs/crypto.
//
// Writes of one turn leave together: a reply for each message of a read costs fifty times as much
// as one write for all. A call-back may destroy the stream; nothing here touches it afterwards.
#pragma once

#include <memory>

#include "libs/crypto/transport.hpp"

namespace holdfast::crypto {

class BufferedStream : public SecureStream {
 public:
  BufferedStream(os::Loop& loop, std::unique_ptr<os::Stream> stream, Peer peer,
                 std::size_t write_pending_max);
  ~BufferedStream() override;

  const Peer& peer() const final { return peer_; }
  Result<std::size_t> read(std::span<std::uint8_t> into) final;
  Status write(View bytes) final;
  std::size_t write_pending() const final { return pending_.size() - sent_; }
  void wait_readable(os::Task ready) final;
  void wait_drained(os::Task drained) final;
  void shut() final;

 protected:
  virtual Result<std::size_t> get(std::span<std::uint8_t> into) = 0;  // as SecureStream::read
  virtual Result<std::size_t> put(View bytes) = 0;                    // as os::Stream::write
  virtual bool has_input()
      const = 0;  // readable without the socket: decrypted, or just decryptable
  virtual bool read_wants_write() const = 0;
  virtual void say_goodbye() = 0;
  os::Stream& stream() { return *stream_; }

 private:
  void post(void (BufferedStream::*act)());
  void schedule_flush();
  void flush();
  void send_end();
  void break_off(Error why);
  void wake_reader();
  void wake_drained();
  void time_is_up();

  os::Loop& loop_;
  std::unique_ptr<os::Stream> stream_;
  Peer peer_;
  const std::size_t write_pending_max_;
  Bytes pending_;
  std::size_t sent_ = 0;         // of pending_
  std::optional<Error> broken_;  // writing is over; reading still tells what the peer said last
  os::Task reader_, drained_;
  bool flushing_ = false;  // posted, or waiting for the socket
  bool shut_ = false;
  bool closed_ = false;
  os::TimerId shut_timer_ = os::TimerId::none;
  std::shared_ptr<BufferedStream*> self_;  // what posted tasks hold; null when this is gone
};

}  // namespace holdfast::crypto

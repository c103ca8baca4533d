// Watchers: who wants to hear of an object: pages that follow it, callers that wait for its end.
// Bounded: beyond `most` nobody more is let in.
// Threads: all calls from any thread. Call-backs run on the thread that tells, without a lock; one
// may still run while forget() returns.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "libs/base/guarded.hpp"

namespace holdfast::core {

template <class Key>
class Watchers final {
 public:
  using Told = std::function<void()>;

  explicit Watchers(std::size_t most) : most_(most) {}

  // The number is for forget(); nullopt: there are too many.
  std::optional<std::uint64_t> add(Key key, Told told) {
    return book_.with([&](Book& book) -> std::optional<std::uint64_t> {
      if (book.all.size() >= most_) return std::nullopt;
      book.all.emplace(book.next, Watcher{std::move(key), std::move(told)});
      return book.next++;
    });
  }
  void forget(std::uint64_t number) {
    book_.with([&](Book& book) { book.all.erase(number); });
  }
  // Of news: all who watch `key`, in the order in which they came.
  void tell(const Key& key) const {
    const auto interested = book_.with([&](const Book& book) {
      std::vector<Told> out;
      for (const auto& [number, watcher] : book.all) {
        if (watcher.key == key) out.push_back(watcher.told);
      }
      return out;
    });
    for (const Told& told : interested) told();
  }
  // Of the last news: each is told once and forgotten.
  void tell_last(const Key& key) {
    const auto interested = book_.with([&](Book& book) {
      std::vector<Told> out;
      std::erase_if(book.all, [&](auto& entry) {
        if (entry.second.key != key) return false;
        out.push_back(std::move(entry.second.told));
        return true;
      });
      return out;
    });
    for (const Told& told : interested) told();
  }
  std::size_t size() const {
    return book_.with([](const Book& book) { return book.all.size(); });
  }

 private:
  struct Watcher {
    Key key;
    Told told;
  };
  struct Book {
    std::uint64_t next = 1;
    std::map<std::uint64_t, Watcher> all;
  };
  const std::size_t most_;
  Guarded<Book> book_;
};

}  // namespace holdfast::core

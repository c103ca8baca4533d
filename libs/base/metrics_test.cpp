#include "libs/base/metrics.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace holdfast {
namespace {

TEST(Metrics, TheSameNameAndLabelsAreOneCounter) {
  Metrics metrics;
  Counter& one = metrics.counter("holdfast_hub_packets_total", "Packets.", "kind=\"publish\"");
  Counter& same = metrics.counter("holdfast_hub_packets_total", "Packets.", "kind=\"publish\"");
  Counter& other = metrics.counter("holdfast_hub_packets_total", "Packets.", "kind=\"ping\"");
  EXPECT_EQ(&one, &same);
  EXPECT_NE(&one, &other);
  one.add();
  same.add(41);
  EXPECT_EQ(one.value(), 42U);
  EXPECT_EQ(other.value(), 0U);
}

TEST(Metrics, TextIsPrometheus) {
  Metrics metrics;
  metrics.gauge("holdfast_b_bytes", "Bytes now.", [] { return 1.5; });
  metrics.counter("holdfast_a_total", "All.", "kind=\"x\"").add(3);
  metrics.gauge("holdfast_c_seconds", "Seconds.", [] { return 2.0; }, "of=\"y\"");
  metrics.counter("holdfast_a_total", "All.", "kind=\"y\"");
  EXPECT_EQ(metrics.text(),
            "# HELP holdfast_a_total All.\n"
            "# TYPE holdfast_a_total counter\n"
            "holdfast_a_total{kind=\"x\"} 3\n"
            "holdfast_a_total{kind=\"y\"} 0\n"
            "# HELP holdfast_b_bytes Bytes now.\n"
            "# TYPE holdfast_b_bytes gauge\n"
            "holdfast_b_bytes 1.5\n"
            "# HELP holdfast_c_seconds Seconds.\n"
            "# TYPE holdfast_c_seconds gauge\n"
            "holdfast_c_seconds{of=\"y\"} 2\n");
}

TEST(Metrics, AGaugeRegisteredAgainReplacesTheFirst) {
  Metrics metrics;
  metrics.gauge("g", "G.", [] { return 1.0; });
  metrics.gauge("g", "G.", [] { return 2.0; });
  EXPECT_EQ(metrics.text(), "# HELP g G.\n# TYPE g gauge\ng 2\n");
}

TEST(Metrics, AGaugeMayUseTheMetrics) {
  Metrics metrics;
  Counter& counter = metrics.counter("a", "A.");
  counter.add(7);
  metrics.gauge("b", "B.", [&] { return static_cast<double>(metrics.counter("a", "A.").value()); });
  EXPECT_NE(metrics.text().find("\nb 7\n"), std::string::npos);
}

TEST(Metrics, CountsFromManyThreads) {
  Metrics metrics;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) metrics.counter("n", "N.").add();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(metrics.counter("n", "N.").value(), 4000U);
}

}  // namespace
}  // namespace holdfast

// holdfast-agent: joins this machine to a Holdfast server, and runs as its device.
//   holdfast-agent join - [--again] [--state DIR]   the join code comes on standard input
//   holdfast-agent run | status | doctor [--state DIR]
// Logs go to standard error. SIGINT and SIGTERM end it within five seconds.
#include "agent/program.hpp"

int main(int argc, char** argv) {
  return holdfast::agent::run_program({argv + 1, argv + argc}, HOLDFAST_VERSION);
}

// holdfast-sim: plays seeds of the whole system and says what broke. Wiring only: see program.hpp.
#include "sim/program.hpp"

int main(int argc, char** argv) {
  return holdfast::sim::run_program({argv + 1, argv + argc});
}

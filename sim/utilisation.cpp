// Feeds a compiled `sim.utilisation.Meter` and reads it. Arguments: records to take before it counts, records to count
// over, multipliers. Prints the clocks that it counted over, then those in which each multiplier was in use.

#include "Vtop.h"
#include "verilated.h"

#include <cstdint>
#include <cstdio>
#include <random>
#include <string>

int main(int, char **argv) {
    const uint64_t before = std::stoull(argv[1]), records = std::stoull(argv[2]);
    const unsigned multipliers = std::stoul(argv[3]);
    VerilatedContext context;
    Vtop top(&context);
    std::mt19937 noise;
    top.rst = 0;
    uint64_t clocks = 0;
    for (uint64_t taken = 0;;) {
        top.clk = 0;
        top.noise = noise();
        top.counting = 0;
        top.eval();
        taken += top.taken;
        if (taken > before + records) break;
        top.counting = taken > before;  // from the clock in which a record is taken
        clocks += top.counting;
        top.eval();
        top.clk = 1;
        top.eval();
    }
    std::printf("%llu\n", static_cast<unsigned long long>(clocks));
    for (unsigned number = 0; number < multipliers; ++number) {
        top.select = number;
        top.eval();
        std::printf("%llu\n", static_cast<unsigned long long>(top.used));
    }
}

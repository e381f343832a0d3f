// Drives the operands of two products, at random and at the ends of their range, and prints how many results differed and
// how many there were that were not zero. Arguments: the number of the pair, and the widths of the operands in bits.

#include "Vtop.h"
#include "verilated.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

int main(int, char** arguments) {
    VerilatedContext context;
    Vtop top(&context);
    top.select = std::atoi(arguments[1]);
    std::mt19937 random(1);
    auto operand = [&](int width) -> uint32_t {
        const uint32_t least = uint32_t(1) << (width - 1);
        const uint32_t ends[] = {least, least + 1, ~uint32_t(0), 0, 1, least - 1};
        return random() % 4 ? random() : ends[random() % 6];
    };
    int different = 0, nonzero = 0;
    for (int cycle = 0; cycle < 100000; cycle++) {
        top.a = operand(std::atoi(arguments[2]));
        top.b = operand(std::atoi(arguments[3]));
        for (int clock : {0, 1}) {
            top.clk = clock;
            top.eval();
        }
        different += top.mapped != top.simulated;
        nonzero += top.simulated != 0;
    }
    std::printf("%d %d\n", different, nonzero);
}

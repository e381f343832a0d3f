// Drives the operands of two products, at random and at the ends of their range, and prints how many results differed and
// how many there were that were not zero.

#include "Vtop.h"
#include "verilated.h"

#include <cstdint>
#include <cstdio>
#include <random>

int main() {
    VerilatedContext context;
    Vtop top(&context);
    std::mt19937 random(1);
    const uint16_t ends[] = {0x8000, 0x8001, 0xffff, 0x0000, 0x0001, 0x7fff};
    auto operand = [&]() -> uint16_t { return random() % 4 ? random() : ends[random() % 6]; };
    int different = 0, nonzero = 0;
    for (int cycle = 0; cycle < 100000; cycle++) {
        top.a = operand();
        top.b = operand();
        for (int clock : {0, 1}) {
            top.clk = clock;
            top.eval();
        }
        different += top.mapped != top.simulated;
        nonzero += top.simulated != 0;
    }
    std::printf("%d %d\n", different, nonzero);
}

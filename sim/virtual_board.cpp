// Runs a compiled gateware as a board behind a pseudo-terminal: host bytes become a UART line into `rx`, and the UART
// line out of `tx` becomes host bytes. One argument: clock cycles per bit; a second one names a file for waveforms.
//
// The first line on stdout is the path of the port. After that every line on stdin is answered by a line on stdout with
// the number of cycles simulated so far. Ends on SIGTERM, on SIGINT, or when stdin closes, and prints the number again.

#include "Vtop.h"
#include "verilated.h"
#if VM_TRACE
#include "verilated_vcd_c.h"
#endif

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fcntl.h>
#include <memory>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <system_error>
#include <termios.h>
#include <unistd.h>

namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned slice = 512;               // cycles between two looks at the outside
constexpr unsigned reset_cycles = 16;
constexpr size_t host_to_board_bytes = 256;   // far more than the line sends in a slice: no gap inside a burst
constexpr size_t board_to_host_bytes = 1 << 20;  // a host that does not read stalls the board rather than losing bytes
constexpr auto quiet_after = std::chrono::seconds(10);  // then the board runs slowly until the host speaks again
constexpr int quiet_pause_ms = 2;

volatile std::sig_atomic_t stopped = 0;

void check(bool ok, const char *what) {
    if (!ok) throw std::system_error(errno, std::generic_category(), what);
}

class PseudoTerminal {
public:
    PseudoTerminal() : master(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
        check(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0, "pseudo-terminal");
        const char *name = ptsname(master);
        check(name != nullptr, "ptsname");
        path = name;
        // Held open so that a host may close the port and open it again.
        slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
        termios mode{};
        check(slave >= 0 && tcgetattr(slave, &mode) == 0, name);
        cfmakeraw(&mode);
        check(tcsetattr(slave, TCSANOW, &mode) == 0 && fcntl(master, F_SETFL, O_NONBLOCK) == 0, name);
    }

    // Moves what fits and returns whether a byte moved.
    bool receive(std::deque<uint8_t> &bytes) {
        uint8_t buffer[host_to_board_bytes];
        const ssize_t count = read(master, buffer, host_to_board_bytes - bytes.size());
        if (count > 0) bytes.insert(bytes.end(), buffer, buffer + count);
        return count > 0;
    }

    bool send(std::deque<uint8_t> &bytes) {
        uint8_t buffer[4096];
        const size_t wanted = std::min(bytes.size(), sizeof buffer);
        std::copy_n(bytes.begin(), wanted, buffer);
        const ssize_t count = write(master, buffer, wanted);
        if (count > 0) bytes.erase(bytes.begin(), bytes.begin() + count);
        return count > 0;
    }

    std::string path;
    int master;

private:
    int slave;
};

// Host's end of the line into the board, 8N1: call once a cycle for the level of the line.
class Transmitter {
public:
    explicit Transmitter(unsigned clocks_per_bit) : clocks_per_bit(clocks_per_bit) {}

    bool level() {
        if (clocks_left == 0) {
            frame >>= 1;
            if (frame == 0) {
                if (bytes.empty()) return true;
                frame = 0x200u | bytes.front() << 1;
                bytes.pop_front();
            }
            clocks_left = clocks_per_bit;
        }
        --clocks_left;
        return frame & 1;
    }

    std::deque<uint8_t> bytes;

private:
    const unsigned clocks_per_bit;
    unsigned frame = 0;  // bits still to send, the present one lowest, the stop bit highest
    unsigned clocks_left = 0;
};

// Host's end of the line out of the board, 8N1: samples in the middle of a bit; a byte without its stop bit is dropped.
class Receiver {
public:
    explicit Receiver(unsigned clocks_per_bit) : clocks_per_bit(clocks_per_bit) {}

    void sample(bool level) {
        if (bits_left == 0) {
            if (previous && !level) {
                bits_left = 10;
                clocks_left = clocks_per_bit / 2 - 1;
            }
            previous = level;
        } else if (clocks_left-- == 0) {
            clocks_left = clocks_per_bit - 1;
            frame = frame >> 1 | level << 9;
            if (--bits_left == 0) {
                if (level && !(frame & 1)) bytes.push_back(frame >> 1);
                else ++framing_errors;
                previous = level;
            }
        }
    }

    std::deque<uint8_t> bytes;
    uint64_t framing_errors = 0;

private:
    const unsigned clocks_per_bit;
    unsigned frame = 0;
    unsigned bits_left = 0;
    unsigned clocks_left = 0;
    bool previous = false;  // a line that starts low has yet to become idle
};

class Board {
public:
    explicit Board(const char *waves) {
#if VM_TRACE
        if (waves) {
            context.traceEverOn(true);
            top.trace(&trace, 99);
            trace.open(waves);
        }
#else
        if (waves) throw std::invalid_argument("compiled without waveforms");
#endif
        top.rx = 1;
        top.rst = 1;
        for (unsigned i = 0; i < reset_cycles; ++i) cycle();
        top.rst = 0;
    }

    ~Board() {
        top.final();
#if VM_TRACE
        trace.close();
#endif
    }

    bool cycle(bool rx = true) {
        top.rx = rx;
        half(0);
        half(1);
        ++cycles;
        return top.tx;
    }

    bool finished() const { return context.gotFinish(); }

    uint64_t cycles = 0;

private:
    void half(bool level) {
        top.clk = level;
        top.eval();
#if VM_TRACE
        if (trace.isOpen()) trace.dump(context.time());
        context.timeInc(1);
#endif
    }

    VerilatedContext context;
    Vtop top{&context, "top"};
#if VM_TRACE
    VerilatedVcdC trace;
#endif
};

void run(unsigned clocks_per_bit, const char *waves) {
    PseudoTerminal port;
    Transmitter transmitter(clocks_per_bit);
    Receiver receiver(clocks_per_bit);
    Board board(waves);
    std::printf("%s\n", port.path.c_str());

    auto last_activity = Clock::now();
    while (!stopped) {
        if (receiver.bytes.size() < board_to_host_bytes)
            for (unsigned i = 0; i < slice; ++i) receiver.sample(board.cycle(transmitter.level()));
        if (board.finished()) throw std::runtime_error("the gateware ended the simulation");

        const auto now = Clock::now();
        const bool quiet = now - last_activity > quiet_after;
        const bool room = transmitter.bytes.size() < host_to_board_bytes;
        pollfd files[2] = {{STDIN_FILENO, POLLIN, 0}, {port.master, 0, 0}};
        if (room) files[1].events |= POLLIN;
        if (!receiver.bytes.empty()) files[1].events |= POLLOUT;
        if (poll(files, 2, quiet ? quiet_pause_ms : 0) <= 0) continue;

        if (files[0].revents) {
            char request[256];
            const ssize_t count = read(STDIN_FILENO, request, sizeof request);
            if (count == 0) break;
            for (ssize_t i = 0; i < count; ++i)
                if (request[i] == '\n') std::printf("%llu\n", static_cast<unsigned long long>(board.cycles));
        }
        bool moved = false;
        if (files[1].revents & POLLIN) moved |= port.receive(transmitter.bytes);
        if (files[1].revents & POLLOUT) moved |= port.send(receiver.bytes);
        if (moved) last_activity = now;
    }
    std::printf("%llu\n", static_cast<unsigned long long>(board.cycles));
    if (receiver.framing_errors)
        std::fprintf(stderr, "virtual board: %llu bytes from the gateware without a start or stop bit at %u cycles per bit\n",
                     static_cast<unsigned long long>(receiver.framing_errors), clocks_per_bit);
}

}  // namespace

int main(int count, char **arguments) {
    struct sigaction action {};
    action.sa_handler = [](int) { stopped = 1; };
    sigaction(SIGTERM, &action, nullptr);
    sigaction(SIGINT, &action, nullptr);
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    try {
        const int clocks_per_bit = count > 1 ? std::atoi(arguments[1]) : 0;
        if (clocks_per_bit < 2) throw std::invalid_argument("usage: virtual_board CLOCKS_PER_BIT [WAVES], at least 2 clocks per bit");
        run(clocks_per_bit, count > 2 ? arguments[2] : nullptr);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "virtual board: %s\n", error.what());
        return 1;
    }
    return 0;
}

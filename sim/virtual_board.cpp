// Runs a compiled gateware as a board behind a pseudo-terminal: host bytes become a UART line into `rx`, and the UART
// line out of `tx` becomes host bytes. One argument: clock cycles per bit; a second one names a file for waveforms.
//
// The first line on stdout is the path of the port. After that every line on stdin is answered by a line on stdout: the
// number of cycles simulated so far, the faults of the line so far, as listed in `Faults`, and the path of the port. A line
// that begins with "reset" resets the board; "line" sets the faults, by the seven numbers of `Rates`; "unplug" closes the
// port and opens another. Ends on SIGTERM, on SIGINT, or when stdin closes, and prints the numbers again.

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
#include <optional>
#include <poll.h>
#include <random>
#include <sstream>
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

    ~PseudoTerminal() {
        close(slave);
        close(master);
    }

private:
    int slave;
};

// Faults of the line in both directions; probabilities are those of a byte, or of a bit time where it says so.
struct Rates {
    double stop = 0;      // the stop bit is low
    double pause = 0;     // the line is idle for up to 8000 bit times before the byte; into the board only
    double brk = 0;       // of a bit time: the line is held low for 10 to 60 bit times
    double floating = 0;  // of a bit time: nothing drives the line for up to 400 bit times
    double noise = 0;     // of a bit time: a pulse of a quarter of a bit or less
    double skew = 0;      // the host's bits are longer by this share than the board's
    uint64_t seed = 0;
};

struct Faults {
    uint64_t stops = 0, pauses = 0, breaks = 0, floats = 0, pulses = 0, edges = 0;  // edges: while nothing drives the line
};

using Random = std::mt19937_64;

double share(Random &random) { return std::uniform_real_distribution<>()(random); }

// What lies between the two ends of a line: call once a cycle.
class Wire {
public:
    Wire(unsigned clocks_per_bit, const Rates &rates, Faults &faults)
        : clocks_per_bit(clocks_per_bit), rates(rates), faults(faults) {}

    bool level(bool driven, Random &random) {
        if (left > 0) {
            --left;
            if (state == FLOATING && share(random) * clocks_per_bit < 1.5) {
                held = !held;
                ++faults.edges;
            }
            return state == PULSE ? !driven : held;
        }
        if (rates.brk + rates.floating + rates.noise == 0) return driven;
        double chance = share(random) * clocks_per_bit;
        if (chance < rates.brk) {
            ++faults.breaks;
            return begin(BREAK, 10 + 50 * share(random), false);
        }
        if ((chance -= rates.brk) < rates.floating) {
            ++faults.floats;
            return begin(FLOATING, 400 * share(random), driven);
        }
        if (chance - rates.floating < rates.noise) {
            ++faults.pulses;
            return begin(PULSE, 0.25 * share(random), driven);
        }
        return driven;
    }

private:
    enum State { BREAK, FLOATING, PULSE };

    bool begin(State what, double bits, bool now) {
        state = what;
        held = now;
        left = static_cast<unsigned>(bits * clocks_per_bit);
        return held;
    }

    const unsigned clocks_per_bit;
    const Rates &rates;
    Faults &faults;
    State state = BREAK;
    bool held = true;
    unsigned left = 0;
};

// Host's end of the line into the board, 8N1: call once a cycle for the level of the line.
class Transmitter {
public:
    Transmitter(unsigned clocks_per_bit, const Rates &rates, Faults &faults, Random &random)
        : clocks_per_bit(clocks_per_bit), rates(rates), faults(faults), random(random) {}

    bool level() {
        if (clocks_left < 1) {
            frame >>= 1;
            if (frame == 0) {
                if (bytes.empty()) return true;
                if (!paused && rates.pause > 0 && share(random) < rates.pause) {
                    ++faults.pauses;
                    paused = true;
                    frame = 1;  // idle
                    clocks_left = 8000.0 * clocks_per_bit * share(random);
                    return true;
                }
                paused = false;
                frame = 0x600u | bytes.front() << 1;
                if (rates.stop > 0 && share(random) < rates.stop) {
                    ++faults.stops;
                    frame ^= 0x200u;
                } else {
                    frame ^= 0x400u;
                }
                bytes.pop_front();
            }
            clocks_left += clocks_per_bit * (1 + rates.skew);
        }
        --clocks_left;
        return frame & 1;
    }

    std::deque<uint8_t> bytes;

private:
    const unsigned clocks_per_bit;
    const Rates &rates;
    Faults &faults;
    Random &random;
    unsigned frame = 0;  // bits still to send, the present one lowest, the stop bit highest; one more if that is low
    double clocks_left = 0;
    bool paused = false;
};

// Host's end of the line out of the board, 8N1: samples in the middle of a bit; a byte without its stop bit is dropped.
class Receiver {
public:
    Receiver(unsigned clocks_per_bit, const Rates &rates, Faults &faults, Random &random)
        : clocks_per_bit(clocks_per_bit), rates(rates), faults(faults), random(random) {}

    void sample(bool level) {
        if (bits_left == 0) {
            if (previous && !level) {
                bits_left = 10;
                clocks_left = clocks_per_bit * (1 + rates.skew) / 2 - 1;
            }
            previous = level;
        } else if (clocks_left-- < 1) {
            clocks_left += clocks_per_bit * (1 + rates.skew);
            frame = frame >> 1 | level << 9;
            if (--bits_left == 0) {
                const bool damaged = rates.stop > 0 && share(random) < rates.stop;
                faults.stops += damaged;
                if (level && !(frame & 1) && !damaged) bytes.push_back(frame >> 1);
                else ++framing_errors;
                previous = level;
                clocks_left = 0;
            }
        }
    }

    std::deque<uint8_t> bytes;
    uint64_t framing_errors = 0;

private:
    const unsigned clocks_per_bit;
    const Rates &rates;
    Faults &faults;
    Random &random;
    unsigned frame = 0;
    unsigned bits_left = 0;
    double clocks_left = 0;
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
        reset();
    }

    ~Board() {
        top.final();
#if VM_TRACE
        trace.close();
#endif
    }

    void reset() {
        top.rst = 1;
        for (unsigned i = 0; i < reset_cycles; ++i) cycle();
        top.rst = 0;
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

// The simulated board with its line, and the requests about them on stdin.
class Simulation {
public:
    Simulation(unsigned clocks_per_bit, const char *waves)
        : clocks_per_bit(clocks_per_bit), in(clocks_per_bit, rates, faults), out(clocks_per_bit, rates, faults),
          transmitter(clocks_per_bit, rates, faults, random), receiver(clocks_per_bit, rates, faults, random),
          board(waves) {}

    void run() {
        std::printf("%s\n", port->path.c_str());
        auto last_activity = Clock::now();
        while (!stopped) {
            if (receiver.bytes.size() < board_to_host_bytes)
                for (unsigned i = 0; i < slice; ++i)
                    receiver.sample(out.level(board.cycle(in.level(transmitter.level(), random)), random));
            if (board.finished()) throw std::runtime_error("the gateware ended the simulation");

            const auto now = Clock::now();
            const bool quiet = now - last_activity > quiet_after;
            const bool room = transmitter.bytes.size() < host_to_board_bytes;
            pollfd files[2] = {{STDIN_FILENO, POLLIN, 0}, {port->master, 0, 0}};
            if (room) files[1].events |= POLLIN;
            if (!receiver.bytes.empty()) files[1].events |= POLLOUT;
            if (poll(files, 2, quiet ? quiet_pause_ms : 0) <= 0) continue;

            if (files[0].revents && !obey()) break;
            if (files[1].fd != port->master) continue;
            bool moved = false;
            if (files[1].revents & POLLIN) moved |= port->receive(transmitter.bytes);
            if (files[1].revents & POLLOUT) moved |= port->send(receiver.bytes);
            if (moved) last_activity = now;
        }
        answer();
        if (receiver.framing_errors && !faulty)
            std::fprintf(stderr, "virtual board: %llu bytes from the gateware without a start or stop bit at %u cycles per bit\n",
                         static_cast<unsigned long long>(receiver.framing_errors), clocks_per_bit);
    }

private:
    // Carries out the requests on stdin; returns whether there may be more.
    bool obey() {
        char buffer[256];
        const ssize_t count = read(STDIN_FILENO, buffer, sizeof buffer);
        if (count == 0) return false;
        for (ssize_t i = 0; i < count; ++i) {
            if (buffer[i] != '\n') {
                request += buffer[i];
                continue;
            }
            std::istringstream words(request);
            std::string verb;
            words >> verb;
            if (verb == "reset") board.reset();
            if (verb == "unplug") {
                port.reset();
                port.emplace();
                transmitter.bytes.clear();
                receiver.bytes.clear();
            }
            if (verb == "line") {
                words >> rates.stop >> rates.pause >> rates.brk >> rates.floating >> rates.noise >> rates.skew >> rates.seed;
                random.seed(rates.seed);
                faulty = true;
            }
            request.clear();
            answer();
        }
        return true;
    }

    void answer() const {
        std::printf("%llu", static_cast<unsigned long long>(board.cycles));
        for (const uint64_t count : {faults.stops, faults.pauses, faults.breaks, faults.floats, faults.pulses, faults.edges})
            std::printf(" %llu", static_cast<unsigned long long>(count));
        std::printf(" %s\n", port->path.c_str());
    }

    const unsigned clocks_per_bit;
    Rates rates;
    Faults faults;
    Random random;
    bool faulty = false;
    std::string request;
    std::optional<PseudoTerminal> port{std::in_place};
    Wire in, out;
    Transmitter transmitter;
    Receiver receiver;
    Board board;
};

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
        Simulation(clocks_per_bit, count > 2 ? arguments[2] : nullptr).run();
    } catch (const std::exception &error) {
        std::fprintf(stderr, "virtual board: %s\n", error.what());
        return 1;
    }
    return 0;
}

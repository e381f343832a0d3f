// A DP16KD in the configurations that sim/netlist/ecp5_models.py admits: 1024 words of 18 bits, which port A reads and
// writes and port B reads, each in a width of its own, without output registers or resets.
module ecp5_memory #(
  parameter integer WIDTH_A = 18, WIDTH_B = 18,
  parameter HOLDS_A = 0,  // whether port A keeps what it has read while it writes
  parameter [18431:0] INIT = 0
) (
  input clka, cea, wea, clkb, ceb,
  input [13:0] ada, adb,
  input [17:0] dia,
  output reg [17:0] doa, dob
);
  reg [17:0] words [0:1023];
  integer word;
  initial begin
    for (word = 0; word < 1024; word = word + 1) words[word] = INIT[word * 18 +: 18];
    {doa, dob} = 0;
  end

  // Where in a word: ports below 9 bits use the lower 8 bits of each 9.
  function [4:0] place(input [13:0] address, input integer width);
    place = (width < 18 && address[3] ? 9 : 0) + (width < 9 ? address[2:0] & ~(width - 1) : 0);
  endfunction
  wire [4:0] place_a = place(ada, WIDTH_A), place_b = place(adb, WIDTH_B);

  // The lowest bits of an 18-bit port's address enable its bytes.
  wire [17:0] mask = WIDTH_A == 18 ? {{9{ada[1]}}, {9{ada[0]}}} : ((18'd1 << WIDTH_A) - 18'd1) << place_a;
  wire write = cea && wea && mask != 0;
  wire collision = write && ada[13:4] == adb[13:4] && (WIDTH_A != WIDTH_B || place_a == place_b);

  always @(posedge clka) begin
    if (cea && !(HOLDS_A && wea)) doa <= words[ada[13:4]] >> place_a;
    if (write) words[ada[13:4]] <= words[ada[13:4]] & ~mask | (dia << place_a) & mask;
  end

  // What is read while it is written is undefined, as synthesis was told: a value that no one would take for right.
  always @(posedge clkb) if (ceb) dob <= collision ? 18'h2dead : words[adb[13:4]] >> place_b;
endmodule

// Drives a core with the vectors of kanloom's fixed-point oracle, and compares all that comes out.
//
// vectors.vh has widths and counts, *.hex the vectors; the Makefile defines CORE, the module's name, TRAINING where
// the core trains, and LATE where targets come later, by a tag. With AXIS, the core is driven through its AXI4-Stream
// wrapper.
`timescale 1ns / 1ns

module bench;
  `include "vectors.vh"

  reg clk = 0;
  reg rst = 1;
  always #5 clk = ~clk;

  integer errors = 0;
  integer cycle = 0;
  integer pass = 0;
  reg running = 0;
  reg pausing = 0;
  always @(posedge clk) cycle <= cycle + 1;

  // Records and predictions
  reg [RECORDS_BITS-1:0] records[0:RECORDS_COUNT-1];
  reg [PREDICTIONS_BITS-1:0] predictions[0:PREDICTIONS_COUNT-1];
  reg records_valid = 0;
  reg predictions_ready = 0;
  wire records_ready, predictions_valid;
  wire [PREDICTIONS_BITS-1:0] prediction;
  integer sent = 0;
  integer received = 0;
  integer first_start = 0;
  integer last_start = 0;
  integer pass_end = 0;
  wire start = records_valid && records_ready;
  wire [31:0] sent_now = start ? sent + 1 : sent;
`ifdef TRAINING
  reg [TARGETS_BITS-1:0] targets[0:TARGETS_COUNT-1];
  reg targets_valid = 0;
  wire targets_ready;
  integer targets_sent = 0;
  wire [31:0] targets_now = targets_valid && targets_ready ? targets_sent + 1 : targets_sent;
`endif
`ifdef LATE
  // One record or target is offered at a time, in the order of the vectors.
  reg order[0:ORDER_COUNT-1];
  wire [31:0] offered = sent + targets_sent;
  wire [31:0] offered_now = sent_now + targets_now;
  wire more = running && offered_now < (pass + 1) * PASS_EVENTS;
  wire target_next = more && order[offered_now < ORDER_COUNT ? offered_now : 0];
  wire record_next = more && !target_next;
  wire late_start = targets_valid && targets_ready && offered < pass * PASS_EVENTS + PASS_STARTS;
  wire pass_done = offered == (pass + 1) * PASS_EVENTS && received == pass_end;
  initial $readmemh("order.hex", order);
`else
  wire target_next = 1;
  wire record_next = running && sent_now < pass_end;
  wire late_start = 0;
  wire pass_done = received == pass_end;
`endif
  wire [RECORDS_BITS-1:0] record = records[sent < RECORDS_COUNT ? sent : 0];

  initial begin
    $readmemh("records.hex", records);
    $readmemh("predictions.hex", predictions);
  end

  always @(posedge clk) begin
    sent <= sent_now;
    if (start) begin
      if (sent == pass * PASS_RECORDS) first_start <= cycle;
      last_start <= cycle;
    end
    if (late_start) last_start <= cycle;
    if (!records_valid || records_ready) records_valid <= record_next && !(pausing && $urandom_range(2) == 0);
    predictions_ready <= running && !(pausing && $urandom_range(2) == 0);
    if (predictions_valid && predictions_ready) begin
      if (prediction !== predictions[received]) begin
        if (errors < 10) $display("prediction %0d is %h, not %h", received, prediction, predictions[received]);
        errors <= errors + 1;
      end
      if (!pausing && received == pass * PASS_RECORDS && cycle - first_start != LATENCY) begin
        $display("a prediction came after %0d clocks, not %0d", cycle - first_start, LATENCY);
        errors <= errors + 1;
      end
      received <= received + 1;
    end
  end

`ifdef TRAINING
  // Targets
  wire [TARGETS_BITS-1:0] target = targets[targets_sent < TARGETS_COUNT ? targets_sent : 0];
  always @(posedge clk) begin
    targets_sent <= targets_now;
    if (!targets_valid || targets_ready)
      targets_valid <= target_next && targets_now < TARGETS_COUNT && !(pausing && $urandom_range(2) == 0);
  end

  // Registers and nodes
  reg [ADDRESSES_BITS-1:0] addresses[0:ADDRESSES_COUNT-1];
  reg [NODES_BITS-1:0] nodes[0:NODES_COUNT-1];
  reg [RATES_BITS-1:0] rates[0:RATES_COUNT-1];
  reg enable = 0;
  reg bus_valid = 0;
  reg bus_write = 0;
  reg [1:0] bus_space = 0;
  reg [ADDRESSES_BITS-1:0] bus_address = 0;
  reg [NODES_BITS-1:0] bus_write_data = 0;
  wire idle, bus_ready, bus_refused, bus_fault;
  wire [NODES_BITS-1:0] bus_read_data;
  reg [NODES_BITS-1:0] found;
  integer index;

  initial begin
    $readmemh("targets.hex", targets);
    $readmemh("addresses.hex", addresses);
    $readmemh("nodes.hex", nodes);
    $readmemh("rates.hex", rates);
  end

  task transfer(input [1:0] space, input [ADDRESSES_BITS-1:0] address, input is_write, input [NODES_BITS-1:0] word);
    begin
      @(negedge clk);
      bus_space = space;
      bus_address = address;
      bus_write = is_write;
      bus_write_data = word;
      bus_valid = 1;
      while (!bus_ready) @(negedge clk);
      found = bus_read_data;
      if (bus_refused || bus_fault) begin
        $display("the bus refused address %h of space %0d", address, space);
        errors = errors + 1;
      end
      @(negedge clk) bus_valid = 0;
    end
  endtask

  task compare_nodes(input integer state);
    for (index = 0; index < ADDRESSES_COUNT; index = index + 1) begin
      transfer(2, addresses[index], 0, 0);
      if (found !== nodes[state * ADDRESSES_COUNT + index]) begin
        if (errors < 10) $display("node %0d after pass %0d is %h, not %h", index, state, found, nodes[state * ADDRESSES_COUNT + index]);
        errors = errors + 1;
      end
    end
  endtask
`endif

  initial begin
    repeat (4) @(negedge clk);
    rst = 0;
`ifdef TRAINING
    compare_nodes(0);
`endif
    for (pass = 0; pass < PASSES; pass = pass + 1) begin
`ifdef TRAINING
      for (index = 0; index < RATES_COUNT / PASSES; index = index + 1)
        transfer(0, rates[pass * (RATES_COUNT / PASSES) + index][RATES_BITS-1:NODES_BITS], 1,
                 rates[pass * (RATES_COUNT / PASSES) + index][NODES_BITS-1:0]);
      transfer(0, CLEAR, 1, 0);
      enable = 1;
`endif
      pass_end = (pass + 1) * PASS_RECORDS;
      pausing = PAUSES != 0 && pass == PASSES - 1;
      running = 1;
      @(negedge clk);
      while (!pass_done) @(negedge clk);
      if (!pausing && last_start - first_start != (PASS_STARTS - 1) * INTERVAL) begin
        $display("%0d records started within %0d clocks, not one every %0d", PASS_STARTS, last_start - first_start, INTERVAL);
        errors = errors + 1;
      end
      running = 0;
`ifdef TRAINING
      enable = 0;
      while (!idle) @(negedge clk);
      transfer(0, RECORDS_REGISTER, 0, 0);
      if (found != PASS_STARTS) begin
        $display("%0d records are counted, not %0d", found, PASS_STARTS);
        errors = errors + 1;
      end
      compare_nodes(pass + 1);
`endif
    end
    if (errors != 0) $fatal(1, "FAILED: %0d differences", errors);
    $display("passed: %0d predictions, a record every %0d clocks, a prediction after %0d", received, INTERVAL, LATENCY);
    $finish;
  end

  initial begin
    repeat (10000000) @(negedge clk);
    $fatal(1, "FAILED: no end in sight, %0d predictions of %0d", received, PREDICTIONS_COUNT);
  end

`ifdef AXIS
  `include "lanes.vh"
`endif

  `CORE core (
      .clk(clk),
      .rst(rst),
`ifdef TRAINING
      .enable(enable),
      .idle(idle),
      .bus__valid(bus_valid),
      .bus__write(bus_write),
      .bus__space(bus_space),
      .bus__address(bus_address),
      .bus__write_data(bus_write_data),
      .bus__ready(bus_ready),
      .bus__read_data(bus_read_data),
      .bus__refused(bus_refused),
      .bus__fault(bus_fault),
`ifdef AXIS
      .s_axis_targets_tdata(targets_tdata),
      .s_axis_targets_tvalid(targets_valid),
      .s_axis_targets_tready(targets_ready),
`else
      .targets__payload(target),
      .targets__valid(targets_valid),
      .targets__ready(targets_ready),
`endif
`endif
`ifdef AXIS
      .s_axis_records_tdata(records_tdata),
`ifndef LATE
      .s_axis_records_tlast(records_last),
      .m_axis_predictions_tlast(predictions_last),
`endif
      .s_axis_records_tvalid(records_valid),
      .s_axis_records_tready(records_ready),
      .m_axis_predictions_tdata(predictions_tdata),
      .m_axis_predictions_tvalid(predictions_valid),
      .m_axis_predictions_tready(predictions_ready)
`else
      .records__payload(record),
      .records__valid(records_valid),
      .records__ready(records_ready),
      .predictions__payload(prediction),
      .predictions__valid(predictions_valid),
      .predictions__ready(predictions_ready)
`endif
  );
endmodule

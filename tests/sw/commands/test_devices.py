"""`kanloom devices`: which ports answer, and as what."""

import json
import os
import pty

from tests.sw.commands.running import sw


def test_a_board_tells_its_network_and_a_silent_port_does_not(port, tmp_path):
    controller, terminal = pty.openpty()
    silent, figures = os.ttyname(terminal), tmp_path / "devices.json"
    printed = sw("devices", "--port", port, silent, "/dev/nowhere", "--json", figures)
    os.close(controller)
    os.close(terminal)
    board, nothing, missing = json.loads(figures.read_text())["devices"]
    assert (board["port"], board["board"], board["problem"]) == (port, "icebreaker", None)
    assert board["network"] == "2-8-1 (4/32 segments, 16 bit)" and board["records_per_second"] == 4_500_000
    assert nothing["board"] is None and nothing["problem"] == "no kanloom board answers"
    assert missing["board"] is None and "/dev/nowhere" in missing["problem"]
    assert port in printed and "2-8-1" in printed and "no kanloom board answers" in printed


def test_without_ports_all_of_them_are_listed(tmp_path):
    sw("devices", "--json", tmp_path / "devices.json")
    assert isinstance(json.loads((tmp_path / "devices.json").read_text())["devices"], list)

/** Netlink sockets of the script's own, and requests as calls of a program. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { call, Output, OutputField, ResultOf } from "../../ffi/call.ts";
import {
  getInterfaceIndex,
  indexField,
  interfaceRequest,
  recvfrom,
  sendPieces,
  socketpair,
} from "../../ffi/calls/sockets.ts";
import { SyscallError } from "../../ffi/errors.ts";
import { failureOf } from "../../ffi/engine/failure.ts";
import { addAddress } from "../../ffi/netlink/address.ts";
import { parsePrefix } from "../../ffi/netlink/ip.ts";
import { addBridge, deleteLink, LOOPBACK_INDEX, setLink } from "../../ffi/netlink/link.ts";
import {
  answerOutput,
  requestCalls,
  responseCheck,
  socketCalls,
} from "../../ffi/netlink/request.ts";
import { NetlinkSocket } from "../../ffi/netlink/socket.ts";
import { run, text } from "./support.ts";

Deno.test("a message is sent in pieces, some of which are results of earlier calls", () => {
  const sockets = new Output(8);
  const [ours, theirs] = [0, 4].map((at) => new OutputField(sockets, at, "socket"));
  const pid = call("getpid");
  const loopback = interfaceRequest("lo");
  const pieces = [
    { at: new TextEncoder().encode("<"), size: 1 },
    { at: new ResultOf(pid, "pid"), size: 4 },
    { at: "mid", size: 3 },
    { at: indexField(loopback, "lo"), size: 4 },
    { at: new TextEncoder().encode(">"), size: 1 },
  ];
  const received = new Output(64);
  const receive = recvfrom(theirs!, received, 0);
  const outcome = run([
    { call: socketpair(sockets) },
    { call: pid },
    { call: getInterfaceIndex(ours!, loopback) },
    { call: sendPieces(ours!, pieces, "pieces") },
    { call: receive },
    { call: call("close", ours!) },
    { call: call("close", theirs!) },
  ]);
  assertEquals(outcome.failed, undefined);
  assertEquals(outcome.result(receive), 13n);
  const view = outcome.output(received);
  assertEquals([view.getInt32(1, true), view.getInt32(8, true)], [Deno.pid, LOOPBACK_INDEX]);
  const message = text(view);
  assertEquals([message[0], message.slice(5, 8), message[12]], ["<", "mid", ">"]);
});

Deno.test("a check accepts a response without an error, and fails with any error", () => {
  for (let errno = 0; errno <= 4095; errno++) {
    if (errno > 200 && errno % 97 !== 0) continue;
    // The answer is written by the kernel, from one socket to the other.
    const sockets = new Output(8);
    const [ours, theirs] = [0, 4].map((at) => new OutputField(sockets, at, "socket"));
    const bytes = new Uint8Array(36);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, 36, true);
    view.setInt32(16, -errno, true);
    view.setUint32(20, 0xffff_ffff, true);
    const answer = answerOutput();
    const check = responseCheck(["RTM_NEWLINK", "veth"], answer);
    const outcome = run([
      { call: socketpair(sockets) },
      { call: sendPieces(ours!, [{ at: bytes, size: 36 }], "answer") },
      { call: recvfrom(theirs!, answer, 0) },
      { call: call("close", ours!) },
      { call: call("close", theirs!) },
      { call: check },
    ]);
    const failure = failureOf(outcome);
    if (errno === 0) assertEquals(failure, undefined);
    else {
      const expected = { call: check, name: "RTM_NEWLINK", text: "RTM_NEWLINK veth", errno };
      assertEquals(failure, { ...expected, words: undefined });
    }
  }
});

Deno.test("the script's own requests fail with the kernel's errno and message", () => {
  using socket = new NetlinkSocket();
  const error = assertThrows(() => socket.request([setLink("no-such-link", {})]), SyscallError);
  const { syscall, call } = error;
  assert(["ENODEV", "EPERM"].includes(error.code), error.message);
  assertEquals([syscall, call], ["RTM_NEWLINK", 'RTM_NEWLINK "no-such-link"']);
  const address = addAddress(1, parsePrefix("127.0.0.1/8")!);
  assertThrows(
    () => socket.request([address]),
    SyscallError,
    "RTM_NEWADDR 127.0.0.1/8 1 failed: E",
  );
});

Deno.test("the use of a closed socket is an error", () => {
  const socket = new NetlinkSocket();
  const { number } = socket;
  assert(number > 2);
  socket.close();
  socket.close();
  assertThrows(() => socket.links(), TypeError, "the socket is closed");
});

Deno.test("a request is described by its words, in full", () => {
  const [socket] = socketCalls(0, (socket) => new ResultOf(socket, "socket"));
  const [, , check] = requestCalls(
    new ResultOf(socket, "socket"),
    [addBridge({ name: "lan", up: true, mtu: 1400 })],
    answerOutput(),
  );
  assertEquals(check.verdict?.text, 'RTM_NEWLINK bridge "lan" mtu 1400 up');
  assertEquals(deleteLink({ index: 7 }).words.join(" "), "RTM_DELLINK 7");
});

/**
 * Requests to the kernel as system calls: what sends a message, what receives the answer, and what
 * fails where the answer tells an error.
 *
 * @module
 */

import { type Call, call, type Fd, Named, Output, OutputField, Struct } from "../call.ts";
import {
  MSG_DONTWAIT,
  NETLINK_CAP_ACK,
  NETLINK_EXT_ACK,
  netlinkSocket,
  type Piece,
  recvfrom,
  sendPieces,
  sendto,
  setNetlinkOption,
} from "../calls/sockets.ts";
import { encode, type Encoded, ERROR_OFFSET, type Message, readAnswer } from "./message.ts";

/** Room for an answer, which does not repeat the request. */
const ANSWER_SIZE = 512;

/** Memory for the answer to a request; it serves one request after the other. */
export function answerOutput(): Output {
  return new Output(ANSWER_SIZE, "&answer");
}

/** Opens a socket, as the first call, that has the kernel say in words what is wrong. */
export function socketCalls(protocol: number, fdOf: (socket: Call) => Fd): [Call, Call, Call] {
  const socket = netlinkSocket(protocol);
  const fd = fdOf(socket);
  return [
    socket,
    setNetlinkOption(fd, NETLINK_EXT_ACK),
    setNetlinkOption(fd, NETLINK_CAP_ACK),
  ];
}

/**
 * Makes a request of messages, one of them with `NLM_F_ACK`. The kernel does what is asked before
 * the first call comes back, so the answer is there for the second, and the third fails where it
 * tells an error. What is asked for is called by the words.
 */
export function requestCalls(
  socket: Fd,
  messages: readonly Message[],
  answer: Output,
  words: readonly string[] = messages[0]!.words,
): [Call, Call, Call] {
  return [
    send(socket, messages),
    recvfrom(socket, answer, MSG_DONTWAIT),
    checkAnswer(words, answer),
  ];
}

/** Sends messages, one behind the other. */
export function send(socket: Fd, messages: readonly Message[]): Call {
  const encoded = encode(messages);
  const text = messages.map(({ words }) => `{${words.join(", ")}}`).join(", ");
  if (encoded.holes.length === 0) return sendto(socket, new Struct(encoded.bytes, text));
  return sendPieces(socket, piecesOf(encoded), text);
}

/**
 * Fails where an answer tells an error. Without flags, close_range(2) of no descriptors does
 * nothing, and a negative number are flags that it does not know.
 */
export function checkAnswer(words: readonly string[], answer: Output): Call {
  const none = new Named(0xffff_ffff, "~0U");
  const verdict = { name: words[0]!, text: words.join(" "), answer, read: readAnswer };
  const error = new OutputField(answer, ERROR_OFFSET, "answer.error");
  return { ...call("close_range", none, none, error), verdict };
}

/** The bytes between the holes, and what will stand in the holes, where it lies. */
function piecesOf({ bytes, holes }: Encoded): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const { offset, value } of holes) {
    if (offset > from) pieces.push({ at: bytes.slice(from, offset), size: offset - from });
    pieces.push({ at: value, size: 4 });
    from = offset + 4;
  }
  if (from < bytes.length) pieces.push({ at: bytes.slice(from), size: bytes.length - from });
  return pieces;
}

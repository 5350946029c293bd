/**
 * Netlink requests as system calls: one sends the message, one receives the response, and one fails if
 * the response is an error.
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
import { encode, type Encoded, ERROR_OFFSET, type Message, readResponse } from "./message.ts";

/** The size of a response, which does not contain the request. */
const ANSWER_SIZE = 512;

/** Memory for the response to a request, used by one request after the other. */
export function answerOutput(): Output {
  return new Output(ANSWER_SIZE, "&answer");
}

/** Opens a socket by the first call, and asks the kernel for error messages. */
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
 * The calls of a request: messages, of which one has `NLM_F_ACK`. The kernel handles them before the
 * first call returns, so the second one finds the response, and the third one fails if that is an
 * error. The words describe the request.
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
    responseCheck(words, answer),
  ];
}

/** Sends messages, one after the other. */
export function send(socket: Fd, messages: readonly Message[]): Call {
  const encoded = encode(messages);
  const text = messages.map(({ words }) => `{${words.join(", ")}}`).join(", ");
  if (encoded.holes.length === 0) return sendto(socket, new Struct(encoded.bytes, text));
  return sendPieces(socket, piecesOf(encoded), text);
}

/**
 * A call that fails if a response is an error: close_range(2) of no descriptors, with the response's
 * number as flags. It does nothing without flags, and refuses a negative number as unknown flags.
 */
export function responseCheck(words: readonly string[], answer: Output): Call {
  const none = new Named(0xffff_ffff, "~0U");
  const verdict = { name: words[0]!, text: words.join(" "), answer, read: readResponse };
  const error = new OutputField(answer, ERROR_OFFSET, "answer.error");
  return { ...call("close_range", none, none, error), verdict };
}

/** The bytes between the holes, and the memory of the values that fill the holes. */
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

/**
 * Waiting for events of many descriptors. See epoll(7).
 *
 * @module
 */

import { type Call, call, constant, type Fd, flags, Output, Slot, Struct } from "../call.ts";
import type { Architecture } from "../syscall_numbers.ts";
import { EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD } from "./constants/events.ts";
import { EPOLL_EVENTS } from "./names/events.ts";

export * from "./constants/events.ts";

const SIGSET_SIZE = 8;

/** Creates an epoll descriptor. See epoll_create1(2). */
export function epoll_create1(flagBits: number): Call {
  return call("epoll_create1", flags(flagBits, { EPOLL_CLOEXEC }));
}

/** The events to watch for, or those that happened: struct epoll_event. */
export interface EpollEvent {
  /** `EPOLLIN`, `EPOLLOUT` ... */
  readonly events: number;
  /** What identifies the descriptor: often its own number. */
  readonly data: number;
}

/** The layout of struct epoll_event: packed on x86_64 alone (EPOLL_PACKED of linux/eventpoll.h). */
function epollLayout(architecture: Architecture): { data: number; size: number } {
  return architecture === "x86_64" ? { data: 4, size: 12 } : { data: 8, size: 16 };
}

/** Adds, changes or removes a watched descriptor. See epoll_ctl(2). A slot takes 4 bytes. */
export function epoll_ctl(
  epoll: Fd,
  operation: number,
  fd: Fd,
  event: { readonly [Field in keyof EpollEvent]: number | Slot },
  architecture: Architecture,
): Call {
  const { data, size } = epollLayout(architecture);
  const bytes = new Uint8Array(size);
  const fields = [[0, event.events], [data, event.data]] as const;
  const cells = fields.flatMap(([offset, field]) => {
    if (field instanceof Slot) return [{ offset, slot: field }];
    new DataView(bytes.buffer).setUint32(offset, field, true);
    return [];
  });
  const struct = new Struct(
    bytes,
    (show) => {
      const [events, shown] = fields.map(([, field]) =>
        field instanceof Slot ? show(field) : String(field)
      );
      return `{${flags(Number(events), EPOLL_EVENTS).text}, ${shown}}`;
    },
    [],
    cells,
  );
  const named = constant(operation, { EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD });
  return call("epoll_ctl", epoll, named, fd, struct);
}

/** Memory for events. */
export function epollOutput(count: number, architecture: Architecture): Output {
  return new Output(count * epollLayout(architecture).size, "&events");
}

/** Waits for events; -1 milliseconds is without a timeout. See epoll_wait(2). */
export function epoll_pwait(
  epoll: Fd,
  events: Output,
  milliseconds: number,
  architecture: Architecture,
): Call {
  const count = events.size / epollLayout(architecture).size;
  return call("epoll_pwait", epoll, events, count, milliseconds, null, SIGSET_SIZE);
}

/** The events that epoll_pwait(2) returned; the result of the call is their count. */
export function readEpollEvents(
  events: DataView,
  count: number,
  architecture: Architecture,
): EpollEvent[] {
  const { data, size } = epollLayout(architecture);
  return Array.from({ length: count }, (_, index) => ({
    events: events.getUint32(index * size, true),
    data: events.getUint32(index * size + data, true),
  }));
}

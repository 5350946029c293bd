/**
 * The reactor: one thread of Deno's pool waits for every descriptor of this isolate, however many
 * containers there are.
 *
 * The wait is a pending call, which keeps the event loop alive. While all waits are unrefed, there is
 * no call, and an unrefed timer polls the descriptors.
 *
 * @module
 */

import { Output, Slot } from "./call.ts";
import {
  EFD_CLOEXEC,
  EFD_NONBLOCK,
  EPOLL_CLOEXEC,
  epoll_create1,
  epoll_ctl,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  epoll_pwait,
  EPOLLIN,
  EPOLLONESHOT,
  EPOLLOUT,
  epollOutput,
  readEpollEvents,
} from "./calls/events.ts";
import { close, eventfd2, read, write } from "./calls/files.ts";
import { engine, place } from "./engine/engine.ts";
import type { Memory } from "./engine/memory.ts";
import { Routine } from "./routine.ts";
import { syscall } from "./syscalls.ts";
import { argumentOffset, assemble, resultOffset } from "./engine/program.ts";

/** What is waited for: until the descriptor can be read, or written. */
export type Readiness = "readable" | "writable";

const EVENTS: Readonly<Record<Readiness, number>> = { readable: EPOLLIN, writable: EPOLLOUT };
const MAX_EVENTS = 256;
/** How often the descriptors of unrefed waits are polled. */
const UNREF_INTERVAL_MS = 20;
/** How often in a row the script's thread may block before the event loop gets its turn. */
const BLOCKS_A_TURN = 16;

let started: Reactor | undefined;

/** The reactor of this isolate. */
export function reactor(): Reactor {
  return started ??= new Reactor();
}

/** Waits for many descriptors at once. */
class Reactor {
  readonly #epoll: number;
  readonly #wake: number;
  /** The calls that add, change and remove descriptors. */
  readonly #controls: ReadonlyMap<number, Routine>;
  readonly #watches = new Map<number, Watch>();
  readonly #wait: Memory;
  readonly #events: number;
  /** How many pending waits keep the event loop alive. */
  #refed = 0;
  /** Whether {@linkcode Reactor.#waitInPool} runs; one thread waits for all. */
  #looping = false;
  /** Whether that thread is in the call. */
  #inPool = false;
  /** Whether it was woken, and has not returned yet. */
  #woken = false;
  /** How many callers ask in this turn of the script whether they may block. */
  #asking = 0;
  /** How many callers were allowed to block since the event loop had its turn. */
  #blocks = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Use {@linkcode reactor}: each isolate has one. */
  constructor() {
    const loaded = engine();
    const { architecture } = loaded;
    this.#epoll = syscall(epoll_create1(EPOLL_CLOEXEC));
    try {
      this.#wake = syscall(eventfd2(0, EFD_CLOEXEC | EFD_NONBLOCK));
    } catch (error) {
      syscall(close(this.#epoll));
      throw error;
    }
    const [fd, flags] = [new Slot("fd", 4), new Slot("events", 4)];
    this.#controls = new Map(
      [EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL].map((operation) => {
        const event = { events: flags, data: fd };
        const call = epoll_ctl(this.#epoll, operation, fd, event, architecture);
        return [operation, new Routine([fd, flags], [{ call }])];
      }),
    );
    this.#control(EPOLL_CTL_ADD, this.#wake, EPOLLIN);
    const events = epollOutput(MAX_EVENTS, architecture);
    const wait = epoll_pwait(this.#epoll, events, -1, architecture);
    const program = assemble([{ call: wait, accept: ["EINTR"] }], architecture);
    this.#wait = loaded.allocate(program.bytes.length);
    place(program, this.#wait);
    this.#events = program.outputs.get(events)!;
  }

  /**
   * Registers a descriptor. Its events count only while a wait is pending.
   *
   * @param first what the caller waits for at once, in this turn of the script
   */
  watch(fd: number, first?: Readiness): Watch {
    this.#control(EPOLL_CTL_ADD, fd, EPOLLONESHOT | (first === undefined ? 0 : EVENTS[first]));
    const watch = new Watch(fd, first, {
      arm: (readiness) => this.#control(EPOLL_CTL_MOD, fd, EPOLLONESHOT | EVENTS[readiness]),
      count: (change) => {
        this.#refed += change;
        this.#update();
      },
      forget: () => {
        this.#watches.delete(fd);
        this.#control(EPOLL_CTL_DEL, fd, 0);
        this.#update();
      },
      update: () => this.#update(),
    });
    this.#watches.set(fd, watch);
    return watch;
  }

  /**
   * Whether the script's thread may block briefly: no other wait is pending, no other caller asks in
   * this turn of the script, and the event loop has had its turn lately.
   */
  async mayBlock(): Promise<boolean> {
    this.#asking++;
    await undefined;
    const may = this.#asking === 1 && this.#refed === 0 && this.#blocks < BLOCKS_A_TURN;
    await undefined;
    this.#asking--;
    if (may) this.#blocks++;
    return may;
  }

  #control(operation: number, fd: number, events: number): void {
    this.#controls.get(operation)!.run(fd, events);
  }

  /** Waits in the pool while a wait is to keep the event loop alive, and polls the others. */
  #update(): void {
    const refed = this.#refed > 0;
    if (refed && !this.#looping) void this.#waitInPool();
    if (!refed && this.#inPool && !this.#woken) {
      this.#woken = true;
      syscall(write(this.#wake, ONE, ONE.length));
    }
    const polls = !this.#looping && this.#watches.values().some((watch) => watch.pending);
    if (polls) this.#timer ??= this.#startPolling();
    // The first use of a timer takes milliseconds; most scripts never need this one.
    else if (this.#timer !== undefined) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  #startPolling(): ReturnType<typeof setInterval> {
    const timer = setInterval(() => {
      this.#poll();
      this.#update();
    }, UNREF_INTERVAL_MS);
    Deno.unrefTimer(timer);
    return timer;
  }

  async #waitInPool(): Promise<void> {
    this.#looping = true;
    do {
      this.#setTimeout(-1);
      this.#inPool = true;
      await engine().runInPool(this.#wait);
      this.#blocks = 0;
      this.#inPool = false;
      this.#dispatch();
      // A pipe and its program end one after the other: one poll may save a second way to the pool
      // and back. Only one poll, so that the event loop gets its turn.
      await undefined;
      if (this.#refed > 0) this.#poll();
    } while (this.#refed > 0);
    this.#looping = false;
    this.#update();
  }

  #poll(): void {
    this.#setTimeout(0);
    engine().runIn(this.#wait);
    this.#dispatch();
  }

  #setTimeout(milliseconds: number): void {
    this.#wait.view.setInt32(argumentOffset(0, 3), milliseconds, true);
  }

  #dispatch(): void {
    const { view } = this.#wait;
    // An accepted errno is a negative result: no events.
    const count = Math.max(0, Number(view.getBigInt64(resultOffset(0), true)));
    const events = new DataView(view.buffer, view.byteOffset + this.#events);
    // A wait that resolves may close other descriptors, whose numbers may be in use again. An event
    // without a pending wait is ignored, and a spurious one only makes its reader try again.
    for (const { data: fd } of readEpollEvents(events, count, engine().architecture)) {
      if (fd === this.#wake) {
        syscall(read(fd, new Output(8), 8));
        this.#woken = false;
      } else {
        this.#watches.get(fd)?.signal();
      }
    }
  }
}

/** A write to an eventfd: a number of 64 bits. */
const ONE = new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]);

/** How a {@linkcode Watch} reaches its reactor. */
interface Owner {
  /** Has epoll report the next event. */
  arm(readiness: Readiness): void;
  /** Counts a pending wait that keeps the event loop alive, or no longer does. */
  count(change: 1 | -1): void;
  /** Takes an unrefed wait into account. */
  update(): void;
  /** Removes the descriptor. */
  forget(): void;
}

/** A descriptor for which a caller can wait. */
export class Watch {
  readonly #fd: number;
  readonly #owner: Owner;
  #resolve: (() => void) | undefined;
  /** What epoll reports already, without having been asked by a wait. */
  #armed: Readiness | undefined;
  #ref = true;
  #closed = false;

  /** Use {@linkcode Reactor.watch}. */
  constructor(fd: number, armed: Readiness | undefined, owner: Owner) {
    this.#fd = fd;
    this.#armed = armed;
    this.#owner = owner;
  }

  /** The descriptor. */
  get fd(): number {
    return this.#fd;
  }

  /** Whether a wait is pending. */
  get pending(): boolean {
    return this.#resolve !== undefined;
  }

  /** Whether the descriptor is no longer watched. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves once the descriptor is ready, or no longer watched. Only one wait may be pending. */
  ready(readiness: Readiness): Promise<void> {
    if (this.#closed) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#resolve = resolve;
    if (this.#armed !== readiness) this.#owner.arm(readiness);
    this.#armed = undefined;
    if (this.#ref) this.#owner.count(1);
    else this.#owner.update();
    return promise;
  }

  /** Resolves the pending wait, if there is one. */
  signal(): void {
    const resolve = this.#resolve;
    if (resolve === undefined) return;
    this.#resolve = undefined;
    if (this.#ref) this.#owner.count(-1);
    resolve();
  }

  /** Lets a pending wait keep the event loop alive, as it does at first. */
  ref(): void {
    if (this.#ref) return;
    this.#ref = true;
    if (this.pending) this.#owner.count(1);
  }

  /** Lets the event loop end while a wait is pending. */
  unref(): void {
    if (!this.#ref) return;
    this.#ref = false;
    if (this.pending) this.#owner.count(-1);
  }

  /** Ends the watch; the descriptor itself stays open. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.signal();
    this.#owner.forget();
  }
}

/**
 * The reactor: one thread of Deno's pool waits for every descriptor of this isolate, however many
 * containers there are.
 *
 * The wait is a pending call, which keeps the event loop alive. While nothing is waited for but
 * descriptors that are not to keep it alive, there is no call, and a timer that does not keep it
 * alive either looks after them.
 *
 * @module
 */

import { Output } from "./call.ts";
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
import { syscall } from "./syscalls.ts";
import { argumentOffset, assemble, resultOffset } from "./engine/program.ts";

/** What a descriptor is waited for: to be read, or to be written. */
export type Readiness = "readable" | "writable";

const MAX_EVENTS = 256;
/** How often the descriptors are looked after that do not keep the event loop alive. */
const UNREF_INTERVAL_MS = 20;
/** How often in a row the script's thread may wait before the event loop gets its turn. */
const BLOCKS_A_TURN = 16;

let started: Reactor | undefined;

/** The reactor of this isolate. */
export function reactor(): Reactor {
  return started ??= new Reactor();
}

/** Waits for many descriptors at once. */
export class Reactor {
  readonly #epoll: number;
  readonly #wake: number;
  readonly #watches = new Map<number, Watch>();
  readonly #wait: Memory;
  readonly #events: number;
  /** How many waits keep the event loop alive. */
  #holders = 0;
  /** Whether {@linkcode Reactor.#waitInPool} is under way; one thread waits for all. */
  #looping = false;
  /** Whether that thread waits now. */
  #inPool = false;
  /** Whether it has been told to come back. */
  #woken = false;
  /** How many ask in this turn of the script whether they may block. */
  #asking = 0;
  /** How many may have blocked since the event loop has had its turn. */
  #blocks = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Use {@linkcode reactor}: there is one an isolate. */
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
    this.#control(EPOLL_CTL_ADD, this.#wake, EPOLLIN);
    const events = epollOutput(MAX_EVENTS, architecture);
    const wait = epoll_pwait(this.#epoll, events, -1, architecture);
    const program = assemble([{ call: wait, accept: ["EINTR"] }], architecture);
    this.#wait = loaded.allocate(program.bytes.length);
    place(program, this.#wait);
    this.#events = program.outputs.get(events)!;
  }

  /** Takes a descriptor in; it is not looked at before it is waited for. */
  watch(fd: number): Watch {
    this.#control(EPOLL_CTL_ADD, fd, EPOLLONESHOT);
    const watch = new Watch(fd, {
      arm: (readiness) => {
        const event = readiness === "readable" ? EPOLLIN : EPOLLOUT;
        this.#control(EPOLL_CTL_MOD, fd, EPOLLONESHOT | event);
      },
      hold: (change) => {
        this.#holders += change;
        this.#goOn();
      },
      forget: () => {
        this.#watches.delete(fd);
        this.#control(EPOLL_CTL_DEL, fd, 0);
        this.#goOn();
      },
      look: () => this.#goOn(),
    });
    this.#watches.set(fd, watch);
    return watch;
  }

  /**
   * Whether the script's thread may wait by itself for a moment, as it is of no use to anybody else:
   * nothing is waited for, nobody else asks in this turn of the script, and the event loop has had
   * its turn lately.
   */
  async mayBlock(): Promise<boolean> {
    this.#asking++;
    await undefined;
    const may = this.#asking === 1 && this.#holders === 0 && this.#blocks < BLOCKS_A_TURN;
    await undefined;
    this.#asking--;
    if (may) this.#blocks++;
    return may;
  }

  #control(operation: number, fd: number, events: number): void {
    syscall(epoll_ctl(this.#epoll, operation, fd, { events, data: fd }, engine().architecture));
  }

  /** Waits in the pool while the event loop is to be kept alive, and looks now and then otherwise. */
  #goOn(): void {
    const holds = this.#holders > 0;
    if (holds && !this.#looping) void this.#waitInPool();
    if (!holds && this.#inPool && !this.#woken) {
      this.#woken = true;
      syscall(write(this.#wake, ONE, ONE.length));
    }
    const looks = !this.#looping && this.#watches.values().some((watch) => watch.pending);
    if (looks) this.#timer ??= this.#lookNowAndThen();
    // The first use of a timer takes milliseconds; most scripts never need this one.
    else if (this.#timer !== undefined) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  #lookNowAndThen(): ReturnType<typeof setInterval> {
    const timer = setInterval(() => {
      this.#look();
      this.#goOn();
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
      // The end of a pipe and that of its program come one after the other, and one way to the pool
      // and back is enough for both. Not more than one: the event loop is to have its turn.
      await undefined;
      if (this.#holders > 0) this.#look();
    } while (this.#holders > 0);
    this.#looping = false;
    this.#goOn();
  }

  #look(): void {
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
    // Whoever was woken may have closed others, whose numbers may be in use again; an event that
    // finds nobody waiting is nothing, and one too many only makes somebody look again.
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

/** What an eventfd takes: a number of 64 bits. */
const ONE = new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]);

/** What a {@linkcode Watch} asks of its reactor. */
interface Owner {
  arm(readiness: Readiness): void;
  hold(change: 1 | -1): void;
  forget(): void;
  look(): void;
}

/** A descriptor that can be waited for. */
export class Watch {
  readonly #fd: number;
  readonly #owner: Owner;
  #resolve: (() => void) | undefined;
  #ref = true;
  #closed = false;

  /** Use {@linkcode Reactor.watch}. */
  constructor(fd: number, owner: Owner) {
    this.#fd = fd;
    this.#owner = owner;
  }

  /** The descriptor. */
  get fd(): number {
    return this.#fd;
  }

  /** Whether somebody waits. */
  get pending(): boolean {
    return this.#resolve !== undefined;
  }

  /** Whether it is no longer watched. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves once the descriptor is ready, or no longer watched. One at a time may wait. */
  ready(readiness: Readiness): Promise<void> {
    if (this.#closed) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#resolve = resolve;
    this.#owner.arm(readiness);
    if (this.#ref) this.#owner.hold(1);
    else this.#owner.look();
    return promise;
  }

  /** Lets the wait go on; the reactor calls it. */
  signal(): void {
    const resolve = this.#resolve;
    if (resolve === undefined) return;
    this.#resolve = undefined;
    if (this.#ref) this.#owner.hold(-1);
    resolve();
  }

  /** Says whether waiting keeps the event loop alive, as it does at first. */
  keepAlive(ref: boolean): void {
    if (this.#ref === ref) return;
    this.#ref = ref;
    if (this.pending) this.#owner.hold(ref ? 1 : -1);
  }

  /** Ends the watch; the descriptor itself stays open. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.signal();
    this.#owner.forget();
  }
}

/**
 * Observes the calls of an audited container: answers each as the filter would, and notes what is
 * denied. The script's event loop does it, so a script that computes without end holds the programs
 * up.
 *
 * @module
 */

import { engine } from "../ffi/engine/engine.ts";
import { reactor, type Watch } from "../ffi/reactor.ts";
import { allSyscalls } from "../ffi/seccomp/all_syscalls.ts";
import { AUDIT_ARCH } from "../ffi/seccomp/filter.ts";
import { answerOf } from "../ffi/seccomp/observe.ts";
import type { NotifiedCall } from "../ffi/calls/seccomp_notifications.ts";
import type { Step } from "../recipe/steps.ts";
import { Advisor } from "./advice.ts";
import type { DenialLog } from "./denial.ts";
import { Judge, type Notes } from "./judge.ts";
import { Listener } from "./listener.ts";

/** How long one turn of the event loop may take, and how long it waits in it for a further call. */
const [TURN_MS, PATIENCE_MS] = [4, 0.2];

/** A container to be observed. */
export interface Observed {
  /** The descriptor of the listener, which is taken over. */
  readonly notifier: number;
  /** The filter as it decides without a listener. */
  readonly filter: Uint8Array<ArrayBuffer>;
  readonly steps: readonly { readonly step: string }[];
  /** Whether it has no network of the host's. */
  readonly ownNetwork: boolean;
}

/** Observes one container, until it is closed. */
export class Observer {
  readonly #listener: Listener;
  readonly #filter: Uint8Array<ArrayBuffer>;
  readonly #denials: DenialLog;
  readonly #judge: Judge;
  readonly #watch: Watch;
  readonly #names: ReadonlyMap<number, string>;
  readonly #architecture = AUDIT_ARCH[engine().architecture];

  /** Begins at once, and adds what it finds. */
  constructor({ notifier, filter, steps, ownNetwork }: Observed, notes: Notes) {
    this.#listener = new Listener(notifier);
    this.#filter = filter;
    this.#denials = notes.denials;
    this.#judge = new Judge(
      this.#listener,
      notes,
      new Advisor(steps as readonly Step[]),
      ownNetwork,
    );
    this.#names = namesByNumber();
    this.#watch = reactor().watch(notifier);
    this.#watch.unref();
    void this.#serve();
  }

  /** Ends it, when the programs have ended. */
  close(): void {
    if (this.#watch.closed) return;
    this.#watch.close();
    this.#judge.close();
    this.#listener.close();
    this.#denials.end();
  }

  async #serve(): Promise<void> {
    while (!this.#watch.closed) {
      await this.#watch.ready("readable");
      if (this.#watch.closed || this.#takeTurn() === "ended") return;
    }
  }

  /** Answers the calls that there are, and those that follow soon. */
  #takeTurn(): "ended" | "later" {
    const end = performance.now() + TURN_MS;
    do {
      const next = this.#listener.next(PATIENCE_MS);
      if (next === "ended") return "ended";
      if (next === "nothing") return "later";
      this.#answer(next);
    } while (performance.now() < end);
    return "later";
  }

  #answer(notified: NotifiedCall): void {
    const answer = answerOf(this.#filter, notified.data);
    try {
      const name = this.#nameOf(notified);
      if (name !== undefined) this.#judge.judge(name, notified, answer);
    } finally {
      this.#listener.answer(notified, answer.passes ? undefined : answer.errno);
    }
  }

  /** The name of a call; `undefined` for one of another ABI. */
  #nameOf({ number, data }: NotifiedCall): string | undefined {
    const isOwn = data.getUint32(4, true) === this.#architecture;
    return isOwn ? this.#names.get(number) : undefined;
  }
}

function namesByNumber(): ReadonlyMap<number, string> {
  return new Map([...allSyscalls(engine().architecture)].map(([name, number]) => [number, name]));
}

/**
 * What a program was denied, and what would allow it.
 *
 * @module
 */

import { escapeControls } from "../ffi/control_characters.ts";
import { shellWord } from "../recipe/shell_word.ts";
import { Advisor } from "./advice.ts";

/** What was denied to a program of an audited container. */
export interface Denial {
  /**
   * What was tried: to read, to change or to execute a file, to connect to an address, to look up a
   * host, to reach a host by the proxy, to make a unix socket, or a system call.
   */
  readonly kind: "read" | "write" | "execute" | "connect" | "host" | "socket" | "call";
  /** The path, the address with its port, the host, or the name of the call. */
  readonly what: string;
  /** The program: its name, which it may have chosen itself. */
  readonly program: string;
  /** The thread, as the script sees it. */
  readonly pid: number;
  /** The flag of `ramekin sandbox` that would allow it; left out if there is none. */
  readonly flag?: string;
  /** The option of `sandbox()` that would allow it, or what else would. */
  readonly option?: string;
}

/** What was tried, in words. */
const TRIED: Readonly<Record<Denial["kind"], string>> = {
  read: "read",
  write: "change",
  execute: "execute",
  connect: "connect to",
  host: "reach the host",
  socket: "make",
  call: "call",
};

/**
 * Returns a denial in words, with the flag that would allow it, or else the option. It cannot fail.
 *
 * @example
 * ```ts
 * import { describeDenial } from "@ramekin/ramekin";
 *
 * const denial = { kind: "read", what: "/etc/shadow", program: "cat", pid: 12 } as const;
 * console.log(describeDenial(denial)); // cat: read /etc/shadow
 * ```
 */
export function describeDenial({ kind, what, program, flag, option }: Denial): string {
  // A flag is typed in a shell, and its path or host can be any.
  const fix = flag?.startsWith("--") === true ? shellWord(flag) : flag ?? option;
  // Names of programs and files are anybody's.
  return escapeControls(
    `${program}: ${TRIED[kind]} ${what}${fix === undefined ? "" : ` (${fix})`}`,
  );
}

/** Returns the denial of a host that the proxy has refused; which program wanted it is not known. */
export function refusedHost(host: string): Denial {
  return {
    kind: "host",
    what: host,
    program: "a program",
    pid: 0,
    ...Advisor.reaching(host),
  };
}

/** The most denials that are kept: a program can try as many files as it wants. */
const MOST = 10_000;

/**
 * What the programs of an audited container were denied, each once: as it comes, by
 * `for await (const denial of container.denials)`, and so far in `list`.
 */
export interface Denials extends AsyncIterable<Denial> {
  /** All so far, 10,000 at most; complete when the `status` of the container is there. */
  readonly list: readonly Denial[];
}

/** Collects denials. */
export class DenialLog implements Denials {
  readonly #list: Denial[] = [];
  readonly #known = new Set<string>();
  #changed = Promise.withResolvers<void>();
  #ended = false;

  get list(): readonly Denial[] {
    return this.#list;
  }

  /** Adds a denial, unless it is known. */
  add(denial: Denial): void {
    const key = `${denial.kind} ${denial.what}`;
    if (this.#known.has(key) || this.#list.length === MOST) return;
    this.#known.add(key);
    this.#list.push(denial);
    this.#wake();
  }

  /** Ends all iterations. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  /** Returns them from the first one on, to the end of the container. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Denial, void, void> {
    for (let next = 0;; next++) {
      while (next === this.#list.length) {
        if (this.#ended) return;
        await this.#changed.promise;
      }
      yield this.#list[next]!;
    }
  }
}

/**
 * What the planner looks at of a client: whether it may do for it what it asks, and which descriptors
 * it has.
 *
 * @module
 */

import { O_CLOEXEC } from "../../ffi/calls/files.ts";
import { textOf } from "../cgroups/group.ts";
import type { Peer } from "./connection.ts";

/**
 * The fields of /proc/PID/status that say what a process may do: proc(5). What the planner may do
 * beyond that it would do for somebody else. Root of a login and of a service have other groups, which
 * give it nothing.
 */
const RIGHTS = /^(?:Uid|Gid|Cap\w+|NoNewPrivs|Seccomp|Seccomp_filters):.*$/gm;
const GROUPS = /^Groups:.*$/m;

/** How many descriptors a client may be given. */
const MOST_DESCRIPTORS = 64;

/** A process that asks the planner. */
export class Client {
  readonly #directory: string;

  private constructor({ pid }: Peer) {
    this.#directory = `/proc/${pid}`;
  }

  /**
   * Returns the client, if it is as this process: of the same user and rights, in the same namespaces,
   * and with the same root. For any other one the same paths and numbers may mean something else.
   *
   * @param own what {@linkcode ownFacts} has returned
   */
  static of(peer: Peer, own: string): Client | undefined {
    if (peer.pid <= 0 || peer.uid !== Deno.uid()) return undefined;
    const client = new Client(peer);
    try {
      const isSame = factsOf(client.#directory) === own;
      return isSame && peer.isThere() ? client : undefined;
    } catch {
      // It has ended, or this process may not look at it.
      return undefined;
    }
  }

  /** The directory of /proc with its files. */
  get directory(): string {
    return this.#directory;
  }

  /** Its working directory. */
  get workingDirectory(): string {
    return Deno.readLinkSync(`${this.#directory}/cwd`);
  }

  /** Returns those of its descriptors from 3 on, so many, that a program of its inherits. */
  inherited(count: number): readonly number[] {
    return Array.from({ length: count }, (_, index) => 3 + index).filter((number) => {
      const flags = /^flags:\s*([0-7]+)/m.exec(textOf(`${this.#directory}/fdinfo/${number}`) ?? "");
      return flags !== null && (parseInt(flags[1]!, 8) & O_CLOEXEC) === 0;
    });
  }

  /** Returns the numbers that the next descriptors will have that it receives. */
  freeNumbers(): readonly number[] {
    const taken = new Set(
      Array.from(Deno.readDirSync(`${this.#directory}/fd`), ({ name }) => Number(name)),
    );
    const free: number[] = [];
    for (let number = 0; free.length < MOST_DESCRIPTORS; number++) {
      if (!taken.has(number)) free.push(number);
    }
    return free;
  }
}

/** Returns what has to be the same of this process and a client, and does not change. */
export function ownFacts(): string {
  return factsOf("/proc/self");
}

/** Returns what has to be the same of two processes. */
function factsOf(directory: string): string {
  const status = Deno.readTextFileSync(`${directory}/status`);
  const rights = status.match(RIGHTS);
  const groups = Deno.uid() === 0 ? null : status.match(GROUPS);
  const namespaces = Array.from(Deno.readDirSync(`${directory}/ns`), ({ name }) => name).sort()
    .map((name) => Deno.readLinkSync(`${directory}/ns/${name}`));
  const { dev, ino } = Deno.statSync(`${directory}/root`);
  const label = textOf(`${directory}/attr/current`) ?? "";
  return JSON.stringify([rights, groups, namespaces, dev, ino, label]);
}

/**
 * What would allow what was denied: a flag of `ramekin sandbox`, and an option of `sandbox()`.
 *
 * @module
 */

import { isWithin } from "../recipe/path.ts";
import type { Step } from "../recipe/steps.ts";
import type { Denial } from "./denial.ts";

/** What would allow something. */
export type Advice = Pick<Denial, "flag" | "option">;

/** What a sandbox has of its own, so that no option shows the host's. */
const OWN = ["/proc", "/dev"];

/** Knows the steps of the container. */
export class Advisor {
  readonly #deniedRead: readonly string[];
  readonly #deniedWrite: readonly string[];
  readonly #protected: readonly string[];

  /** For a container of these steps. */
  constructor(steps: readonly Step[]) {
    const denials = steps.filter((step) => step.step === "denyFiles");
    this.#deniedRead = denials.flatMap(({ read = [] }) => read);
    this.#deniedWrite = denials.flatMap(({ write = [] }) => write);
    this.#protected = steps.flatMap((step) => step.step === "protect" ? [step.source] : []);
  }

  /** Whether a file is hidden on purpose. */
  isDenied(path: string): boolean {
    return this.#deniedRead.some((denied) => isWithin(path, denied));
  }

  /** For a file that is to be read or executed. */
  reading(path: string): Advice {
    if (OWN.some((own) => isWithin(path, own))) return {};
    const denied = this.#deniedRead.find((denied) => isWithin(path, denied));
    if (denied !== undefined) {
      return {
        flag: `without --deny-read=${denied}`,
        option: `without denyRead: ${JSON.stringify([denied])}`,
      };
    }
    return { ...flagOf("read", path), option: `read: ${JSON.stringify([path])}` };
  }

  /** For a file that is to be changed. */
  writing(path: string): Advice {
    if (OWN.some((own) => isWithin(path, own))) return {};
    const denied = this.#deniedWrite.find((denied) => isWithin(path, denied));
    if (denied !== undefined) {
      return {
        flag: `without --deny-write=${denied}`,
        option: `without denyWrite: ${JSON.stringify([denied])}`,
      };
    }
    if (this.#protected.some((directory) => isWithin(path, directory))) {
      return { flag: "--no-protect", option: "protect: false" };
    }
    return { ...flagOf("write", path), option: `write: ${JSON.stringify([path])}` };
  }

  /** For a host or an address. */
  static reaching(host: string): Advice {
    return {
      ...flagOf("net", host),
      option: `command(..., { permissions: { net: ${JSON.stringify([host])}, ... } })`,
    };
  }

  /** For a call that the filter denies. */
  static calling(name: string): Advice {
    return { option: `seccomp({ allow: ["${name}"] })` };
  }

  /** For a unix socket. */
  static readonly unixSockets: Advice = { flag: "--unix-sockets", option: "unixSockets: true" };
  /** For a set-user-ID file. */
  static readonly setuidFiles: Advice = { flag: "--setuid-files", option: "setuidFiles: true" };
}

/** A flag with one value: a comma in it would begin another. */
function flagOf(grant: string, value: string): Pick<Advice, "flag"> {
  return value.includes(",") ? {} : { flag: `--allow-${grant}=${value}` };
}

/**
 * What a plan has asked of the host, and whether a new plan would be told the same.
 *
 * @module
 */

import { SyscallError } from "../ffi/errors.ts";
import type { MountEntry } from "../ffi/proc/mountinfo.ts";
import type { Credentials } from "../host/credentials.ts";
import type { FollowedLinks } from "../host/follow_links.ts";
import type { DirectoryNames, Host } from "../host/host.ts";
import { OtherNames } from "../host/other_names.ts";
import type { NameQuestion, NameScan } from "../host/name_question.ts";
import type { ResolvedPath } from "../host/resolve_path.ts";
import { MatchingNames } from "./matching_names.ts";

/**
 * In how many directories all scans of a plan look for names: no project has as many so near to its
 * top, and they are read in a second or two.
 */
export const MAX_DIRECTORIES = 100_000;

/** The answers of the host to one plan, each asked for once. */
export class HostFacts {
  readonly #host: Host;
  /** What the plan of the first steps has asked. */
  readonly #begun: HostFacts | undefined;
  readonly #resolved = new Map<string, ResolvedPath>();
  #paths: readonly ResolvedPath[] = [];
  readonly #names = new Map<string, MatchingNames>();
  #namesNow: DirectoryNames | undefined;
  readonly #scans = new Map<string, NameScan>();
  readonly #followed = new Map<string, FollowedLinks>();
  #hasAutomounter: boolean | undefined;
  readonly #automounted = new Set<string>();
  #home: { readonly path: string | undefined } | undefined;
  #workingDirectory: string | undefined;
  #mounts: readonly MountEntry[] | undefined;
  #otherNames: OtherNames | undefined;
  #resolvConf: string | undefined;
  readonly #accountFiles = new Map<string, string>();

  /**
   * What this host says.
   *
   * @param begun what was asked for the first steps, and holds now
   */
  constructor(host: Host, begun?: HostFacts) {
    this.#host = host;
    this.#begun = begun;
  }

  /** Returns the working directory of the script. */
  workingDirectory(): string {
    return this.#workingDirectory ??= this.#host.workingDirectory();
  }

  /** Returns the text of /etc/resolv.conf. */
  resolvConf(): string {
    return this.#resolvConf ??= this.#host.resolvConf();
  }

  /** Returns the text of a file of users or groups. */
  accountFile(path: string): string {
    let text = this.#accountFiles.get(path);
    if (text === undefined) this.#accountFiles.set(path, text = this.#host.accountFile(path));
    return text;
  }

  /** Returns the home directory of the user. */
  homeDirectory(): string | undefined {
    return (this.#home ??= { path: this.#host.homeDirectory() }).path;
  }

  /** Returns the symbolic links on the way to a path of the host. */
  followLinks(path: string): FollowedLinks {
    let followed = this.#knownWay(path);
    if (followed === undefined) this.#followed.set(path, followed = this.#host.followLinks(path));
    return followed;
  }

  #knownWay(path: string): FollowedLinks | undefined {
    return this.#followed.get(path) ?? (this.#begun && this.#begun.#knownWay(path));
  }

  /** Resolves a path of the host. */
  resolve(path: string): ResolvedPath {
    let resolved = this.#knownPath(path);
    if (resolved === undefined) this.#resolved.set(path, resolved = this.#host.resolve(path));
    return resolved;
  }

  #knownPath(path: string): ResolvedPath | undefined {
    return this.#resolved.get(path) ?? (this.#begun && this.#begun.#knownPath(path));
  }

  /**
   * Lets an automounter mount what belongs on a directory, and on those in it: in the container, what
   * it mounts later does not appear.
   */
  mountAutomounts(directory: string): void {
    this.#hasAutomounter ??= this.#host.hasAutomounter();
    if (!this.#hasAutomounter) return;
    this.#host.mountAutomounts(directory);
    this.#automounted.add(directory);
  }

  /** Has what was mounted on demand, and may be unmounted by now, mounted again. */
  #automountsHold(): boolean {
    if (this.#hasAutomounter === undefined) return true;
    if (this.#hasAutomounter !== this.#host.hasAutomounter()) return false;
    for (const directory of this.#automounted) this.#host.mountAutomounts(directory);
    return true;
  }

  /** Returns the names in a directory of the host that match, with `*` for any text. */
  namesIn(directory: string, pattern: string): readonly string[] {
    let names = this.#knownNames(directory);
    if (names === undefined) {
      this.#names.set(directory, names = new MatchingNames(this.#now.in(directory)));
    }
    return names.matching(pattern);
  }

  #knownNames(directory: string): MatchingNames | undefined {
    return this.#names.get(directory) ?? (this.#begun && this.#begun.#knownNames(directory));
  }

  get #now(): DirectoryNames {
    return this.#namesNow ??= this.#host.directoryNames();
  }

  /**
   * Looks for files of the host by their names; `undefined` if all scans of the plan together look in
   * too many directories.
   */
  scanNames(question: Omit<NameQuestion, "most">): NameScan | undefined {
    const key = JSON.stringify(question);
    let scan = this.#knownScan(key);
    if (scan === undefined) {
      const most = MAX_DIRECTORIES - this.#lookedIn;
      scan = this.#host.scanNames({ ...question, most }, this.#scans.values().next().value);
      if (scan.directories > most) return undefined;
      this.#scans.set(key, scan);
    }
    return scan;
  }

  #knownScan(key: string): NameScan | undefined {
    return this.#scans.get(key) ?? (this.#begun && this.#begun.#knownScan(key));
  }

  /** In how many directories all scans have looked. */
  get #lookedIn(): number {
    const before = this.#begun === undefined ? 0 : this.#begun.#lookedIn;
    return this.#scans.values().reduce((sum, { directories }) => sum + directories, before);
  }

  /** The other paths of the host's files, by its mounts. */
  get otherNames(): OtherNames {
    return this.#otherNames ??= new OtherNames(this.mounts);
  }

  /** The mounts of the host. */
  get mounts(): readonly MountEntry[] {
    return this.#mounts ??= this.#host.mounts();
  }

  #accountsHold(): boolean {
    return this.#accountFiles.size === 0 ||
      this.#accountFiles.entries().every(([path, text]) => text === this.#host.accountFile(path));
  }

  #waysHold(): boolean {
    return this.#followed.size === 0 ||
      this.#followed.entries().every(([path, followed]) =>
        JSON.stringify(followed) === JSON.stringify(this.#host.followLinks(path))
      );
  }

  #namesHold(): boolean {
    if (this.#names.size === 0) return true;
    const now = this.#host.directoryNames();
    return this.#names.entries().every(([directory, names]) => names.hold(now.in(directory)));
  }

  /** Whether the host would say the same to this caller. */
  hold(caller: Credentials): boolean {
    return (this.#begun?.hold(caller) ?? true) && this.#hold(caller);
  }

  #hold(caller: Credentials): boolean {
    const host = this.#host;
    // The access list resolves further paths when it is read.
    if (this.#paths.length !== this.#resolved.size) this.#paths = [...this.#resolved.values()];
    const directory = this.#workingDirectory;
    try {
      return caller === host.credentials() &&
        (directory === undefined || directory === host.workingDirectory()) &&
        (this.#resolvConf === undefined || this.#resolvConf === host.resolvConf()) &&
        (this.#mounts === undefined || this.#mounts === host.mounts()) &&
        this.#automountsHold() &&
        (this.#home === undefined || this.#home.path === host.homeDirectory()) &&
        this.#accountsHold() &&
        this.#waysHold() &&
        this.#namesHold() &&
        host.unchanged(this.#paths) &&
        (this.#scans.size === 0 || host.sameNames([...this.#scans.values()]));
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      // Whoever plans anew gets the error, with its step.
      return false;
    }
  }
}

/** Reads the calls of a container's processes from the output of strace(1). */

/** The start of the path that marks a launch; the launch's name follows. */
export const MARK = "/no/such/ramekin/";

/** A call of the container in a plan. */
export interface PlannedCall {
  readonly call: string;
  /** Whether it belongs to a step. */
  readonly unless?: string | undefined;
}

/** A launch, and the calls of the container in its plan. */
export interface TracedLaunch {
  readonly name: string;
  readonly calls: readonly PlannedCall[];
  /** Why there was no launch. */
  readonly lacks?: string | undefined;
}

/** Returns the names of the calls of each process, by launch. */
export function processesOf(trace: string): ReadonlyMap<string, readonly (readonly string[])[]> {
  const launches = new Map<string, Map<string, string[]>>();
  const threads = threadsOf(trace);
  const [known, ended, sealing] = [new Set<string>(), new Set<string>(), new Set<string>()];
  let current: Map<string, string[]> | undefined;
  for (const { pid, text } of linesOf(trace)) {
    const mark = new RegExp(`"${MARK}(\\w+)"`).exec(text)?.[1];
    if (mark !== undefined) launches.set(mark, current = new Map());
    if (current === undefined || current === launches.get("nothing")) known.add(pid);
    if (known.has(pid) || threads.has(pid) || ended.has(pid)) continue;
    const name = /^(\w+)\(/.exec(text)?.[1];
    if (name !== undefined) {
      if (!current!.has(pid)) current!.set(pid, []);
      current!.get(pid)!.push(name);
    }
    // The kernel restarts some calls until it gets a lock (ERESTARTNOINTR).
    if (/= \? ERESTART/.test(text)) current!.get(pid)?.pop();
    // The engine makes a lookup again that others have disturbed.
    if (/^openat2\(.*RESOLVE_(BENEATH|IN_ROOT)\b.*= -1 EAGAIN/.test(text)) current!.get(pid)?.pop();
    if (/^execveat\(\d+, "", \["ramekin-launch"\]/.test(text)) sealing.add(pid);
    if (!/^(execve(at)?\(|<\.\.\. execve(at)? resumed>).*= 0$/.test(text)) continue;
    // The sealed executable executes the program; after that the process is the program or the init.
    if (!sealing.delete(pid)) ended.add(pid);
  }
  return new Map([...launches].map(([name, processes]) => [name, [...processes.values()]]));
}

function* linesOf(trace: string): Iterable<{ readonly pid: string; readonly text: string }> {
  for (const line of trace.split("\n")) {
    const [, pid, text] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (pid !== undefined && text !== undefined) yield { pid, text };
  }
}

/** The threads of the script, which vary. */
function threadsOf(trace: string): ReadonlySet<string> {
  const threads = new Set<string>();
  const making = new Set<string>();
  for (const { pid, text } of linesOf(trace)) {
    if (/^clone3?\(.*CLONE_THREAD/.test(text)) making.add(pid);
    if (!making.has(pid) || !/^(clone3?\(|<\.\.\. clone3? resumed>)/.test(text)) continue;
    const made = /= (\d+)$/.exec(text)?.[1];
    if (made === undefined) continue;
    threads.add(made);
    making.delete(pid);
  }
  return threads;
}

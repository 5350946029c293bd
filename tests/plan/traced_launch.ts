/** What processes of a container have called, as strace(1) has written it down. */

/** The file that is asked for before a launch, with the launch's name behind it. */
export const MARK = "/no/such/ramekin/";

/** A call of the container's in a plan. */
export interface PlannedCall {
  readonly call: string;
  /** Whether it serves a step, and not the launch itself. */
  readonly ofStep: boolean;
}

/** A launch, and what its plan says that the container does. */
export interface TracedLaunch {
  readonly name: string;
  readonly calls: readonly PlannedCall[];
  /** Why there was no launch. */
  readonly lacks?: string | undefined;
}

/** The names of the calls of each process, by the names of the launches. */
export function processesOf(trace: string): ReadonlyMap<string, readonly (readonly string[])[]> {
  const launches = new Map<string, Map<string, string[]>>();
  const threads = threadsOf(trace);
  const [known, ended] = [new Set<string>(), new Set<string>()];
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
    // Some calls have the kernel make them again, until it gets its lock.
    if (/= \? ERESTART/.test(text)) current!.get(pid)?.pop();
    // From then on it is the program, or the init.
    if (/^(execve(at)?\(|<\.\.\. execve(at)? resumed>).*= 0$/.test(text)) ended.add(pid);
  }
  return new Map([...launches].map(([name, processes]) => [name, [...processes.values()]]));
}

function* linesOf(trace: string): Iterable<{ readonly pid: string; readonly text: string }> {
  for (const line of trace.split("\n")) {
    const [, pid, text] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (pid !== undefined && text !== undefined) yield { pid, text };
  }
}

/** The threads of the script, which come and go. */
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

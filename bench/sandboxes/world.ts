/**
 * What the probes act on: a home directory with a project in it, servers, and a process outside.
 * All of it is the run's own.
 *
 * @module
 */

/** A user who runs the tools. */
export interface User {
  readonly name: string;
  readonly uid: number;
}

/** What is nobody's business. */
export const SECRET = "the recipe of the soup";

/** The group that a tool is started with beside the user's own, where root starts it. */
const GROUP = 4;

/** What the probes act on, until it is disposed. */
export interface World extends AsyncDisposable {
  /** The words before a command line that make a process the user's. */
  readonly prefix: readonly string[];
  readonly isRoot: boolean;
  /** The directory of it all. */
  readonly directory: string;
  readonly home: string;
  /** The directory that the tools are told to let a program change. */
  readonly project: string;
  /** The port of a server on 127.0.0.1. */
  readonly port: number;
  /** The name of an abstract unix socket. */
  readonly abstractName: string;
  /** A process outside, which makes the file `signalled` when it gets SIGUSR1. */
  readonly pid: number;
  /** A word in the command lines of that process and of what outlives a tool. */
  readonly marker: string;
  /** Whether there is a file that only the further group can read. */
  readonly hasGroupFile: boolean;
}

/** The users: this one; for root, an ordinary one too. */
export function users(): readonly User[] {
  const ordinary = { name: "an ordinary user", uid: Deno.uid() || ORDINARY };
  return Deno.uid() === 0 ? [ordinary, { name: "root", uid: 0 }] : [ordinary];
}

/** The first uid of users on most machines. */
const ORDINARY = 1000;

/**
 * The words that make a process the user's, where root starts it: with a further group, and with the
 * home directory in a /etc/passwd of its own, where firejail looks for it.
 */
function prefixOf({ uid }: User, directory: string, home: string): readonly string[] {
  if (Deno.uid() !== 0) return [];
  const passwd = `${directory}/passwd`;
  const others = Deno.readTextFileSync("/etc/passwd").split("\n").filter((line) =>
    line !== "" && line.split(":")[2] !== String(uid)
  );
  const line = `${uid === 0 ? "root" : "cook"}:x:${uid}:${uid}::${home}:/bin/sh`;
  Deno.writeTextFileSync(passwd, [...others, line, ""].join("\n"));
  const start = `mount --bind ${passwd} /etc/passwd && exec setpriv --reuid=${uid} ` +
    `--regid=${uid} --groups=${uid},${GROUP} -- "$@"`;
  return ["unshare", "--mount", "sh", "-c", start, "sh"];
}

/**
 * Makes it all. It lies outside of /tmp, of which most tools have one of their own; for root in /home,
 * as firejail has a /var/tmp of its own too.
 */
export async function makeWorld(user: User): Promise<World> {
  const dir = Deno.uid() === 0 ? "/home" : "/var/tmp";
  const directory = Deno.realPathSync(
    Deno.makeTempDirSync({ dir, prefix: "ramekin-compared-" }),
  );
  const marker = `ramekin-${crypto.randomUUID()}`;
  const home = `${directory}/home`, project = `${home}/project`;
  const hasGroupFile = Deno.uid() === 0;
  try {
    Deno.chmodSync(directory, 0o755);
    makeFiles(directory, home, project);
    await own(directory, user);
    if (hasGroupFile) makeGroupFile(`${project}/of-a-group`);
    const prefix = prefixOf(user, directory, home);
    const outside = await startOutside({ directory, project, marker, prefix });
    return {
      prefix,
      isRoot: user.uid === 0,
      directory,
      home,
      project,
      marker,
      hasGroupFile,
      abstractName: marker,
      pid: outside.pid,
      port: outside.port,
      async [Symbol.asyncDispose]() {
        await outside.end();
        for (const pid of marked(marker, "includes")) kill(pid);
        Deno.removeSync(directory, { recursive: true });
      },
    };
  } catch (error) {
    Deno.removeSync(directory, { recursive: true });
    throw error;
  }
}

function makeFiles(directory: string, home: string, project: string): void {
  for (const path of [`${home}/.ssh`, `${project}/.git/hooks`, `${directory}/elsewhere`]) {
    Deno.mkdirSync(path, { recursive: true });
  }
  const files = {
    [`${home}/.ssh/id_ed25519`]: SECRET,
    [`${home}/notes.txt`]: SECRET,
    [`${home}/.bashrc`]: "# empty\n",
    [`${directory}/elsewhere/letter`]: SECRET,
    [`${directory}/input`]: SECRET,
    [`${directory}/log`]: `${SECRET}\n`,
    [`${project}/.git/config`]: "[core]\n",
    [`${project}/.git/HEAD`]: "ref: refs/heads/main\n",
    [`${project}/main.c`]: "int main(void) { return 0; }\n",
  };
  for (const [path, text] of Object.entries(files)) Deno.writeTextFileSync(path, text);
}

async function own(directory: string, { uid }: User): Promise<void> {
  if (Deno.uid() === uid) return;
  await new Deno.Command("chown", { args: ["-R", `${uid}:${uid}`, directory] }).output();
}

/** A file of another user, that the further group can read and nobody else. */
function makeGroupFile(path: string): void {
  Deno.writeTextFileSync(path, SECRET);
  Deno.chownSync(path, 1, GROUP);
  Deno.chmodSync(path, 0o040);
}

/** Starts what is outside: the servers, and the process that is attacked. */
async function startOutside(
  { directory, project, marker, prefix }: Pick<
    World,
    "directory" | "project" | "marker" | "prefix"
  >,
) {
  const script = String.raw`
    use strict; use Socket; $| = 1;
    $SIG{USR1} = sub { open(my $told, ">", "${directory}/signalled") };
    sub serve {
      my ($domain, $address) = @_;
      socket(my $socket, $domain, SOCK_STREAM, 0) or die "socket: $!\n";
      bind($socket, $address) or die "bind: $!\n";
      listen($socket, 100) or die "listen: $!\n";
      $socket
    }
    my $tcp = serve(AF_INET, pack_sockaddr_in(0, INADDR_LOOPBACK));
    my @others = map { serve(AF_UNIX, $_) } (
      pack_sockaddr_un("${project}/socket"), pack("Sa*", AF_UNIX, "\0${marker}")
    );
    my ($port) = unpack_sockaddr_in(getsockname($tcp));
    print "$$ $port\n";
    { last if defined(my $line = <STDIN>); redo if $!{EINTR} }
  `;
  const [program, ...args] = [...prefix, "perl", "-e", script, marker];
  const child = new Deno.Command(program!, { args, stdin: "piped", stdout: "piped" }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  const [pid, port] = new TextDecoder().decode(value).trim().split(" ").map(Number);
  return {
    pid: pid!,
    port: port!,
    async end() {
      await child.stdin.close();
      await reader.cancel();
      await child.status;
    },
  };
}

/** The processes whose command line has the marker, or begins with it. */
export function marked(marker: string, where: "startsWith" | "includes"): readonly number[] {
  return [...Deno.readDirSync("/proc")].flatMap(({ name }) => {
    if (!/^\d+$/.test(name) || Number(name) === Deno.pid) return [];
    try {
      return Deno.readTextFileSync(`/proc/${name}/cmdline`)[where](marker) ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

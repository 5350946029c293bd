/**
 * Where secrets usually are: what a program that is learnt neither sees nor is granted.
 *
 * @module
 */

import { isWithin } from "../../../recipe/path.ts";

/** In a home directory. */
const HOME_SECRETS: readonly string[] = [
  ".ssh",
  ".gnupg",
  ".aws",
  ".azure",
  ".boto",
  ".cargo/credentials",
  ".cargo/credentials.toml",
  ".config/containers/auth.json",
  ".config/gcloud",
  ".config/gh",
  ".config/glab-cli",
  ".config/google-chrome",
  ".config/chromium",
  ".config/hub",
  ".config/op",
  ".config/rclone",
  ".docker/config.json",
  ".gem/credentials",
  ".git-credentials",
  ".gradle/gradle.properties",
  ".kube",
  ".local/share/keyrings",
  ".m2/settings.xml",
  ".m2/settings-security.xml",
  ".mozilla",
  ".my.cnf",
  ".netrc",
  ".npmrc",
  ".password-store",
  ".pgpass",
  ".pypirc",
  ".s3cfg",
  ".terraform.d/credentials.tfrc.json",
  ".vault-token",
  // What was typed, passwords among it.
  ".bash_history",
  ".mysql_history",
  ".node_repl_history",
  ".psql_history",
  ".python_history",
  ".zsh_history",
];

/** Of the machine. */
const SYSTEM_SECRETS: readonly string[] = [
  "/etc/NetworkManager/system-connections",
  "/etc/gshadow",
  "/etc/gshadow-",
  "/etc/krb5.keytab",
  "/etc/shadow",
  "/etc/shadow-",
  "/etc/ssl/private",
  "/etc/sudoers",
  "/etc/sudoers.d",
  "/etc/wireguard",
];

/** Where name servers are named, which a program that is learnt does not see either. */
export const NAME_SERVERS = "/etc/resolv.conf";

/** Files of variables with tokens, in the working directory: `.env`, `.env.local`. */
const VARIABLES = /^\.env(\.|$)/;

/** Examples of these, which have none. */
const EXAMPLE = /\.(example|sample|template|dist)$/;

/** Where secrets are on this machine. */
export class Secrets {
  readonly #paths: readonly string[];

  /** Those that there are in these homes, and in the working directory. */
  constructor(homes: readonly string[], directory: string) {
    const named = [
      ...homes.flatMap((home) => HOME_SECRETS.map((name) => `${home}/${name}`)),
      ...SYSTEM_SECRETS,
      ...hostKeys(),
      ...namesIn(directory).filter((name) => VARIABLES.test(name) && !EXAMPLE.test(name))
        .map((name) => `${directory}/${name}`),
    ];
    // By where links lead, as they are to be hidden.
    this.#paths = [...new Set(named.flatMap((path) => realPath(path) ?? []))];
  }

  /** The files and directories, none of which is a link. */
  get paths(): readonly string[] {
    return this.#paths;
  }

  /** Whether a file is one of them, or in one. */
  has(path: string): boolean {
    return this.#paths.some((secret) => isWithin(path, secret));
  }

  /** Whether a path is of one of them, or in one, by where links lead: a program may have made some. */
  leadsTo(path: string): boolean {
    return this.has(realPath(path) ?? path);
  }

  /** Those in a directory, or in the one that it leads to. */
  within(directory: string): readonly string[] {
    const places = [directory, realPath(directory) ?? directory];
    return this.#paths.filter((secret) => places.some((place) => isWithin(secret, place)));
  }
}

function hostKeys(): readonly string[] {
  return namesIn("/etc/ssh").filter((name) => /^ssh_host_.*_key$/.test(name))
    .map((name) => `/etc/ssh/${name}`);
}

function namesIn(directory: string): readonly string[] {
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name);
  } catch {
    return [];
  }
}

/** Where a path leads; `undefined` where nothing is there, or it may not be looked at. */
export function realPath(path: string): string | undefined {
  try {
    return Deno.realPathSync(path);
  } catch {
    return undefined;
  }
}

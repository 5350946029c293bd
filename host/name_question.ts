/**
 * What is asked of a scan for names, and what it answers, as plain data.
 *
 * @module
 */

/** What is looked for. */
export interface NameQuestion {
  /** The directory, as a path without symbolic links. */
  readonly directory: string;
  /** The path by which it was asked for, if that is another one. */
  readonly asked?: string | undefined;
  /** Names, or ends of paths: `".git/hooks"`. With `~/` a path in the home directory. */
  readonly names: readonly string[];
  /**
   * Those of the names that are reported where they are missing: directly in the directory, and in
   * the repository in which `start` is, or in `start` itself.
   */
  readonly absent: readonly string[];
  /** A directory that is looked through with those around it, however deep it is. */
  readonly start?: string | undefined;
  /** The home directory, where all names are reported if they are missing. */
  readonly home?: string | undefined;
  /**
   * Those of the names that are reported nowhere where they are missing, not in the home directory
   * either. What is in such a directory of the home directory is not looked at: it may be much, and
   * have hard links of its own.
   */
  readonly present?: readonly string[] | undefined;
  /** The directory for what is in .config of the home directory, if it is another one. */
  readonly configHome?: string | undefined;
  /** Paths below the directory that are reported themselves, found or missing. */
  readonly paths?: readonly string[] | undefined;
  /** Files that are not reported. */
  readonly except: readonly string[];
  /** The user whose programs can change the modes of its directories. */
  readonly uid: number;
  /** In how many directories it may look; without a bound by default. */
  readonly most?: number | undefined;
}

/** What was found, as plain data. */
export interface NameScan {
  /**
   * The files, each before what is in it; also directories of the user's that may not be read, or
   * not be written to where a name is missing: whatever is in them could be changed later.
   */
  readonly found: readonly FoundName[];
  /** The names that are missing, where files can be made. */
  readonly missing: readonly MissingName[];
  /**
   * In how many directories it has looked, and what takes as long; where they are more than `most`,
   * it has given up.
   */
  readonly directories: number;
}

/** A name that is missing, by the first directory or file of its path that is. */
export interface MissingName {
  /** The path, without symbolic links. */
  readonly path: string;
  /** What a file has to hold that takes the place; a directory can if this is left out. */
  readonly text?: string;
}

/** A file with one of the names, or a symbolic link on the way to it. */
export interface FoundName {
  /** Its path, without symbolic links before the last name. */
  readonly path: string;
  /** Whether it is a symbolic link. */
  readonly isLink: boolean;
  /** Whether it is a regular file that has another name too: a hard link. */
  readonly isShared: boolean;
}

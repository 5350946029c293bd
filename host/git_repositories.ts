/**
 * Repositories of git, with all of their worktrees, and what their configurations name.
 *
 * @module
 */

import { nameOf, parentOf } from "../recipe/path.ts";
import type { DirectoryLists } from "./directory_lists.ts";
import { from, type GitConfig, isGitName, pointerIn, readGitConfig } from "./git_directory.ts";

/** A path that a configuration names, and what a file there holds that git reads as none. */
export interface NamedByGit {
  readonly path: string;
  readonly text?: string;
}

/** What is asked of the machine. */
export interface GitFiles {
  readonly lists: DirectoryLists;
  /** The home directory. */
  readonly home: string | undefined;
  /** The configurations that count for every repository. */
  readonly general: readonly string[];
  /** Returns the path at the end of a path, without links; `undefined` if there is none. */
  endOf(path: string): string | undefined;
}

/** A repository: the directory that its worktrees have in common. */
interface Repository {
  /** The common directory, and those of its worktrees. */
  readonly directories: Set<string>;
  readonly worktrees: Set<string>;
}

/** The repositories that a search comes across, wherever they lie. */
export class GitRepositories {
  readonly #files: GitFiles;
  readonly #all = new Map<string, Repository>();

  constructor(files: GitFiles) {
    this.#files = files;
  }

  /**
   * Adds a directory of git, of a worktree if one is known that leads to it. Returns the directory
   * that its worktrees have in common.
   */
  add(directory: string, worktree = worktreeOf(directory)): string {
    const pointer = pointerIn(`${directory}/commondir`);
    const common = (pointer === undefined ? undefined : this.#files.endOf(pointer)) ?? directory;
    let repository = this.#all.get(common);
    if (repository === undefined) {
      repository = { directories: new Set([common]), worktrees: new Set([worktreeOf(common)]) };
      this.#all.set(common, repository);
      this.#addWorktrees(common, repository);
    }
    repository.directories.add(directory);
    if (directory === common || worktree !== directory) repository.worktrees.add(worktree);
    return common;
  }

  #addWorktrees(common: string, { directories, worktrees }: Repository): void {
    const { lists, endOf } = this.#files;
    for (const name of lists.of(`${common}/worktrees`).keys()) {
      const directory = `${common}/worktrees/${name}`;
      directories.add(directory);
      const pointer = pointerIn(`${directory}/gitdir`);
      const file = pointer === undefined ? undefined : endOf(pointer);
      if (file !== undefined) worktrees.add(parentOf(file));
    }
  }

  /** Returns the worktrees of all repositories; those that configurations name, once these are read. */
  worktrees(): readonly string[] {
    return this.#all.values().flatMap(({ worktrees }) => worktrees).toArray();
  }

  /** Returns the paths that configurations name, some of them more than once. */
  named(): readonly NamedByGit[] {
    const named: NamedByGit[] = [];
    const general = this.#configs(this.#files.general, named).flatMap(({ hooks }) => hooks);
    for (const path of general) if (path.startsWith("/")) named.push({ path });
    for (const { directories, worktrees } of this.#all.values()) {
      const hooks = new Set(general.filter((path) => !path.startsWith("/")));
      for (const directory of directories) {
        const files = ["config", "config.worktree"].map((name) => `${directory}/${name}`);
        for (const config of this.#configs(files, named)) {
          for (const path of config.hooks) hooks.add(path);
          for (const path of config.worktrees) {
            const worktree = this.#files.endOf(from(directory, path));
            if (worktree !== undefined) worktrees.add(worktree);
          }
        }
      }
      for (const path of hooks) {
        for (const worktree of worktrees) named.push({ path: from(worktree, path) });
      }
    }
    return named;
  }

  /** Reads configurations, and what they include, which it adds to what is named. */
  #configs(files: readonly string[], named: NamedByGit[]): readonly GitConfig[] {
    const configs: GitConfig[] = [];
    const read = new Set<string>();
    const waiting = [...files];
    while (waiting.length > 0 && read.size < MAX_CONFIGS) {
      const file = waiting.shift()!;
      const end = this.#files.endOf(file);
      if (end === undefined || read.has(end)) continue;
      read.add(end);
      const config = readGitConfig(file, this.#files.home);
      configs.push(config);
      for (const path of config.includes) named.push({ path, text: "" });
      waiting.push(...config.includes);
    }
    return configs;
  }
}

/** Nobody has more in one repository, but for a program that has made a repository of its own. */
const MAX_CONFIGS = 1000;

/** Returns the worktree of a directory of git; that itself for a bare repository. */
function worktreeOf(directory: string): string {
  return isGitName(nameOf(directory)) ? parentOf(directory) : directory;
}

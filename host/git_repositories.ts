/**
 * Repositories of git, with all of their worktrees, and what their configurations name.
 *
 * @module
 */

import { nameOf, parentOf } from "../recipe/path.ts";
import type { DirectoryLists } from "./directory_lists.ts";
import type { SearchCost } from "./search_cost.ts";
import { from, type GitConfig, isGitName, pointerIn, readGitConfig } from "./git_directory.ts";

/** A path that a configuration names, and what a file there holds that git reads as none. */
export interface NamedByGit {
  readonly path: string;
  readonly text?: string;
}

/** What is asked of the machine. */
export interface GitFiles {
  readonly lists: DirectoryLists;
  readonly cost: SearchCost;
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
  /** How many of both there were when its configurations were last read. */
  known: number;
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
      repository = {
        directories: new Set([common]),
        worktrees: new Set([worktreeOf(common)]),
        known: 0,
      };
      this.#all.set(common, repository);
      this.#addWorktrees(common, repository);
    }
    repository.directories.add(directory);
    if (directory === common || worktree !== directory) repository.worktrees.add(worktree);
    return common;
  }

  #addWorktrees(common: string, { directories, worktrees }: Repository): void {
    const { lists, cost, endOf } = this.#files;
    for (const name of lists.of(`${common}/worktrees`).keys()) {
      if (cost.isOver) return;
      cost.addDirectory();
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

  /** Returns the paths that configurations name, without those of repositories that are as before. */
  *named(): Generator<NamedByGit> {
    const named: NamedByGit[] = [];
    const general = this.#configs(this.#files.general, named).flatMap(({ hooks }) => hooks);
    for (const path of general) if (path.startsWith("/")) named.push({ path });
    for (const repository of this.#all.values()) {
      const { directories, worktrees } = repository;
      const size = () => directories.size + worktrees.size;
      if (repository.known === size()) continue;
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
      yield* named.splice(0);
      for (const path of hooks) {
        for (const worktree of worktrees) yield { path: from(worktree, path) };
      }
      repository.known = size();
    }
    yield* named;
  }

  /** Reads configurations, and what they include, which it adds to what is named. */
  #configs(files: readonly string[], named: NamedByGit[]): readonly GitConfig[] {
    const configs: GitConfig[] = [];
    const read = new Set<string>();
    const waiting = [...files];
    while (waiting.length > 0 && read.size < MAX_CONFIGS && !this.#files.cost.isOver) {
      const file = waiting.shift()!;
      const end = this.#files.endOf(file);
      if (end === undefined || read.has(end)) continue;
      read.add(end);
      const config = readGitConfig(file, this.#files.home);
      this.#files.cost.addConfig(config.size);
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

/**
 * The names of files that are run or trusted outside of a sandbox later, by other programs: a shell
 * that starts, git, an editor that opens the directory.
 *
 * @module
 */

/**
 * Read in a user's home directory, or where a configuration says so. Where one is missing elsewhere,
 * it can be made: nothing reads it there.
 */
export const HOME_NAMES: readonly string[] = [
  ".bash_aliases",
  ".bash_login",
  ".bash_logout",
  ".bash_profile",
  ".bashrc",
  ".config/autostart",
  ".config/environment.d",
  ".config/fish",
  ".config/git",
  ".config/systemd",
  ".emacs",
  ".emacs.d",
  ".exrc",
  ".gdbinit",
  ".gitconfig",
  ".kshrc",
  ".login",
  ".netrc",
  ".npmrc",
  ".pam_environment",
  ".profile",
  ".ripgreprc",
  ".ssh",
  ".tmux.conf",
  ".vim",
  ".vimrc",
  ".xprofile",
  ".xsession",
  ".zlogin",
  ".zlogout",
  ".zprofile",
  ".zshenv",
  ".zshrc",
];

/**
 * Read in the directory of a project by programs that are started there, or run anyway: these cannot
 * be made either where they are missing.
 */
const PROJECT_NAMES = [
  ".claude/agents",
  ".claude/commands",
  ".claude/hooks",
  ".claude/settings.json",
  ".claude/settings.local.json",
  ".claude/skills",
  ".cursor",
  ".devcontainer",
  ".envrc",
  ".git/commondir",
  ".git/config",
  ".git/config.worktree",
  ".git/hooks",
  ".githooks",
  ".gitmodules",
  ".husky",
  ".idea",
  ".mcp.json",
  ".vscode",
];

/**
 * The names that `sandbox()` and `protect()` keep read-only in what a program may write to: files
 * that shells, git and editors read or run later, as the user, outside of the sandbox. A name stands
 * for every file or directory whose path ends with it. `.git/` stands for every directory of git:
 * also those of submodules, of worktrees and of bare repositories.
 *
 * @example One name more
 * ```ts
 * import { PROTECTED_NAMES, sandbox } from "@ramekin/ramekin";
 *
 * const box = sandbox({ protect: [...PROTECTED_NAMES, "deploy.sh"] });
 * console.log(box.steps.length > 0); // true
 * ```
 */
export const PROTECTED_NAMES: readonly string[] = [...HOME_NAMES, ...PROJECT_NAMES].sort();
